// The list of cases: a search through a long log continues automatically until a page is full.
"use strict";

(() => {
  const FULL = 50; // rows of a page
  const list = document.querySelector("[data-cases]");
  const looking = document.querySelector("[data-looking]");

  const form = document.querySelector(".sieve");
  form?.addEventListener("submit", () => {
    for (const field of form.elements) field.disabled ||= field.name && !field.value; // a short address
  });
  window.addEventListener("pageshow", () => {
    for (const field of form?.elements ?? []) field.disabled = false;
  });

  if (!list || !looking) return;
  const stop = document.createElement("button");
  stop.type = "button";
  stop.className = "key";
  stop.textContent = "Stop";
  looking.append(stop);
  const leaving = new AbortController();
  stop.addEventListener("click", () => leaving.abort());

  const further = () => document.querySelector(".paginator [rel=next]");

  async function look() {
    const link = further();
    const answer = await fetch(link.href, { signal: leaving.signal });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.append(...page.querySelectorAll("[data-cases] > tr"));
    if (list.children.length) document.querySelector("[data-nothing]")?.remove();
    const [next, status] = [page.querySelector(".paginator [rel=next]"), page.querySelector("[data-looking]")];
    if (next) link.replaceWith(next);
    else link.remove();
    looking.querySelector("progress").value = status ? status.querySelector("progress").value : 1;
    looking.querySelector("[data-looked]").textContent =
      status?.querySelector("[data-looked]").textContent ?? (next ? "" : "Searched all of it.");
    return Boolean(status && next);
  }

  (async () => {
    try {
      while (list.children.length < FULL && (await look()));
    } catch (error) {
      if (error.name !== "AbortError") looking.querySelector("[data-looked]").textContent += " The server did not answer.";
    }
    const nothing = document.querySelector("[data-nothing]");
    if (nothing && !further()) nothing.textContent = "No such case.";
    stop.remove();
  })();
})();
