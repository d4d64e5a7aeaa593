"use strict";
/* A case on record: its address copied, its printout printed. */

(() => {
  const note = document.querySelector("[data-note]");
  document.documentElement.dataset.scripts = "on"; // shows what needs them

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
})();
