"use strict";
/* The wall map: values on hover and focus, arrow keys from cell to cell, and the map as a picture. */

(() => {
  const form = document.querySelector("[data-map-form]");
  const table = document.querySelector("[data-heat]");
  for (const select of form.querySelectorAll("select")) {
    select.addEventListener("keydown", (event) => { if (event.key === "Enter") form.requestSubmit(); });
  }
  if (!table) return;
  const readout = document.querySelector("[data-readout]");
  const scroll = document.querySelector("[data-map-scroll]");
  const columns = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  let here = rows[0].cells[1];

  // A grid for assistive technology: one tab stop, arrow keys inside.
  table.setAttribute("role", "grid");
  scroll.removeAttribute("tabindex");
  here.tabIndex = 0;

  const cellOf = (event) => event.target.closest("tbody td");
  table.addEventListener("pointerover", (event) => { if (cellOf(event)) describe(cellOf(event)); });
  table.addEventListener("focusin", (event) => { if (cellOf(event)) describe(cellOf(event)); });
  table.addEventListener("click", (event) => { if (cellOf(event)) go(cellOf(event)); });
  table.addEventListener("dblclick", (event) => { if (cellOf(event)) location.href = caseOf(cellOf(event)); });
  table.addEventListener("keydown", (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    const row = cell.parentElement.sectionRowIndex;
    const column = cell.cellIndex;
    const last = columns.length - 1;
    const moves = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [row, 1], End: [row, last], PageUp: [0, column], PageDown: [rows.length - 1, column],
    };
    if (event.key === "Enter") location.href = caseOf(cell);
    else if (moves[event.key]) go(rows[moves[event.key][0]]?.cells[Math.max(moves[event.key][1], 1)]);
    else return;
    event.preventDefault();
  });

  function go(cell) {
    if (!cell) return;
    here.tabIndex = -1;
    here = cell;
    here.tabIndex = 0;
    here.focus();
  }

  function caseOf(cell) {
    const query = new URLSearchParams(table.dataset.query);
    query.set(table.dataset.rowsName, cell.parentElement.cells[0].dataset.value);
    query.set(table.dataset.columnsName, columns[cell.cellIndex].dataset.value);
    return `${table.dataset.consoleUrl}?${query}`;
  }

  function describe(cell) {
    const value = document.createElement("b");
    value.textContent = cell.title;
    const link = document.createElement("a");
    link.href = caseOf(cell);
    link.dir = "auto";
    link.textContent = `${cell.parentElement.cells[0].textContent} · ${columns[cell.cellIndex].textContent.trim()}`;
    readout.replaceChildren(link, " ", value);
  }

  /* The picture, drawn from the table */
  const key = document.querySelector("[data-png]");
  key.hidden = false;
  key.addEventListener("click", () => {
    const [cellWidth, cellHeight, margin, longest] = [34, 22, 16, 16_000]; // px a browser still draws
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    const face = getComputedStyle(table).fontFamily;
    pen.font = `500 14px ${face}`;
    const widest = (cells) => Math.min(Math.max(...cells.map((cell) => pen.measureText(cell.textContent).width)), 320) + 14;
    const left = margin + widest(rows.map((row) => row.cells[0]));
    const top = margin + widest(columns.slice(1));
    const width = left + (columns.length - 1) * cellWidth + margin;
    const height = top + rows.length * cellHeight + margin;
    const scale = Math.min(2, longest / width, longest / height);
    canvas.width = width * scale;
    canvas.height = height * scale;
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(scroll).backgroundColor;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.font = `500 14px ${face}`;
    pen.textBaseline = "middle";
    pen.fillStyle = "#f6ecd2";
    columns.slice(1).forEach((cell, column) => {
      pen.save();
      pen.translate(left + (column + 0.5) * cellWidth, top - 8);
      pen.rotate(-Math.PI / 2);
      pen.fillText(cell.textContent.trim(), 0, 0, top - margin);
      pen.restore();
    });
    rows.forEach((row, position) => {
      const y = top + position * cellHeight;
      pen.textAlign = "end";
      pen.fillStyle = "#f6ecd2";
      pen.fillText(row.cells[0].textContent, left - 8, y + cellHeight / 2, left - margin);
      pen.textAlign = "center";
      [...row.cells].slice(1).forEach((cell, column) => {
        const style = getComputedStyle(cell);
        pen.fillStyle = style.backgroundColor;
        pen.fillRect(left + column * cellWidth, y, cellWidth - 1, cellHeight - 1);
        pen.fillStyle = style.color;
        pen.fillText(cell.textContent, left + (column + 0.5) * cellWidth, y + cellHeight / 2, cellWidth - 4);
      });
    });
    canvas.toBlob((picture) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(picture);
      link.download = `${table.dataset.name}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  });
})();
