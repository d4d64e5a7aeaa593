"use strict";
/* A recorded case: copies its link, prints its printout, and keeps its page for when the server is
   unreachable. */

(() => {
  const note = document.querySelector("[data-note]");
  document.documentElement.dataset.scripts = "on"; // shows elements that need scripts

  document.querySelector("[data-print]").addEventListener("click", () => window.print());
  document.querySelector("[data-copy]").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.querySelector("[data-link]").href);
      note.textContent = note.dataset.copied;
    } catch (error) {
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
      note.textContent = note.dataset.notCopied;
    }
  });

  const MOST = 50; // pages of cases that a browser keeps
  const worker = document.querySelector("[data-keep]")?.dataset.keep;
  if (worker && navigator.onLine && "serviceWorker" in navigator) addEventListener("load", () => keep(worker));

  /** Keep this page and its resources; the oldest pages are removed. */
  async function keep(script) {
    try {
      await navigator.serviceWorker.register(script, { scope: new URL("./", location.href).pathname });
      const kept = await caches.open("batcomputer.cases");
      const page = location.origin + location.pathname;
      const drawn = performance.getEntriesByType("resource").map(({ name }) => name);
      const ours = drawn.filter((name) => name.startsWith(location.origin) && /\.(css|js|woff2|svg|png|ico)$/.test(name));
      await kept.delete(page); // so that it is the newest
      await kept.addAll([page, ...new Set(ours)]);
      const pages = (await kept.keys()).filter(({ url }) => !/\.\w+$/.test(new URL(url).pathname));
      await Promise.all(pages.slice(0, -MOST).map((old) => kept.delete(old)));
    } catch (error) { // a private window, full storage, an unreachable server: the page is not kept
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    }
  }
})();
