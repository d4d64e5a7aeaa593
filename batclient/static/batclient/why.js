"use strict";
/* WHY: an answer that takes the model's time to explain is explained when a person asks. */

(() => {
  const { ask, put, on } = Batcomputer;
  const panel = document.querySelector("[data-why-panel]");
  const body = panel.querySelector("[data-part=why]");
  let query = ""; // of the case on the screen
  let asked = 0;

  for (const news of ["answered", "reopened", "emptied"]) {
    on(news, (printout) => {
      query = printout?.query ?? "";
      asked += 1; // whatever is still to come is of another case
      panel.removeAttribute("aria-busy");
    });
  }

  panel.addEventListener("click", async (event) => {
    if (!query || !event.target.closest("[data-why]")) return;
    event.preventDefault();
    const turn = (asked += 1);
    panel.setAttribute("aria-busy", "true");
    const explained = await ask(`why?${query}`).catch((problem) => problem);
    if (turn !== asked) return;
    panel.removeAttribute("aria-busy");
    if (explained instanceof Error) body.firstElementChild.textContent = explained.message;
    else put(explained.html);
    panel.querySelector(".plot").focus();
  });
})();
