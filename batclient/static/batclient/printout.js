"use strict";
/* The printer: fills in the pre-printed form, and what can be done with a printout. */

(() => {
  const { token, home, say, on, tell, reason } = Batcomputer;
  const tray = document.querySelector("[data-tray]");
  const blank = tray.querySelector("[data-printout]").cloneNode(true);
  const printed = "[data-copy], [data-print], [data-outcome]";
  // What only a script can do is on the blank form too, unseen, so that nothing moves later.
  if (blank.inert) for (const part of tray.querySelectorAll(printed)) part.hidden = false;

  on("answered", (printout) => show(printout));
  on("reopened", (printout) => show(printout));
  on("emptied", () => tray.replaceChildren(blank.cloneNode(true)));

  function show(printout) {
    tray.replaceChildren(fill(printout));
  }

  function fill(printout) {
    const paper = blank.cloneNode(true);
    paper.classList.remove("paper-blank");
    paper.inert = false;
    for (const name of ["time", "headline", "id", "version", "data", "support", "small_print"]) {
      const slot = paper.querySelector(`[data-slot=${name}]`);
      if (slot) slot.textContent = printout[name] ?? "";
    }
    paper.querySelector("[data-slot=odds]").textContent = printout.odds;
    paper.querySelector("[data-colon]").textContent = ": ";
    rows(paper.querySelector("[data-rows=case]"), printout.case, (row, line) => {
      row.querySelector("[data-slot=title]").textContent = line.title;
      row.querySelector("[data-slot=shown]").textContent = line.shown;
    });
    rows(paper.querySelector("[data-rows=verdicts]"), printout.verdicts, (row, line) => {
      row.querySelector("[data-slot=title]").textContent = line.title;
      row.querySelector("[data-slot=text]").textContent = line.text;
      row.querySelector("[data-slot=range]").textContent = line.range ?? "";
      row.querySelector(".bar-fill")?.setAttribute("width", line.percent);
    });
    actions(paper, printout);
    return paper;
  }

  /** As many rows as there are lines, each made from the form's first row. */
  function rows(list, lines, write) {
    const pattern = list.firstElementChild;
    list.replaceChildren(...lines.map((line) => {
      const row = pattern.cloneNode(true);
      write(row, line);
      return row;
    }));
  }

  function actions(paper, printout) {
    const note = paper.querySelector("[data-note]");
    const link = new URL(`${home}?${printout.query}`, location.href).href;
    paper.querySelector("[data-link]").href = link;
    const copy = paper.querySelector("[data-copy]");
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(link);
        note.textContent = say("copied");
      } catch (error) {
        if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
        note.textContent = say("not-copied");
      }
    });
    const print = paper.querySelector("[data-print]");
    print.hidden = false;
    print.addEventListener("click", () => window.print());
    const outcome = paper.querySelector("[data-outcome]");
    if (outcome) askForOutcome(outcome, printout, note); // of a number nobody can say which it was
  }

  function askForOutcome(outcome, printout, note) {
    outcome.hidden = false;
    if (printout.outcome) settle(outcome, printout.outcome, note);
    outcome.addEventListener("click", async (event) => {
      const key = event.target.closest("button");
      if (!key) return;
      note.textContent = "";
      const response = await fetch(`${home}outcome/${printout.id}`, {
        method: "POST",
        headers: { "X-CSRFToken": token, Accept: "application/json" },
        body: new URLSearchParams({ outcome: key.value }),
      }).catch(() => null);
      if (response?.ok) {
        settle(outcome, key.value, note);
        tell("outcome", { id: printout.id, outcome: key.value });
      } else {
        const detail = response ? await reason(response) : say("unreachable");
        note.textContent = say("not-recorded", { detail });
      }
    });
  }

  function settle(outcome, value, note) {
    for (const key of outcome.querySelectorAll("button")) {
      key.setAttribute("aria-pressed", String(key.value === value));
      if (key.value === value) note.textContent = say("recorded", { outcome: key.textContent });
    }
  }
})();
