"use strict";
/* The printer: the actions on a printout. */

(() => {
  const { ask, say, on, emit } = Batcomputer;
  const tray = document.querySelector("[data-tray]");

  tray.addEventListener("click", ({ target }) => {
    const key = target.closest("button");
    if (!key) return;
    if (key.matches("[data-copy]")) copy();
    else if (key.matches("[data-print]")) window.print();
    else record(key);
  });
  on("reopened", ({ outcome }) => {
    const key = outcome && tray.querySelector(`[data-outcome] [value="${CSS.escape(outcome)}"]`);
    if (key) mark(key);
  });

  function note(message) {
    tray.querySelector("[data-note]").textContent = message;
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(tray.querySelector("[data-link]").href);
      note(say("copied"));
    } catch (error) {
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
      note(say("not-copied"));
    }
  }

  /** Record what really happened. */
  async function record(key) {
    const id = tray.querySelector(".case-number").textContent;
    note("");
    try {
      await ask(`outcome/${id}`, { method: "POST", body: new URLSearchParams({ outcome: key.value }) });
    } catch (problem) {
      note(say("not-recorded", { detail: problem.message }));
      return;
    }
    mark(key);
    emit("outcome", { id, outcome: key.value });
  }

  function mark(key) {
    for (const other of key.parentElement.children) other.setAttribute("aria-pressed", String(other === key));
    note(say("recorded", { outcome: key.textContent }));
  }
})();
