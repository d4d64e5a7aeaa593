"use strict";
/* WHY: an explanation that costs the model time is requested only when a person looks at it. */

(() => {
  const { ask, say, put, on } = Batcomputer;
  const panel = document.querySelector("[data-why-panel]");
  const body = panel.querySelector("[data-part=why]");
  let query = ""; // of the case on the screen
  let asked = 0;

  const PATIENCE = 1000; // ms in view before it requests: scrolling by does not
  let waiting = 0;
  // Most people never look at the panel, and the model can answer others meanwhile.
  const looking = new IntersectionObserver((entries) => {
    clearTimeout(waiting);
    if (entries.at(-1).isIntersecting) waiting = setTimeout(explain, PATIENCE);
  });

  for (const news of ["answered", "reopened", "emptied"]) {
    on(news, (printout) => {
      query = printout?.query ?? "";
      asked += 1; // responses still under way are for another case
      panel.removeAttribute("aria-busy");
      rest();
      const key = panel.querySelector("[data-why]");
      if (query && key) looking.observe(key);
    });
  }

  panel.addEventListener("click", (event) => {
    if (!query || !event.target.closest("[data-why]")) return;
    event.preventDefault();
    explain();
  });

  function rest() {
    looking.disconnect();
    clearTimeout(waiting);
  }

  async function explain() {
    rest();
    const turn = (asked += 1);
    const key = panel.querySelector("[data-why]");
    const held = panel.contains(document.activeElement);
    panel.setAttribute("aria-busy", "true");
    body.firstElementChild.textContent = say("explaining");
    if (held) panel.querySelector(".plot").focus();
    key.hidden = true;
    const explained = await ask(`why?${query}`).catch((problem) => problem);
    if (turn !== asked) return;
    panel.removeAttribute("aria-busy");
    if (!(explained instanceof Error)) return put(explained.html);
    body.firstElementChild.textContent = explained.message;
    key.hidden = false;
  }
})();
