"use strict";
/* COMPUTE: send the case without leaving the page, and show the answer on the screen. */

(() => {
  const { ask, say, make, painted, parts, put, emit, on, room, form, fields, set } = Batcomputer;
  const SECONDS = 30;
  const PATIENCE = 1000; // ms until a screen reader announces the wait
  const screen = document.querySelector("[data-screen]");
  const announcement = document.querySelector("[data-announcement]");
  const blank = parts().map((part) => part.outerHTML).join("");
  let running = null;
  let address = location.search; // of the case on the screen

  room.querySelector("[data-form]").toggleAttribute("novalidate", true); // the contract's messages are better

  room.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    event.preventDefault();
    compute();
  });

  async function compute() {
    const body = new FormData(form);
    const question = new URLSearchParams(body).toString();
    if (running?.question === question) return; // pressing again with the same case sends nothing
    running?.abort();
    const asked = (running = new AbortController());
    asked.question = question;
    const timers = [
      setTimeout(() => asked.abort("slow"), SECONDS * 1000),
      setTimeout(() => { announcement.textContent = say("computing"); }, PATIENCE),
    ];
    mark([]);
    emit("state", "computing");
    screen.setAttribute("aria-busy", "true");
    notice(say("computing"));
    const shown = painted();
    const answer = await ask("", { method: "POST", body, signal: asked.signal }).catch((problem) => problem);
    await shown; // show the pressed button first, even if the answer comes at once
    timers.forEach(clearTimeout);
    if (running !== asked) return; // a newer request is under way, or another case on the screen
    running = null;
    screen.removeAttribute("aria-busy");
    if (!(answer instanceof Error)) {
      remember(answer);
      emit("answered", answer);
    } else if (answer.errors) refuse(answer);
    else if (asked.signal.aborted) fail(say("no-signal"), say("slow", { seconds: SECONDS }));
    else if (answer.lost) fail(say("no-signal"), answer.message);
    else fail(say("malfunction"), answer.message, true);
  }

  /** Put the case in the address bar, and the previous one in the history. */
  function remember(printout) {
    const query = `?${printout.query}`;
    history[query === address ? "replaceState" : "pushState"]({ printout }, "", query);
    address = query;
  }

  addEventListener("popstate", ({ state }) => {
    if (location.search === address) return; // another place on the same page
    address = location.search;
    if (state?.printout?.html) emit("reopened", state.printout);
    else if (address) location.reload();
    else emit("emptied");
  });

  on("answered", (printout) => {
    show("answered", printout.html);
    warnOfNewVersion(printout.version);
    announcement.textContent = say("printed", printout);
    bringIntoView();
  });

  /** Scroll to the headline if it is out of view, with the screen around it if there is room. */
  function bringIntoView() {
    const headline = screen.querySelector(".verdict");
    const { top, bottom } = headline.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return;
    const room = screen.offsetHeight < innerHeight;
    (room ? screen : headline).scrollIntoView({ block: room ? "start" : "center" });
  }

  on("reopened", (printout) => {
    const query = new URLSearchParams(printout.query);
    for (const input of fields()) set(input, query.get(input.name) ?? "");
    if (`?${printout.query}` !== address) remember(printout);
    show("answered", printout.html);
  });

  on("emptied", () => show("ready", blank));

  function show(state, html) {
    running?.abort();
    running = null;
    screen.removeAttribute("aria-busy");
    mark([]);
    emit("state", state);
    put(html);
  }

  function warnOfNewVersion(version) {
    const old = room.dataset.version;
    if (!version || version === old) return;
    screen.append(make("p", { class: "warning", "data-new-version": "" }, [
      say("new-version", { version, old }), " ",
      make("a", { href: location.href, text: say("reload") }),
    ]));
  }

  function refuse({ errors, version }) {
    mark(errors);
    fail(say("refused"), say("correct"));
    warnOfNewVersion(version);
    room.querySelector("[data-control] [aria-invalid]:not([tabindex='-1'])")?.focus();
  }

  /** Show errors next to the fields that they name, the others below the form, and no old ones. */
  function mark(errors) {
    const messages = new Map(errors.map(({ field, message }) => [field, message]));
    for (const control of room.querySelectorAll("[data-control]")) {
      const message = messages.get(control.dataset.control) ?? "";
      messages.delete(control.dataset.control);
      control.querySelector("[data-error]").textContent = message;
      for (const input of control.querySelectorAll("input, select, textarea")) input.ariaInvalid = message ? "true" : null;
    }
    room.querySelector("[data-form-error]").textContent = [...messages].map((error) => error.join(": ")).join(" ");
  }

  function fail(title, message, reload = false) {
    emit("state", "refused");
    notice(title, message);
    screen.querySelector("[data-reload]").hidden = !reload;
    announcement.textContent = `${title}. ${message}`;
  }

  function notice(title, text = "") {
    screen.replaceChildren(room.querySelector("[data-notice]").content.cloneNode(true));
    screen.querySelector("[data-title]").textContent = title;
    screen.querySelector("[data-text]").textContent = text;
  }

  room.querySelector("[data-surprise]").addEventListener("click", async (event) => {
    event.preventDefault();
    const drawn = await ask("surprise").catch((problem) => problem);
    if (drawn instanceof Error) { fail(say("malfunction"), drawn.message); return; }
    for (const input of fields()) set(input, drawn[input.name] ?? "");
    compute();
  });

  on("compute", compute);
  on("state", (state) => {
    document.documentElement.dataset.state = state;
    screen.classList.toggle("screen-alarm", state === "refused");
  });

  // A reloaded page shows its old answer: a new request would record another case.
  addEventListener("DOMContentLoaded", () => {
    const { printout } = history.state ?? {};
    if (printout?.html && location.search === `?${printout.query}`) emit("reopened", printout);
  });
})();
