"""What the browser may not set, the page does not take from it."""

import pytest

from lib.explore import page as explore_page
from lib.explore import saving
from lib.explore.view import Pictures
from lib.study.parameters import Efficacy

pytestmark = pytest.mark.notebook


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    yield explore_page.start({"study": "data/rair_dtc"})
    explore_page.w.Widget.on_widget_constructed(None)


def says(widget, **state):
    """What a script in the browser may send to a widget."""
    widget._handle_msg({"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []})


def press(button, event="click"):
    button._handle_msg({"content": {"data": {"method": "custom", "content": {"event": event}}}, "buffers": []})


def test_what_a_form_asks_for_is_taken(page):
    says(page.form._endpoint, index=1)
    says(page.form._arms["B"], value=False)
    says(page.form._landmarks, value="6, 18")
    says(page.form._scepticism, index=2)
    says(page.view, tab=1)
    assert page.form.parameters() == {"arms": ["A", "C"], "endpoint": page.form.study.endpoints[1].id, "landmarks": [6.0, 18.0], "scepticism": 0.01}
    assert page.view.tab == 1


@pytest.mark.parametrize(
    ("widget", "name", "value"),
    [
        (lambda p: p.view, "blocks", [{"html": "<b>mine</b>"}]), (lambda p: p.view, "problems", ["x"]), (lambda p: p.view, "tabs", ["x"]),
        (lambda p: p.view, "profile", {"html": "x"}), (lambda p: p.view, "busy", True), (lambda p: p.view, "_esm", "/etc/passwd"),
        (lambda p: p.saver.said, "value", "<b>Saved</b>"), (lambda p: p.saver.bar, "value", 1), (lambda p: p.saver.button, "disabled", True),
        (lambda p: p.saver.button, "description", "x"), (lambda p: p.form._endpoint, "_options_labels", ["x"]),
        (lambda p: p.form._endpoint, "disabled", True), (lambda p: p.form._cutoff, "max", None), (lambda p: p.form.box, "children", []),
        (lambda p: p.saver.name, "disabled", True), (lambda p: p.saver.button.layout, "display", "none"),
    ],
)  # fmt: skip
def test_nothing_else_is_taken(page, widget, name, value):
    found = widget(page)
    before = getattr(found, name)
    says(found, **{name: value})
    assert getattr(found, name) == before


def test_a_disabled_button_stays_so_and_is_not_heard(page, monkeypatch):
    saved = []
    page.saver.button.on_click(lambda _: saved.append(1))
    monkeypatch.setattr(page.saver, "_chosen", lambda: ("data/rair_dtc", {}))
    monkeypatch.setattr(saving, "make_report", lambda file, progress: saved.append(file))
    page.saver.button.disabled = True
    says(page.saver.button, disabled=False)
    press(page.saver.button)
    assert saved == []
    page.saver.button.disabled, page.saver.name.disabled = False, True
    says(page.saver.name, value="theirs")
    press(page.saver.button, "clack")
    assert (page.saver.name.value, saved) == ("explored", [])
    press(page.saver.button)
    assert 1 in saved


def test_a_picture_is_good_for_every_choice_that_it_did_not_read():
    pictures, drawn = Pictures(2), []

    def of(place, **given):
        parameters = Efficacy(**given)

        def draw():
            drawn.append(given)
            return parameters.level, parameters.endpoint if parameters.level < 0.9 else ""

        return pictures.find((place,), parameters, draw)

    assert of("a", endpoint="os") == of("a", endpoint="pfs") == of("a", landmarks=[3]) == (0.95, "")
    assert of("a", level=0.8, endpoint="os") != of("a", level=0.8, endpoint="pfs")
    assert len(drawn) == 3, "the endpoint was read there"
    others = Pictures(2)
    others.take(pictures)
    assert of("a", level=0.8, endpoint="os") == (0.8, "os") and len(drawn) == 3
    assert of("b")[0] == 0.95 and of("a", level=0.8, endpoint="pfs") and len(drawn) == 5, "what was not looked at for longest gave way"
    pictures.clear()
    assert of("b") and len(drawn) == 6
    assert others.find(("a",), Efficacy(level=0.8, endpoint="pfs"), list) == (0.8, "pfs"), "they are their own"
