"use strict";
/* Shared by the console's scripts: texts, the server's HTML, and the events between scripts. */

const Batcomputer = (() => {
  const words = JSON.parse(document.getElementById("words").textContent);

  const plural = new Intl.PluralRules(document.documentElement.lang);

  /** The words for `key`, with `{name}` filled in from `values`; some have plural forms. */
  function say(key, values = {}) {
    const said = words[key];
    const chosen = typeof said === "string" ? said : said[plural.select(values.count)] ?? said.other;
    return chosen.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  /** A new element; its text is never parsed as HTML. */
  function make(tag, { text, dir, ...attributes } = {}, children = []) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    if (dir) element.dir = dir;
    element.append(...children);
    return element;
  }

  const parts = () => [...document.querySelectorAll("[data-part]")];

  /** Replace parts of the page with the server's HTML. */
  function put(html) {
    const drawn = make("template");
    drawn.innerHTML = html;
    for (const part of parts()) {
      const drawing = drawn.content.querySelector(`[data-part="${part.dataset.part}"]`);
      if (drawing) part.replaceChildren(...drawing.childNodes);
    }
  }

  /** Wait until the page is painted as it is now; does not wait for a hidden page. */
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

  /** Fetch a URL below the model's; throws an Error that explains a failure. */
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
  // A selector's name hides the form's property of that name (action, elements, …), so read the
  // form's attributes, and find its fields through the room.
  const form = room.querySelector("[data-form]");
  const home = new URL(room.dataset.home, location.href).href;
  /** The form's token, which a page sends instead of an API key. */
  const token = room.querySelector("input[name=csrfmiddlewaretoken]").value;
  /** The select or input of the selector called `name` in forms and query strings. */
  const field = (name) => room.querySelector(`[data-control] [name="${CSS.escape(name)}"]`);
  /** The values of all selectors. */
  const fields = () => [...room.querySelectorAll("[data-control] [name]")];

  /** Set a selector as a person would. */
  function set(input, value) {
    input.value = value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.documentElement.dataset.scripts = "on"; // shows elements that need scripts
  return { token, home, say, make, painted, parts, put, emit, on, ask, room, form, field, fields, set };
})();
