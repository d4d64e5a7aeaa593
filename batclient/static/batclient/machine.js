"use strict";
/* What the console's scripts share: words, elements, and the news they tell each other. */

const Batcomputer = (() => {
  const words = JSON.parse(document.getElementById("words").textContent);

  /** The words for `key`, with `{name}` filled in from `values`. */
  function say(key, values = {}) {
    return words[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
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

  /** A bar of the length `percent`, like those the server draws. */
  function bar(percent) {
    const svg = "http://www.w3.org/2000/svg";
    const drawn = document.createElementNS(svg, "svg");
    drawn.setAttribute("class", "bar");
    drawn.setAttribute("viewBox", "0 0 100 6");
    drawn.setAttribute("preserveAspectRatio", "none");
    drawn.setAttribute("aria-hidden", "true");
    for (const [name, width] of [["bar-rail", 100], ["bar-fill", percent]]) {
      const rect = document.createElementNS(svg, "rect");
      rect.setAttribute("class", name);
      rect.setAttribute("width", width);
      rect.setAttribute("height", 6);
      drawn.append(rect);
    }
    return drawn;
  }

  /** Tell the other scripts: `answered` with a printout, `state` with a word. */
  function tell(name, detail) {
    document.dispatchEvent(new CustomEvent(`batcomputer:${name}`, { detail }));
  }

  function on(name, listen) {
    document.addEventListener(`batcomputer:${name}`, (event) => listen(event.detail));
  }

  /** What a failed answer says of itself, in one sentence. */
  async function reason(response) {
    try {
      const problem = await response.clone().json();
      return problem.detail || say("odd-answer", { status: response.status });
    } catch {
      return say("odd-answer", { status: response.status });
    }
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

  return { token, home, say, make, bar, tell, on, reason, room, form, field, fields, set };
})();
