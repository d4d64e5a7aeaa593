"use strict";
/* The show: lamps, reels, the printing paper and, on request, sound. It never delays an answer. */

(() => {
  const { on, painted } = Batcomputer;
  const root = document.documentElement;
  const SHOW = 1600; // ms the lamps race and the paper comes out
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let ending = 0;

  for (const key of document.querySelectorAll("[data-switch]")) {
    const name = key.dataset.switch;
    set(key, recall(name) ?? (name === "lamps" ? "on" : "off"));
    key.addEventListener("click", () => {
      set(key, root.dataset[name] === "on" ? "off" : "on");
      keep(name, root.dataset[name]);
      if (name === "sound") click(0);
    });
  }

  function set(key, value) {
    root.dataset[key.dataset.switch] = value;
    key.setAttribute("aria-pressed", String(value === "on"));
  }

  function recall(name) {
    try { return localStorage.getItem(`batcomputer.${name}`); } catch { return null; }
  }

  function keep(name, value) {
    try { localStorage.setItem(`batcomputer.${name}`, value); } catch { /* a private window forgets */ }
  }

  on("state", async (state) => {
    end();
    if (state !== "computing") return;
    relays(6);
    await painted(); // first the button and the screen, which must react at once
    if (root.dataset.state === state) begin(state);
  });
  on("answered", () => {
    begin("printing");
    ending = setTimeout(end, SHOW);
    printer();
  });

  function begin(show) {
    if (!still.matches && root.dataset.lamps === "on") root.dataset.show = show;
  }

  function end() {
    clearTimeout(ending);
    delete root.dataset.show;
  }

  // Any press skips the rest of the show.
  addEventListener("click", end);
  addEventListener("keydown", end);

  /* Sound: relays and a line printer, made of filtered noise */
  let audio = null;

  function relays(count) {
    for (let n = 0; n < count; n += 1) click(n * 0.07 + Math.random() * 0.03);
  }

  function printer() {
    for (let n = 0; n < 26; n += 1) click(n * 0.055, 2600, 0.03);
  }

  function click(delay, pitch = 900, length = 0.045) {
    // Browsers allow no sound before a person has pressed something.
    if (root.dataset.sound !== "on" || !navigator.userActivation?.hasBeenActive) return;
    audio ??= new AudioContext();
    const samples = Math.ceil(audio.sampleRate * length);
    const buffer = audio.createBuffer(1, samples, audio.sampleRate);
    const wave = buffer.getChannelData(0);
    for (let n = 0; n < samples; n += 1) wave[n] = (Math.random() * 2 - 1) * (1 - n / samples) ** 4;
    const source = new AudioBufferSourceNode(audio, { buffer });
    const filter = new BiquadFilterNode(audio, { type: "bandpass", frequency: pitch, Q: 1.6 });
    const volume = new GainNode(audio, { gain: 0.22 });
    source.connect(filter).connect(volume).connect(audio.destination);
    source.start(audio.currentTime + delay);
  }
})();
