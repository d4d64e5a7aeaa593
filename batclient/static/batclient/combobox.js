"use strict";
/* A filter layered over a long <select>: ARIA's editable combobox with a list popup.
   The select stays in the form and keeps the value. */

(() => {
  const { say, make, room } = Batcomputer;
  const LONG = 15; // labels; a shorter list is quicker without a filter

  const plain = (text) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

  /** The options that can be chosen, including the empty one if the value may be missing. */
  const offered = (select) => [...select.options].filter((option) => option.value || !select.required);

  for (const select of room.querySelectorAll("[data-control] select")) {
    if (offered(select).length > LONG) layer(select);
  }

  function layer(select) {
    const label = room.querySelector(`label[for="${select.id}"]`);
    const input = make("input", {
      id: `${select.id}-filter`, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": `${select.id}-list`,
      "aria-describedby": select.getAttribute("aria-describedby"), "aria-required": String(select.required),
      placeholder: say("choose"), dir: "auto",
    });
    if (select.getAttribute("aria-invalid")) input.setAttribute("aria-invalid", "true");
    const list = make("ul", { id: `${select.id}-list`, role: "listbox", class: "options", hidden: "" });
    const count = make("span", { class: "unseen", role: "status" });
    list.setAttribute("aria-label", label.textContent);
    label.htmlFor = input.id;
    select.classList.add("layered");
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    const box = make("div", { class: "combobox" }, [input, list, count]);
    select.after(box);

    const options = offered(select).map((option, position) => {
      const item = make("li", { id: `${select.id}-option-${position}`, role: "option", text: option.text, dir: "auto" });
      return { value: option.value, text: option.text, key: plain(option.text), item };
    });
    list.append(...options.map((option) => option.item));
    let active = -1;

    const open = () => !list.hidden;
    const visible = () => options.filter((option) => !option.item.hidden);
    const chosen = () => options.find((option) => option.value === select.value);

    function show(filter) {
      const wanted = plain(filter).split(/\s+/).filter(Boolean);
      for (const option of options) {
        option.item.hidden = !wanted.every((word) => option.key.includes(word));
        option.item.setAttribute("aria-selected", String(option.value === select.value));
      }
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      const found = visible().length;
      count.textContent = found ? say("matches", { count: found }) : say("no-match");
      list.hidden = !found;
      input.setAttribute("aria-expanded", String(Boolean(found)));
      const position = filter ? 0 : visible().indexOf(chosen());
      point(found ? position : -1);
    }

    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      count.textContent = "";
      point(-1);
    }

    function point(position) {
      visible()[active]?.item.classList.remove("option-active");
      for (const option of options) option.item.classList.remove("option-active");
      active = position;
      const option = visible()[position];
      if (!option) { input.removeAttribute("aria-activedescendant"); return; }
      option.item.classList.add("option-active");
      option.item.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.item.id);
    }

    function choose(option) {
      select.value = option.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      reset();
    }

    function reset() {
      input.value = chosen()?.text ?? "";
      close();
    }

    /** On leaving, choose a label that was typed in full, or the only one left in the list. */
    function leave() {
      const typed = plain(input.value.trim());
      const left = open() && typed ? visible() : [];
      const meant = options.find((option) => option.key === typed) ?? (left.length === 1 ? left[0] : null);
      if (meant && meant !== chosen()) choose(meant);
      else reset();
    }

    function step(by) {
      const last = visible().length - 1;
      point(active + by < 0 ? last : active + by > last ? 0 : active + by);
    }

    input.addEventListener("input", () => show(input.value));
    input.addEventListener("click", () => { if (!open()) { input.select(); show(""); } });
    input.addEventListener("blur", leave);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!open()) show("");
        else step(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter" && open()) {
        if (visible()[active]) choose(visible()[active]);
        else reset();
      } else if (event.key === "Escape" && (open() || input.value !== (chosen()?.text ?? ""))) reset();
      else return;
      event.preventDefault();
    });
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // keep the focus in the input
    list.addEventListener("click", (event) => {
      const option = options.find(({ item }) => item === event.target);
      if (option) choose(option);
    });
    select.addEventListener("change", reset);
    select.addEventListener("focus", () => input.focus());
    reset();
  }
})();
