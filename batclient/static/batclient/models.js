"use strict";
/* The menu of many models: a filter over its links, and how it closes. */

(() => {
  const menu = document.querySelector("[data-models]");
  const filter = menu.querySelector("[data-models-filter]");
  const links = [...menu.querySelectorAll("a")];
  const plain = (text) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

  document.documentElement.dataset.scripts = "on"; // shows elements that need scripts
  filter.addEventListener("input", () => {
    const words = plain(filter.value).split(/\s+/).filter(Boolean);
    for (const link of links) {
      link.parentElement.hidden = !words.every((word) => plain(link.textContent).includes(word));
    }
    menu.querySelector("[data-models-note]").textContent = String(left().length);
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && left().length) left()[0].click();
    if (event.key === "ArrowDown") { event.preventDefault(); left()[0]?.focus(); }
  });
  menu.addEventListener("toggle", () => { if (menu.open) filter.focus(); });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });

  function left() {
    return links.filter((link) => !link.parentElement.hidden);
  }
})();
