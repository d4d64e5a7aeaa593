"use strict";
/* Case files: this browser's printouts of this model, to reopen, compare and clear. */

(() => {
  const { say, make, on, emit, room } = Batcomputer;
  const MOST = 50;
  const key = `batcomputer.files.${room.dataset.model}`;
  const panel = document.querySelector("[data-files]");
  const list = panel.querySelector("[data-file-list]");
  const empty = panel.querySelector("[data-files-empty]");
  const actions = panel.querySelector("[data-file-actions]");
  const note = panel.querySelector("[data-files-note]");
  const dialog = panel.querySelector("[data-dialog]");
  const table = panel.querySelector("[data-compare-table]");
  let files = read();
  draw();

  on("answered", (printout) => {
    files = [printout, ...files.filter((file) => file.id !== printout.id)].slice(0, MOST);
    write();
    draw();
  });
  on("outcome", ({ id, outcome }) => {
    files = files.map((file) => (file.id === id ? { ...file, outcome } : file));
    write();
  });

  addEventListener("storage", (event) => { // another tab of the same browser
    if (event.key !== key && event.key !== null) return;
    files = read();
    draw();
  });

  function read() {
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "[]");
      return Array.isArray(kept) ? kept.filter((file) => file?.id && Array.isArray(file.case) && Array.isArray(file.verdicts) && typeof file.query === "string") : [];
    } catch {
      return []; // a private window stores nothing, or another program wrote there
    }
  }

  function write() {
    for (let count = files.length; ; count = Math.floor(count / 2)) { // full storage may have room for fewer
      try {
        localStorage.setItem(key, JSON.stringify(files.slice(0, count)));
        return;
      } catch {
        if (count) continue;
        note.textContent = say("not-kept");
        return;
      }
    }
  }

  function draw() {
    empty.hidden = files.length > 0;
    actions.hidden = files.length === 0;
    const kept = ticked();
    list.replaceChildren(...files.map((file) => card(file, kept.has(file.id))));
  }

  function ticked() {
    return new Set([...list.querySelectorAll("input:checked")].map((tick) => tick.value));
  }

  function card(file, on) {
    const tick = make("input", { type: "checkbox", value: file.id, "aria-label": say("tick", file) });
    tick.checked = on;
    const open = make("button", { type: "button", class: "file" }, [
      make("b", {}, [make("bdi", { text: file.headline }), ` ${file.odds}`]),
      make("span", { text: file.case.map((line) => line.shown).join(" · "), dir: "auto" }),
      make("small", { text: file.time }),
    ]);
    open.addEventListener("click", () => {
      if (!file.html) { location.search = file.query; return; } // kept by an earlier release: request it again
      emit("reopened", file);
      const paper = document.querySelector("[data-printout]");
      paper.focus({ preventScroll: true });
      paper.scrollIntoView({ block: "nearest" });
    });
    return make("li", {}, [tick, open]);
  }

  panel.querySelector("[data-clear]").addEventListener("click", () => {
    files = [];
    write();
    draw();
    note.textContent = say("cleared");
  });

  panel.querySelector("[data-compare]").addEventListener("click", () => {
    const marked = ticked();
    const chosen = files.filter((file) => marked.has(file.id));
    if (chosen.length < 2 || chosen.length > 4) {
      note.textContent = say("tick-two");
      return;
    }
    note.textContent = "";
    compare(chosen);
    dialog.showModal();
  });

  function compare(chosen) {
    const row = (title, cell) => {
      const texts = chosen.map((file) => cell(file) ?? "—");
      const differs = new Set(texts).size > 1;
      return make("tr", differs ? { class: "differs" } : {}, [
        make("th", { scope: "row", text: title, dir: "auto" }),
        ...texts.map((text) => make("td", { text, dir: "auto" })),
      ]);
    };
    const titles = (part) => [...new Set(chosen.flatMap((file) => file[part].map((line) => line.title)))];
    const find = (file, part, title) => file[part].find((line) => line.title === title);
    table.replaceChildren(
      make("thead", {}, [make("tr", {}, [
        make("td"),
        ...chosen.map((file) => make("th", { scope: "col" }, [make("bdi", { text: file.headline }), ` ${file.odds}`])),
      ])]),
      make("tbody", {}, [
        ...titles("case").map((title) => row(title, (file) => find(file, "case", title)?.shown)),
        ...titles("verdicts").map((title) => row(title, (file) => find(file, "verdicts", title)?.text)),
        row(say("time"), (file) => file.time),
        row(say("model"), (file) => `${file.model} ${file.version}`),
      ]),
    );
  }
})();
