"use strict";
/* The what-if scope: every value of one selector, ranked or as a curve, with a link to each case. */

(() => {
  const { ask, say, put, emit, on, field, set } = Batcomputer;
  const scope = document.querySelector("[data-what-if]");
  if (!scope) return;
  const plot = scope.querySelector("[data-plot]");
  const list = scope.querySelector("[data-part=ranking]");
  const drawn = scope.querySelectorAll("[data-part=ranking], [data-part=axis], [data-part=curve]");
  const note = scope.querySelector("[data-plot-note]");
  const flag = scope.querySelector("[data-flag]");
  const tabs = [...scope.querySelectorAll("[data-vary]")];
  let { vary } = (tabs.find((tab) => tab.matches("[aria-current]")) ?? tabs[0]).dataset;
  let query = ""; // of the case on the screen
  let asked = 0;
  // Until a person chooses a flag, the server chooses the one with the highest score.
  let chosen = new URLSearchParams(location.search).get("flag");

  for (const tab of tabs) {
    tab.setAttribute("role", "button");
    tab.removeAttribute("aria-current"); // for a link; a button has aria-pressed
    tab.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); tab.click(); } });
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      ({ vary } = tab.dataset);
      compare();
    });
  }
  flag?.addEventListener("change", () => {
    chosen = flag.value;
    compare();
  });
  for (const news of ["answered", "reopened", "emptied"]) {
    on(news, (printout) => {
      query = printout?.query ?? "";
      asked += 1; // responses still under way are for another case
      scope.removeAttribute("aria-busy");
      if (query) compare();
    });
  }

  async function compare() {
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.vary === vary));
    if (!query) { note.textContent = say("set-all"); return; }
    const turn = (asked += 1);
    const wanted = new URLSearchParams(flag && chosen ? { vary, flag: chosen } : { vary });
    scope.setAttribute("aria-busy", "true");
    const compared = await ask(`what-if?${query}&${wanted}`).catch((problem) => problem);
    if (turn !== asked) return; // a person has pressed another selector meanwhile
    scope.removeAttribute("aria-busy");
    if (compared instanceof Error) {
      for (const part of drawn) part.replaceChildren();
      note.textContent = compared.message;
      return;
    }
    put(compared.html);
    if (flag) flag.value = compared.flag;
    const current = list.querySelector("[aria-current]");
    const top = (element) => element.getBoundingClientRect().top;
    if (current) plot.scrollTop += top(current) - top(plot) - 120; // below the axis, with some rows above
  }

  plot.addEventListener("click", (event) => {
    const row = event.target.closest("a");
    if (!row) return;
    event.preventDefault();
    for (const [name, value] of new URL(row.href).searchParams) if (field(name)) set(field(name), value);
    emit("compute");
  });
})();
