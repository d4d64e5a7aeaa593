"use strict";
/* The what-if scope: every value of one selector, ranked, each a press away. */

(() => {
  const { say, make, bar, tell, on, reason, form } = Batcomputer;
  const scope = document.querySelector("[data-what-if]");
  if (!scope) return;
  const list = scope.querySelector("[data-ranking]");
  const note = scope.querySelector("[data-plot-note]");
  const flagChoice = scope.querySelector("[data-flag]");
  const tabs = [...scope.querySelectorAll("[data-vary]")];
  let printout = null;
  let options = [];
  let vary = tabs[0].dataset.vary;
  let asked = 0;
  if (flagChoice) scope.querySelector("[data-flag-label]").hidden = false;

  for (const tab of tabs) {
    tab.setAttribute("role", "button");
    tab.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); tab.click(); } });
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      vary = tab.dataset.vary;
      compare();
    });
  }
  flagChoice?.addEventListener("change", draw);
  on("answered", (news) => {
    printout = news;
    compare();
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
    const flag = flagChoice ? flagChoice.value : Object.keys(options[0].scores)[0];
    const labelled = options.every((option) => typeof option.value === "string");
    const shown = labelled ? [...options].sort((a, b) => b.scores[flag] - a.scores[flag]) : options;
    const highest = Math.max(...shown.map((option) => Math.abs(option.scores[flag]))) || 1;
    const title = printout.verdicts.find((line) => line.flag === flag).title;
    note.textContent = say(labelled ? "scores-of" : "values-of", { flag: title });
    list.replaceChildren(...shown.map((option) => row(option, option.scores[flag], highest)));
    const current = list.querySelector("[aria-current]");
    if (current) current.parentElement.parentElement.parentElement.scrollTop = current.offsetTop - 120;
  }

  function row(option, score, highest) {
    const query = new URLSearchParams(printout.query);
    query.set(vary, option.value);
    const link = make("a", { href: `?${query}` }, [
      make("span", { class: "rank-title", text: option.shown, dir: "auto" }),
      bar(Math.abs(score) / highest * 100),
      make("b", { text: written(score) }),
    ]);
    if (option.current) link.setAttribute("aria-current", "true");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const field = form.elements.namedItem(vary);
      field.value = option.value;
      field.dispatchEvent(new Event("change", { bubbles: true }));
      tell("compute");
    });
    return make("li", {}, [link]);
  }

  const shares = scope.dataset.scores !== "value";
  const format = new Intl.NumberFormat(document.documentElement.lang, shares
    ? { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }
    : { maximumSignificantDigits: 6 });

  function written(score) {
    return format.format(score).replace("%", " %");
  }
})();
