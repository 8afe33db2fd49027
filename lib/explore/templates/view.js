// Draws the results of the interactive page and lets a reader look closer: pointer, touch, or Tab and the arrow keys.
// Everything shown comes from the kernel, escaped there; nothing is computed and nothing is fetched here.
const NEAR = 28; // pixels within which a mark answers to the pointer

const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};

function draw_tabs(model, el) {
  const bar = make("div", { className: "tabs", role: "tablist" });
  bar.setAttribute("aria-label", model.get("words").tabs);
  const buttons = model.get("tabs").map((label, i) => {
    const button = make("button", { type: "button", role: "tab", textContent: label, id: `${el.id}-tab-${i}` });
    button.setAttribute("aria-controls", `${el.id}-panel`);
    button.onclick = () => { model.set("tab", i); model.save_changes(); };
    return button;
  });
  bar.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (model.get("tab") + step + buttons.length) % buttons.length;
    buttons[next].click();
    buttons[next].focus();
  };
  const update = () => buttons.forEach((button, i) => {
    const chosen = i === model.get("tab");
    button.setAttribute("aria-selected", chosen);
    button.tabIndex = chosen ? 0 : -1;
  });
  bar.update = update;
  update();
  bar.append(...buttons);
  return bar;
}

// Where a mark lies, in pixels from the corner of its figure.
function place(mark, svg) {
  const box = svg.getBoundingClientRect();
  if (mark.id) {
    const drawn = svg.querySelector(`[id="${CSS.escape(mark.id)}"]`);
    if (!drawn) return null;
    const own = drawn.getBoundingClientRect();
    return { x: own.x - box.x, y: own.y - box.y, width: own.width, height: own.height };
  }
  const at = new DOMPoint(mark.x, mark.y).matrixTransform(svg.getScreenCTM());
  return { x: at.x - box.x, y: at.y - box.y, width: 0, height: 0 };
}

function distance(spot, x, y) {
  const dx = Math.max(spot.x - x, 0, x - spot.x - spot.width);
  const dy = Math.max(spot.y - y, 0, y - spot.y - spot.height);
  return Math.hypot(dx, dy);
}

function draw_figure(block, closer, words) {
  const figure = make("figure", { className: "plot" });
  const paper = make("div", { className: "paper" });
  paper.innerHTML = block.svg;
  const svg = paper.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", block.alt);
  const frame = make("div", { className: "frame" }, paper);
  figure.append(frame, make("figcaption", { textContent: block.title }));
  if (!block.marks || !block.marks.length) return figure;

  const ring = make("span", { className: "ring", hidden: true });
  const tip = make("p", { className: "tip", hidden: true });
  const spoken = make("p", { className: "unseen" });
  spoken.setAttribute("role", "status");
  frame.append(ring, tip, spoken);
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", words.read.replace("{title}", () => block.title));
  figure.append(make("p", { className: "hint", textContent: words.point }));

  let spots = null;
  let current = -1;
  const measured = () => (spots ??= block.marks.map((mark) => place(mark, svg)));
  new ResizeObserver(() => { spots = null; hide(); }).observe(paper);
  const hide = () => { ring.hidden = tip.hidden = true; current = -1; };
  const show = (i, aloud) => {
    const spot = measured()[i];
    if (!spot) return;
    current = i;
    ring.hidden = tip.hidden = false;
    const pad = spot.width > 14 || spot.height > 14 ? 2 : 7;
    Object.assign(ring.style, { left: `${spot.x - pad}px`, top: `${spot.y - pad}px`, width: `${spot.width + 2 * pad}px`, height: `${spot.height + 2 * pad}px` });
    tip.textContent = block.marks[i].says;
    const widest = Math.min(280, frame.clientWidth);
    const left = Math.min(Math.max(spot.x + spot.width / 2 - widest / 2, 0), frame.clientWidth - widest);
    Object.assign(tip.style, { left: `${left}px`, maxWidth: `${widest}px`, top: `${spot.y + spot.height + 12}px` });
    if (aloud) spoken.textContent = block.marks[i].says;
  };
  const nearest = (event) => {
    const box = svg.getBoundingClientRect();
    const from = measured().map((spot) => (spot ? distance(spot, event.clientX - box.x, event.clientY - box.y) : Infinity));
    const i = from.indexOf(Math.min(...from));
    return from[i] <= NEAR ? i : -1;
  };
  frame.onpointermove = (event) => { const i = nearest(event); i < 0 ? hide() : show(i); };
  frame.onpointerleave = hide;
  frame.onclick = (event) => { const i = nearest(event); if (i >= 0) { show(i); closer(block.marks[i]); } };
  frame.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      show((current + step + block.marks.length) % block.marks.length, true);
    } else if (event.key === "Enter" && current >= 0) {
      closer(block.marks[current]);
    } else if (event.key === "Escape") {
      hide();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return figure;
}

function render({ model, el }) {
  el.classList.add("cohort-results");
  el.id ||= `results-${Math.random().toString(36).slice(2)}`;
  const problems = make("div", { className: "problems" });
  problems.setAttribute("role", "alert");
  const panel = make("div", { className: "panel", role: "tabpanel", id: `${el.id}-panel`, tabIndex: -1 });
  const kept = make("div", { className: "kept" });
  kept.setAttribute("aria-live", "polite");
  const profile = make("div", { className: "profile" });
  profile.setAttribute("aria-live", "polite");
  const aside = make("section", { className: "closer", hidden: true }, kept, profile);
  let bar = make("div");
  el.append(bar, problems, make("div", { className: "beside" }, panel, aside));

  const spoken = make("p", { className: "unseen" });
  spoken.setAttribute("role", "status");
  el.append(spoken);
  const ask = () => { model.set("asked", model.get("asked") + 1); model.save_changes(); };

  const pick = (patient) => { model.set("picked", patient); model.save_changes(); };
  const closer = (mark) => {
    aside.hidden = false;
    kept.replaceChildren(make("h3", { textContent: model.get("words").closer }), make("p", { textContent: mark.says }));
    if (mark.patients.length) {
      const buttons = mark.patients.map((id) => make("li", {}, make("button", { type: "button", textContent: id, onclick: () => pick(id) })));
      kept.append(make("p", { className: "hint", textContent: model.get("words").profile }), make("ul", { className: "patients" }, ...buttons));
    }
    pick(mark.patients.length === 1 ? mark.patients[0] : "");
  };
  const draw = () => {
    const pressed = panel.querySelector(".ask button:focus") !== null;
    aside.hidden = true;
    kept.replaceChildren();
    panel.replaceChildren(...model.get("blocks").map((block) => {
      if (block.svg) return draw_figure(block, closer, model.get("words"));
      if (block.button) return make("div", { className: "ask" }, make("p", { className: "lead", textContent: block.says }), make("button", { type: "button", textContent: block.button, onclick: ask }));
      const part = make("div", { className: "part" });
      part.innerHTML = block.html;
      return part;
    }));
    if (pressed) panel.querySelector(".ask button")?.focus();
    spoken.textContent = panel.querySelector(".ask p")?.textContent ?? "";
    panel.setAttribute("aria-labelledby", `${el.id}-tab-${model.get("tab")}`);
  };
  const complain = () => problems.replaceChildren(...model.get("problems").map((text) => make("p", { textContent: text })));
  const open = () => {
    const shown = model.get("profile");
    profile.replaceChildren(...(shown.svg ? [draw_figure(shown, closer, model.get("words"))] : []));
    if (shown.html) profile.innerHTML = shown.html;
    if (shown.svg || shown.html) aside.hidden = false;
  };
  // Another study may speak another language.
  const speak = () => {
    el.lang = model.get("words").language;
    aside.setAttribute("aria-label", model.get("words").closer);
    const before = bar;
    bar = draw_tabs(model, el);
    before.replaceWith(bar);
  };
  const wait = () => { el.setAttribute("aria-busy", model.get("busy")); };
  model.on("change:tab", () => bar.update());
  model.on("change:words", speak);
  model.on("change:blocks", draw);
  model.on("change:problems", complain);
  model.on("change:profile", open);
  model.on("change:busy", wait);
  speak();
  draw();
  complain();
  open();
  // A slider of the form gives its handle no name of its own, and may be drawn after this.
  const name = () => document.querySelectorAll(".cohort-form .widget-slider").forEach((slider) => {
    slider.querySelector(".noUi-handle:not([aria-label])")?.setAttribute("aria-label", slider.querySelector("label").textContent);
  });
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
  wait();
}

export default { render };
