"use strict";
/* The bulk feed: a CSV in, the same CSV with the verdicts appended out. */

(() => {
  const { home, token, say, make } = Batcomputer;
  const panel = document.querySelector("[data-bulk]");
  const input = panel.querySelector("input[type=file]");
  const progress = panel.querySelector("[data-progress]");
  const note = panel.querySelector("[data-bulk-note]");
  const errors = panel.querySelector("[data-bulk-errors]");
  let feeding = null;

  input.addEventListener("change", () => {
    if (input.files[0]) feed(input.files[0]);
    input.value = "";
  });
  // Anywhere on the console will do: a file that misses must not replace the page.
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    panel.classList.add("bulk-over");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) panel.classList.remove("bulk-over"); });
  addEventListener("drop", (event) => {
    panel.classList.remove("bulk-over");
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    panel.scrollIntoView({ block: "nearest" });
    feed(file);
  });

  function feed(file) {
    errors.replaceChildren();
    errors.hidden = true;
    if (!/\.csv$/i.test(file.name) && !file.type.startsWith("text/")) {
      note.textContent = say("not-csv", { name: file.name });
      return;
    }
    progress.hidden = false;
    progress.value = 0;
    feeding?.abort(); // one file at a time
    const request = (feeding = new XMLHttpRequest()); // fetch does not say how far an upload is
    request.open("POST", `${home}bulk`);
    request.setRequestHeader("Content-Type", "text/csv");
    request.setRequestHeader("X-CSRFToken", token);
    request.responseType = "blob";
    request.upload.addEventListener("progress", (event) => {
      const percent = event.total ? Math.floor(event.loaded / event.total * 100) : 100;
      progress.value = percent;
      note.textContent = percent < 100 ? say("sending", { percent }) : say("scoring");
      if (percent === 100) progress.removeAttribute("value");
    });
    request.addEventListener("error", () => finish(say("bulk-failed", { name: file.name, detail: say("unreachable") })));
    request.addEventListener("load", () => (request.status === 200 ? deliver(file, request.response) : explain(file, request)));
    request.send(file);
  }

  function finish(message) {
    progress.hidden = true;
    note.textContent = message;
  }

  async function deliver(file, answer) {
    const bytes = new Uint8Array(await answer.arrayBuffer()); // a mark says which UTF-16 it is
    const coding = { 0xff: "utf-16le", 0xfe: "utf-16be" }[bytes[0]] ?? "utf-8";
    const unquoted = new TextDecoder(coding).decode(bytes).split('"').filter((_, part) => part % 2 === 0).join("");
    const lines = unquoted.trimEnd().split("\r\n").length - 1;
    const name = file.name.replace(/\.csv$/i, "") + "-answered.csv";
    finish(say("bulk-done", { name: file.name, count: lines, rows: lines.toLocaleString(document.documentElement.lang) }));
    const link = make("a", { href: URL.createObjectURL(answer), download: name, text: say("save") });
    note.append(" ", link);
    link.click();
  }

  async function explain(file, request) {
    let problem = {};
    try { problem = JSON.parse(await request.response.text()); } catch { /* not a problem document: the status has to do */ }
    if (!problem.errors) {
      finish(say("bulk-failed", { name: file.name, detail: problem.detail ?? say("odd-answer", { status: request.status }) }));
      return;
    }
    finish(say("bulk-refused", { name: file.name }));
    errors.replaceChildren(...problem.errors.map(({ field, message }) => make("li", { dir: "auto" }, [
      make("b", { text: field }), ` ${message}`,
    ])));
    errors.hidden = false;
  }
})();
