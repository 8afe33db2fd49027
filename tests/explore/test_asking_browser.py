"""The form of open questions in a real browser: its script as the page loads it, the kernel's side as the test says."""

import pytest

from lib.explore.view import HERE

pytestmark = pytest.mark.browser

STATE = {
    "says": "my.csv does not say everything that decides a result: 1 question is open.", "answered": ["unit of time: days"],
    "question": "Which value of <b>status</b> means that the event happened?", "problems": [], "button": "Answer", "turn": 1,
    "options": [["1", "16 of 24 patients have the event, 8 are censored"], ["2", "8 of 24 patients have the event, 16 are censored"]],
}  # fmt: skip
PAGE = """<!doctype html><html lang="en"><title>Form</title><style>%s</style><main class="cohort-page"><div id="form"></div></main>"""
# What a widget's script knows of the kernel: values, and who listens when they change.
MODEL = """([script, state]) => import(URL.createObjectURL(new Blob([script], {type: "text/javascript"}))).then(({default: {render}}) => {
  const heard = {}; window.sent = []; window.reached = [];
  document.addEventListener("keydown", (event) => window.reached.push(event.key));
  const model = { get: (name) => state[name], set: (name, value) => { state[name] = value; },
    save_changes: () => window.sent.push(structuredClone(state.given)), on: (name, call) => { heard[name] = call; } };
  window.say = (changed) => { Object.assign(state, changed); state.turn += 1; heard["change:turn"](); };
  render({ model, el: document.getElementById("form") });
})"""


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.set_content(PAGE % (HERE / "view.css").read_text("utf-8"))
    page.evaluate(MODEL, [(HERE / "ask.js").read_text("utf-8"), STATE])
    yield page
    context.close()


def test_answered_by_keyboard_alone(page):
    """Nothing is chosen before, nothing sent twice, and no key goes on to the notebook around the form."""
    assert page.get_by_role("radio", checked=True).count() == 0
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("radio", name=" ".join(STATE["options"][1]), checked=True).count() == 1
    assert page.evaluate("window.sent") == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.evaluate("window.sent") == [{"turn": 1, "choice": 1}]
    assert page.evaluate("window.reached") == ["Tab"], "the one before anything of the form had the focus"
    page.evaluate("window.say({question: 'Another?', options: [['yes', ''], ['no', '']]})")
    assert page.evaluate("document.activeElement.textContent") == "Another?"
    assert page.get_by_role("radio", checked=True).count() == 0


def test_without_a_choice_the_kernel_says_so_and_the_first_answer_is_at_hand(page):
    page.get_by_role("button", name="Answer").click()
    assert page.evaluate("window.sent") == [{"turn": 1, "choice": -1}]
    page.evaluate("window.say({problems: ['Choose one of the answers first.']})")
    assert page.get_by_role("alert").inner_text() == "Choose one of the answers first."
    assert page.evaluate("document.activeElement.value") == "0"
    page.get_by_text("8 of 24 patients have the event, 16").click()
    page.get_by_role("button", name="Answer").click()
    assert page.evaluate("window.sent.at(-1)") == {"turn": 2, "choice": 1}


def test_labels_for_a_screen_reader_and_room_on_a_phone(page):
    """Source: axe-core's rules for WCAG 2.2 A and AA. What comes from a file is text."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    assert page.get_by_role("group", name=STATE["question"]).count() == 1
    page.evaluate("window.say({problems: ['No ' + 'x'.repeat(90)], options: [['y'.repeat(90), 'z'.repeat(200)], ['2', '']]})")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = Axe().run(page, context=".cohort-page", options=rules).response["violations"]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found] == []
