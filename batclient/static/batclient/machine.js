"use strict";
/* What the console's scripts share: words, what the server draws, and the news they send each other. */

const Batcomputer = (() => {
  const words = JSON.parse(document.getElementById("words").textContent);

  const plural = new Intl.PluralRules(document.documentElement.lang);

  /** The words for `key`, with `{name}` filled in from `values`; of some there is one for one thing. */
  function say(key, values = {}) {
    const said = words[key];
    const chosen = typeof said === "string" ? said : said[plural.select(values.count)] ?? said.other;
    return chosen.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  /** A new element; text is only ever text. */
  function make(tag, { text, dir, ...attributes } = {}, children = []) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    if (dir) element.dir = dir;
    element.append(...children);
    return element;
  }

  const parts = () => [...document.querySelectorAll("[data-part]")];

  /** Put the server's drawing of some parts of the page in the place of what these show now. */
  function put(html) {
    const drawn = make("template");
    drawn.innerHTML = html;
    for (const part of parts()) {
      const drawing = drawn.content.querySelector(`[data-part="${part.dataset.part}"]`);
      if (drawing) part.replaceChildren(...drawing.childNodes);
    }
  }

  /** When the page is on the screen as it is now; one that is not shown is not waited for. */
  function painted() {
    return new Promise((done) => {
      requestAnimationFrame(() => setTimeout(done));
      setTimeout(done, 100);
    });
  }

  /** Notify the other scripts: `answered` with a printout, `state` with a word. */
  function emit(name, detail) {
    document.dispatchEvent(new CustomEvent(`batcomputer:${name}`, { detail }));
  }

  function on(name, listen) {
    document.addEventListener(`batcomputer:${name}`, (event) => listen(event.detail));
  }

  /** What an address below the model's own answers; throws an Error that says why there is nothing. */
  async function ask(path, options) {
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    let response = null;
    let answer = null;
    try {
      response = await fetch(home + path, { headers, ...options });
      answer = await response.json();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw Object.assign(new Error(say("unreachable")), { lost: true });
    }
    if (response.ok && answer) return answer;
    const { detail = say("odd-answer", { status: response.status }), errors } = answer ?? {};
    throw Object.assign(new Error(detail), { errors, version: response.headers.get("X-Model-Version") });
  }

  const room = document.querySelector("[data-console]");
  // A selector's name hides a property of the form that is called so (action, elements, …): what the
  // form has is asked of its attributes, and its fields of the room.
  const form = room.querySelector("[data-form]");
  const home = new URL(room.dataset.home, location.href).href;
  /** The form's token: what a page shows in place of an API key. */
  const token = room.querySelector("input[name=csrfmiddlewaretoken]").value;
  /** The select or input of the selector that goes by `name` in forms and addresses. */
  const field = (name) => room.querySelector(`[data-control] [name="${CSS.escape(name)}"]`);
  /** Every selector as it is set. */
  const fields = () => [...room.querySelectorAll("[data-control] [name]")];

  /** Set a selector as a person would. */
  function set(input, value) {
    input.value = value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.documentElement.dataset.scripts = "on"; // shows what needs them
  return { token, home, say, make, painted, parts, put, emit, on, ask, room, form, field, fields, set };
})();
