"use strict";
/* The slider below a curve: it moves between the drawn points, and sends no request. */

(() => {
  const plot = document.querySelector("[data-plot]");
  plot?.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-slide]")) return;
    const point = plot.querySelectorAll("[data-point]")[target.value];
    const link = point.querySelector("a");
    const text = `${link.textContent}: ${point.querySelector("td").textContent}`;
    const { x, y } = point.dataset;
    plot.querySelector("[data-slide-mark]").setAttribute("transform", `translate(${x} ${y})`);
    plot.querySelector("[data-slide-text]").textContent = text;
    plot.querySelector("[data-slide-link]").href = link.href;
    target.ariaValueText = text;
  });
})();
