// One open question as a form: radio buttons with what follows from each, and one button. All words come from the
// kernel and are shown as text.
const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};

function render({ model, el }) {
  el.classList.add("cohort-ask");
  el.id ||= `ask-${Math.random().toString(36).slice(2)}`;
  const problems = make("div", { className: "problems" });
  problems.setAttribute("role", "alert");
  const head = make("p", { className: "lead" });
  const form = make("form", { noValidate: true });
  const answered = make("div", { className: "answered" });
  el.append(head, problems, form, answered);

  const words = () => ({ language: "en", moment: "One moment …", answered: "Answered", ...model.get("words") });

  const choice = ([answer, follows], i) => make("label", { className: "option" },
    make("input", { type: "radio", name: `${el.id}-answer`, value: i }),
    make("span", {}, make("b", { textContent: answer }), make("span", { className: "follows", textContent: follows })));

  form.onsubmit = (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled")) return; // pressed already; it keeps the focus
    button.setAttribute("aria-disabled", "true");
    button.textContent = words().moment;
    const chosen = form.querySelector("input:checked");
    model.set("given", { turn: model.get("turn"), choice: chosen ? Number(chosen.value) : -1 });
    model.save_changes();
  };

  form.onkeydown = (event) => event.stopPropagation(); // JupyterLab would take arrows and Enter for the notebook's

  const draw = () => {
    el.lang = words().language;
    const used = form.contains(document.activeElement);
    const wrong = model.get("problems");
    const asked = model.get("question");
    head.textContent = model.get("says");
    problems.replaceChildren(...wrong.map((text) => make("p", { textContent: text })));
    const legend = make("legend", { textContent: asked, tabIndex: -1 });
    const fields = make("fieldset", {}, legend, ...model.get("options").map(choice));
    form.replaceChildren(...(asked ? [fields] : []), make("button", { type: "submit", textContent: model.get("button") }));
    const done = model.get("answered");
    answered.replaceChildren(...(done.length ? [make("h3", { textContent: words().answered }), make("ul", {}, ...done.map((text) => make("li", { textContent: text })))] : []));
    // whoever answered by keyboard is at the next question, or at the first answer where something was wrong
    if (used) (wrong.length ? form.querySelector("input") : asked && legend)?.focus?.();
  };
  model.on("change:turn", draw);
  draw();
}

export default { render };
