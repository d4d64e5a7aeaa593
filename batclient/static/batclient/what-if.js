"use strict";
/* The what-if scope: every value of one selector, ranked, each a press away. */

(() => {
  const { say, make, bar, tell, on, reason, field, set } = Batcomputer;
  const scope = document.querySelector("[data-what-if]");
  if (!scope) return;
  const list = scope.querySelector("[data-ranking]");
  const note = scope.querySelector("[data-plot-note]");
  const flagChoice = scope.querySelector("[data-flag]");
  const tabs = [...scope.querySelectorAll("[data-vary]")];
  let printout = null;
  let options = [];
  let { vary, parameter } = tabs[0].dataset;
  let asked = 0;
  const empty = note.textContent;
  if (flagChoice) scope.querySelector("[data-flag-label]").hidden = false;

  for (const tab of tabs) {
    tab.setAttribute("role", "button");
    tab.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); tab.click(); } });
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      ({ vary, parameter } = tab.dataset);
      compare();
    });
  }
  flagChoice?.addEventListener("change", draw);
  for (const news of ["answered", "reopened"]) {
    on(news, (told) => {
      printout = told;
      compare();
    });
  }
  on("emptied", () => {
    asked += 1; // whatever is still to come is of no case
    printout = null;
    options = [];
    list.replaceChildren();
    note.textContent = empty;
  });

  async function compare() {
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.vary === vary));
    if (!printout) { note.textContent = say("set-all"); return; }
    const query = new URLSearchParams(printout.query);
    query.set("vary", vary);
    const turn = (asked += 1);
    scope.setAttribute("aria-busy", "true");
    const response = await fetch(`${scope.dataset.url}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (turn !== asked) return; // another selector was pressed meanwhile
    scope.removeAttribute("aria-busy");
    if (!response?.ok) {
      options = [];
      list.replaceChildren();
      note.textContent = response ? await reason(response) : say("unreachable");
      return;
    }
    options = (await response.json()).options;
    draw();
  }

  function draw() {
    if (!options.length) return;
    const flags = Object.keys(options[0].scores);
    const flag = flags.includes(flagChoice?.value) ? flagChoice.value : flags[0]; // a new version's may differ
    const labelled = options.every((option) => typeof option.value === "string");
    const shown = labelled ? [...options].sort((a, b) => b.scores[flag] - a.scores[flag]) : options;
    const highest = Math.max(...shown.map((option) => Math.abs(option.scores[flag]))) || 1;
    const title = printout.verdicts.find((line) => line.flag === flag)?.title ?? flag;
    note.textContent = say(labelled ? "scores-of" : "values-of", { flag: title });
    list.replaceChildren(...shown.map((option) => row(option, flag, highest)));
    const current = list.querySelector("[aria-current]");
    if (current) current.parentElement.parentElement.parentElement.scrollTop = current.offsetTop - 120;
  }

  function row(option, flag, highest) {
    const query = new URLSearchParams(printout.query);
    query.set(parameter, option.value);
    const link = make("a", { href: `?${query}` }, [
      make("span", { class: "rank-title", text: option.shown, dir: "auto" }),
      bar(Math.abs(option.scores[flag]) / highest * 100),
      make("b", { text: option.words[flag] }),
    ]);
    if (option.current) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const changed = new URLSearchParams(printout.query);
      changed.set(parameter, option.value);
      for (const [name, value] of changed) if (field(name)) set(field(name), value);
      tell("compute");
    });
    return make("li", {}, [link]);
  }
})();
