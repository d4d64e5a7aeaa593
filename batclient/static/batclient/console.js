"use strict";
/* COMPUTE: ask without leaving the page, and show what came back on the screen. */

(() => {
  const { say, make, tell, on, reason, room, form } = Batcomputer;
  const SECONDS = 30;
  const ECHOED = 6;
  const screen = document.querySelector("[data-screen]");
  const scope = document.querySelector("[data-scope]");
  const announcement = document.querySelector("[data-announcement]");
  let running = null;

  form.noValidate = true; // the contract's own words are better than the browser's

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    compute();
  });

  async function compute() {
    running?.abort();
    const asked = (running = new AbortController());
    const timer = setTimeout(() => asked.abort("slow"), SECONDS * 1000);
    clearErrors();
    tell("state", "computing");
    screen.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new FormData(form),
        signal: asked.signal,
      });
      await receive(response);
    } catch (error) {
      if (asked.signal.aborted && asked.signal.reason !== "slow") return; // a newer question is out
      if (!(error instanceof TypeError || asked.signal.aborted)) throw error;
      fail(say("no-signal"), asked.signal.aborted ? say("slow", { seconds: SECONDS }) : say("unreachable"));
    } finally {
      clearTimeout(timer);
      if (running === asked) screen.removeAttribute("aria-busy");
    }
  }

  async function receive(response) {
    if (response.ok) {
      const printout = await response.json();
      history.replaceState(null, "", `?${printout.query}`);
      tell("answered", printout);
      return;
    }
    const problem = response.status === 400 ? await response.json().catch(() => null) : null;
    if (problem?.errors) refuse(problem.errors);
    else fail(say("malfunction"), await reason(response), true);
  }

  on("answered", (printout) => {
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
    if (printout.version !== room.dataset.version) warnOfNewVersion(printout.version);
    announcement.textContent = say("printed", printout);
    swing(printout);
    if (scope.getBoundingClientRect().top > innerHeight - 200) scope.scrollIntoView({ block: "start" });
  });

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

  function refuse(errors) {
    const controls = new Map([...form.querySelectorAll("[data-control]")].map((c) => [c.dataset.control, c]));
    for (const { field, message } of errors) {
      const control = controls.get(field);
      if (!control) {
        form.querySelector("[data-form-error]").textContent += `${field}: ${message} `;
        continue;
      }
      control.classList.add("control-wrong");
      control.querySelector("[data-error]").textContent = message;
      for (const input of control.querySelectorAll("input, select")) input.setAttribute("aria-invalid", "true");
    }
    fail(say("refused"), say("correct"));
    form.querySelector("[aria-invalid]:not([tabindex='-1'])")?.focus();
  }

  function clearErrors() {
    form.querySelector("[data-form-error]").textContent = "";
    for (const control of form.querySelectorAll(".control-wrong")) {
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
  });

  // A link to a case is a link to its answer.
  const linked = new URLSearchParams(location.search);
  const names = [...form.querySelectorAll("[data-control]")].map((control) => control.dataset.control);
  if (names.every((name) => linked.get(name)) && !linked.has("vary")) addEventListener("load", compute);
})();
