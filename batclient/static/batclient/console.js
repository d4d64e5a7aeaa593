"use strict";
/* COMPUTE: ask without leaving the page, and show what came back on the screen. */

(() => {
  const { home, say, make, tell, on, reason, room, form, fields, set } = Batcomputer;
  const SECONDS = 30;
  const PATIENCE = 1000; // ms until a wait is said aloud too
  const ECHOED = 6;
  const screen = document.querySelector("[data-screen]");
  const scope = document.querySelector("[data-scope]");
  const announcement = document.querySelector("[data-announcement]");
  const blank = screen.cloneNode(true).childNodes;
  const printouts = new Map(); // of this visit, by id, for the way back
  let running = null;
  let address = location.search; // of the case on the screen
  let arriving = false; // by a link to a case

  room.querySelector("[data-form]").toggleAttribute("novalidate", true); // the contract says it better

  room.addEventListener("submit", (event) => {
    if (event.target !== form) return;
    event.preventDefault();
    compute();
  });

  async function compute() {
    const body = new FormData(form);
    const question = new URLSearchParams(body).toString();
    if (running?.question === question) return; // a second press of the same is no second question
    running?.abort();
    const asked = (running = new AbortController());
    asked.question = question;
    const timers = [
      setTimeout(() => asked.abort("slow"), SECONDS * 1000),
      setTimeout(() => { announcement.textContent = say("computing"); }, PATIENCE),
    ];
    clearErrors();
    tell("state", "computing");
    screen.setAttribute("aria-busy", "true");
    screen.replaceChildren(
      make("p", { class: "verdict" }, [make("span", { class: "verdict-flag", text: say("computing") })]),
      make("p", { class: "cursor" }),
    );
    try {
      const response = await fetch(home, {
        method: "POST",
        headers: { Accept: "application/json" },
        body,
        signal: asked.signal,
      });
      await receive(response);
    } catch (error) {
      if (asked.signal.aborted && asked.signal.reason !== "slow") return; // a newer question is out
      if (!(error instanceof TypeError || asked.signal.aborted)) throw error;
      fail(say("no-signal"), asked.signal.aborted ? say("slow", { seconds: SECONDS }) : say("unreachable"));
    } finally {
      timers.forEach(clearTimeout);
      if (running === asked) {
        running = null;
        screen.removeAttribute("aria-busy");
      }
    }
  }

  async function receive(response) {
    if (response.ok) {
      const printout = await response.json();
      remember(printout);
      tell("answered", printout);
      return;
    }
    const problem = response.status === 400 ? await response.json().catch(() => null) : null;
    if (problem?.errors) refuse(problem.errors, response.headers.get("X-Model-Version"));
    else fail(say("malfunction"), await reason(response), true);
  }

  /** The case in the address bar, and the one before it a step back. */
  function remember(printout) {
    printouts.set(printout.id, printout);
    const query = `?${printout.query}`;
    history[arriving || query === address ? "replaceState" : "pushState"]({ printout: printout.id }, "", query);
    arriving = false;
    address = query;
  }

  addEventListener("popstate", (event) => {
    if (location.search === address) return; // another place on the same page
    address = location.search;
    const printout = printouts.get(event.state?.printout);
    if (printout) tell("reopened", printout);
    else if (address) location.reload();
    else tell("emptied");
  });

  on("answered", (printout) => {
    show(printout);
    if (printout.version !== room.dataset.version) warnOfNewVersion(printout.version);
    announcement.textContent = say("printed", printout);
    if (scope.getBoundingClientRect().top > innerHeight - 200) scope.scrollIntoView({ block: "start" });
  });

  on("reopened", (printout) => {
    running?.abort();
    clearErrors();
    const query = new URLSearchParams(printout.query);
    for (const input of fields()) set(input, query.get(input.name) ?? "");
    if (`?${printout.query}` !== address) remember(printout);
    show(printout);
  });

  on("emptied", () => {
    running?.abort();
    clearErrors();
    tell("state", "ready");
    screen.replaceChildren(...[...blank].map((node) => node.cloneNode(true)));
    for (const dial of document.querySelectorAll("[data-dial]")) {
      dial.querySelector("[data-dial-text]").textContent = "—";
      dial.querySelector(".needle").style.transform = "";
    }
  });

  function show(printout) {
    tell("state", "answered");
    const echo = make("ol", { class: "echo" });
    for (const line of printout.case.slice(0, ECHOED)) {
      echo.append(make("li", {}, [make("span", { text: line.title, dir: "auto" }), " ", make("b", { text: line.shown, dir: "auto" })]));
    }
    if (printout.case.length > ECHOED) echo.append(make("li", { text: say("more", { count: printout.case.length - ECHOED }) }));
    const verdict = make("p", { class: "verdict" }, [
      make("span", { class: "verdict-flag", text: printout.headline, dir: "auto" }),
      " ",
      make("strong", { class: "verdict-odds", text: printout.odds }),
    ]);
    screen.replaceChildren(echo, verdict);
    if (printout.tenths !== null) screen.append(bats(printout.tenths));
    swing(printout);
  }

  /** Odds as people count them: so many of ten bats are lit. */
  function bats(lit) {
    const drawn = document.querySelector("[data-bats-template]").content.cloneNode(true);
    drawn.querySelectorAll("use").forEach((bat, place) => bat.classList.toggle("lit", place < lit));
    return drawn;
  }

  function warnOfNewVersion(version) {
    screen.append(make("p", { class: "warning", "data-new-version": "" }, [
      say("new-version", { version, old: room.dataset.version }), " ",
      make("a", { href: location.href, text: say("reload") }),
    ]));
  }

  /** Dials keep their flags while there is a dial for each; else they show the highest scores. */
  function swing({ verdicts }) {
    document.querySelectorAll("[data-dial]").forEach((dial, position) => {
      const own = verdicts.find((line) => line.flag === dial.dataset.dial);
      const line = verdicts.length <= 4 && own ? own : verdicts[position];
      if (!line) return;
      dial.dataset.dial = line.flag;
      dial.querySelector("[data-dial-title]").textContent = line.title;
      dial.querySelector("[data-dial-text]").textContent = line.text;
      dial.querySelector(".needle").style.transform = `rotate(${(line.percent ?? 0) - 50}deg)`;
    });
  }

  function refuse(errors, version) {
    const controls = new Map([...room.querySelectorAll("[data-control]")].map((c) => [c.dataset.control, c]));
    for (const { field, message } of errors) {
      const control = controls.get(field);
      if (!control) {
        room.querySelector("[data-form-error]").textContent += `${field}: ${message} `;
        continue;
      }
      control.classList.add("control-wrong");
      control.querySelector("[data-error]").textContent = message;
      for (const input of control.querySelectorAll("input, select")) input.setAttribute("aria-invalid", "true");
    }
    fail(say("refused"), say("correct"));
    if (version && version !== room.dataset.version) warnOfNewVersion(version);
    room.querySelector("[data-control] [aria-invalid]:not([tabindex='-1'])")?.focus();
  }

  function clearErrors() {
    room.querySelector("[data-form-error]").textContent = "";
    for (const control of room.querySelectorAll(".control-wrong")) {
      control.classList.remove("control-wrong");
      control.querySelector("[data-error]").textContent = "";
      for (const input of control.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    }
  }

  function fail(title, message, reload = false) {
    tell("state", "refused");
    const lines = [
      make("p", { class: "verdict" }, [make("span", { class: "verdict-flag", text: title })]),
      make("p", { text: message, dir: "auto" }),
    ];
    if (reload) lines.push(make("p", {}, [make("a", { href: location.href, text: say("reload") })]));
    screen.replaceChildren(...lines);
    announcement.textContent = `${title}. ${message}`;
  }

  on("compute", compute);
  on("state", (state) => {
    document.documentElement.dataset.state = state;
    screen.classList.toggle("screen-alarm", state === "refused");
  });

  // A link to a case is a link to its answer.
  const linked = new URLSearchParams(location.search);
  arriving = fields().every((input) => linked.get(input.name)) && !linked.has("vary") && !room.querySelector(".control-wrong");
  if (arriving) addEventListener("DOMContentLoaded", compute);
})();
