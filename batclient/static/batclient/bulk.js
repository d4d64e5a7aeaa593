"use strict";
/* The bulk feed: takes a CSV or a workbook, and returns it with the verdicts appended. The server
   checks its first rows before the browser sends the whole file. */

(() => {
  const { home, token, say, make, put } = Batcomputer;
  const panel = document.querySelector("[data-bulk]");
  const input = panel.querySelector("input[type=file]");
  const progress = panel.querySelector("[data-progress]");
  const note = panel.querySelector("[data-bulk-note]");
  const errors = panel.querySelector("[data-bulk-errors]");
  const preview = panel.querySelector('[data-part="bulk-preview"]');
  const LOOKED_AT = 2 ** 18; // bytes of a long CSV
  const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  let feeding = null;
  let looking = null;

  input.addEventListener("change", () => {
    if (input.files[0]) feed(input.files[0]);
    input.value = "";
  });
  // Accept drops anywhere on the console: a file that misses must not replace the page.
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
    preview.replaceChildren();
    feeding?.abort(); // one file at a time
    looking?.abort();
    if (!/\.(csv|xlsx)$/i.test(file.name) && !file.type.startsWith("text/")) {
      finish(say("not-csv", { name: file.name }));
      return;
    }
    look(file);
  }

  const isWorkbook = (file) => /\.xlsx$/i.test(file.name);

  async function look(file) {
    const ours = (looking = new AbortController());
    const part = !isWorkbook(file) && file.size > LOOKED_AT;
    note.textContent = say("looking", { name: file.name });
    let found = null;
    try {
      const body = part ? await wholeLines(file) : file;
      const headers = { "Content-Type": isWorkbook(file) ? XLSX : "text/csv", "X-CSRFToken": token };
      const response = await fetch(`${home}bulk/preview?part=${part}`, { method: "POST", headers, body, signal: ours.signal });
      if (response.status === 400) return refuse(file, await response.json());
      found = response.ok ? await response.json() : null;
    } catch { /* aborted, or a bad connection: sending the file will show that */ }
    if (ours.signal.aborted) return;
    if (found) put(found.html);
    if (found?.errors.length) refuse(file, found);
    else send(file);
  }

  /* The beginning of a long CSV, up to the end of a line. */
  async function wholeLines(file) {
    const bytes = new Uint8Array(await file.slice(0, LOOKED_AT).arrayBuffer());
    const end = bytes.lastIndexOf(10) + 1;
    return bytes.slice(0, end || bytes.length);
  }

  function send(file) {
    progress.hidden = false;
    progress.value = 0;
    const request = (feeding = new XMLHttpRequest()); // fetch does not report the progress of an upload
    request.open("POST", `${home}bulk`);
    request.setRequestHeader("Content-Type", isWorkbook(file) ? XLSX : "text/csv");
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
    if (isWorkbook(file)) return save(file, answer, ".xlsx", say("bulk-saved", { name: file.name }));
    const bytes = new Uint8Array(await answer.arrayBuffer()); // a mark gives the byte order of UTF-16
    const coding = { 0xff: "utf-16le", 0xfe: "utf-16be" }[bytes[0]] ?? "utf-8";
    const unquoted = new TextDecoder(coding).decode(bytes).split('"').filter((_, part) => part % 2 === 0).join("");
    const lines = unquoted.trimEnd().split("\r\n").length - 1;
    save(file, answer, ".csv", say("bulk-done", { name: file.name, count: lines, rows: lines.toLocaleString(document.documentElement.lang) }));
  }

  function save(file, answer, kind, message) {
    const name = file.name.replace(/\.(csv|xlsx)$/i, "") + "-answered" + kind;
    finish(message);
    const link = make("a", { href: URL.createObjectURL(answer), download: name, text: say("save") });
    note.append(" ", link);
    link.click();
  }

  async function explain(file, request) {
    let problem = {};
    try { problem = JSON.parse(await request.response.text()); } catch { /* not a problem document: show the status */ }
    refuse(file, problem, request.status);
  }

  function refuse(file, problem, status) {
    if (!problem.errors) {
      finish(say("bulk-failed", { name: file.name, detail: problem.detail ?? say("odd-answer", { status }) }));
      return;
    }
    finish(say("bulk-refused", { name: file.name }));
    errors.replaceChildren(...problem.errors.map(({ field, message }) => make("li", { dir: "auto" }, [
      make("b", { text: field }), ` ${message}`,
    ])));
    errors.hidden = false;
  }
})();
