"""The pages in a real browser: nothing requested, nothing logged, readable everywhere. Small pages, every function."""

from itertools import pairwise
from pathlib import Path

import demo_notebooks as demo
import pytest

from lib.batch.index import write_index
from lib.batch.workers import Outcome
from lib.publish.folder import publish
from lib.show.display import Block, Column, Row, Table
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.browser
WIDE = Table(
    "terms",
    "Events by <term>",
    (Column("Term"), *[Column(f"Grade {g}", "n = 14", "#0072B2") for g in range(1, 13)]),
    (Row(("All terms",), "group"), *[Row((f"Term {i}", *["12 (34%)"] * 12)) for i in range(70)]),
    ("Each patient once.",),
)


def _bundle(shown) -> dict:
    data, metadata = shown._repr_mimebundle_()
    return demo.new_output("display_data", data, metadata=metadata)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A report of two pages whose tables are those of the real notebooks."""
    folder = tmp_path_factory.mktemp("site")
    notice = Block('<p class="banner" role="note">Synthetic.</p><p class="note">A caveat.</p>', "", {})
    executed = {name: demo.executed(name, [_bundle(WIDE), _bundle(notice)]) for name in ("cohort", "efficacy")}
    parameters = {name: {"study": "data/x", "arms": []} for name in executed}
    run = {"command": "python -m lib report", "parameters": parameters, "commit": "unknown"}
    publish(executed, folder, run | {"versions": {"python": "3.11"}})
    _write_batch(folder)
    return folder


def _write_batch(folder) -> None:
    """An index of runs beside the report: two numbers, one that is missing, one run that failed."""
    said = {"endpoint": "os", "group": "C vs A", "statistic": "hr", "self_check": "agrees", "status": "made"}
    outcomes = [
        Outcome("cohort", "rair_dtc", {"level": 0.9}, estimate=0.5, ci_low=0.1, ci_high=2.0, n=52, **said),
        Outcome("efficacy", "rair_dtc", {"level": 0.8}, estimate=None, n=None, **said),
        Outcome("safety", "rair_dtc", {"level": 0.7}, estimate=1.5, ci_low=0.5, ci_high=99.0, n=7, **said),
        Outcome("other", "rair_dtc", {"level": 0.6}, error="</pre><b>no</b>"),
    ]
    study = read_study(ROOT / "data" / "rair_dtc")
    write_index("A plan", outcomes, {outcome.run: study for outcome in outcomes}, str(folder))


@pytest.fixture
def visit(site, visit_file):
    """Open a page of the report by its name."""

    def open_page(name="efficacy.html", **options):
        return visit_file(site / name, **options)

    open_page.seen = visit_file.seen
    return open_page


@pytest.mark.parametrize("name", ["index.html", "cohort.html", "efficacy.html", "batch.html"])
def test_structure(visit, name):
    page = visit(name)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1
    levels = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "hs => hs.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = page.eval_on_selector_all("[id]", "es => es.map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("th:not([scope])").count() == 0
    unnamed = "es => es.filter(e => !(e.getAttribute('aria-label') || '').trim()).length"
    assert page.eval_on_selector_all("svg[role=img], [role=region]", unnamed) == 0


def test_index_of_a_batch_is_sorted_by_the_head_of_a_column(visit):
    """Numbers by value, up and down, with what is missing last; words by the alphabet."""
    page = visit("batch.html")
    heads, first = page.locator(".sortable thead button"), ".sortable tbody th"
    levels = lambda: [text.split()[0] for text in page.locator(first).all_inner_texts()]  # noqa: E731
    assert levels() == ["90", "80", "70", "60"]
    heads.nth(2).click()
    assert levels()[:2] == ["70", "90"]
    assert page.locator("[aria-sort=ascending]").inner_text().startswith("n")
    heads.nth(2).click()
    assert levels()[:2] == ["90", "70"]
    heads.nth(0).click()
    assert levels() == ["60", "70", "80", "90"]
    assert page.locator("[aria-sort]").count() == 1


def test_index_of_a_batch_shows_what_is_asked_for(visit):
    page = visit("batch.html")
    shown = page.locator(".sortable tbody tr:visible th")
    page.get_by_label("Show rows with").fill("os MADE 0.50")
    assert [text.split()[0] for text in shown.all_inner_texts()] == ["90", "70"]
    assert page.get_by_role("status").inner_text() == "2 of 4 rows"
    page.get_by_label("Show rows with").fill("")
    assert shown.count() == 4


def test_navigation_leads_to_every_section_and_page(visit, site):
    page = visit("cohort.html")
    targets = page.eval_on_selector_all(".toc a", "as => as.map(a => a.hash.slice(1))")
    assert len(targets) == 3
    assert all(page.locator(f"[id='{target}']").count() == 1 for target in targets)
    page.locator(".toc a").nth(2).click()
    page.locator(".toc a[aria-current]", has_text="What came out").wait_for()
    page.locator(".pages a", has_text="Efficacy").click()
    assert page.url == (site / "efficacy.html").as_uri()
    assert page.locator(".pages [aria-current=page]").inner_text() == "Efficacy"


def test_code_is_hidden_and_one_click_away(visit):
    page = visit()
    code = page.get_by_text("show(everything)")
    assert not code.is_visible()
    page.locator("details.code summary").first.click()
    assert code.is_visible()
    button = page.get_by_role("button", name="Show all code")
    button.click()
    assert page.locator("details.code:not([open])").count() == 0
    page.get_by_role("button", name="Hide all code").click()
    assert not code.is_visible()


TABBED = "Step\tn\nTreated\t39"


def test_a_table_is_copied_as_text_with_tabs_and_as_a_table(visit):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy Table 1. Counts").click()
    page.get_by_role("button", name="Copied Table 1. Counts").wait_for()
    assert page.get_by_role("status").inner_text() == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == TABBED
    kinds = "navigator.clipboard.read().then(items => items.flatMap(i => i.types))"
    assert set(page.evaluate(kinds)) == {"text/plain", "text/html"}


@pytest.mark.parametrize("old_way", [True, False])
def test_copying_without_permission(visit, old_way):
    """The older way is tried; where that fails too, the table is selected and the reader is told the keys."""
    page = visit()
    page.evaluate("ClipboardItem = undefined")
    if not old_way:
        page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name="Copy Table 1. Counts").click()
    said = page.get_by_role("status")
    page.wait_for_function("document.querySelector('[role=status]').textContent")
    assert said.inner_text() == ("Copied" if old_way else "Selected: press Ctrl+C")
    if not old_way:
        assert "Treated" in page.evaluate("getSelection().toString()")


def test_csv_comes_out_of_the_page_itself(visit, tmp_path):
    page = visit()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of Counts").click()
    assert download.value.suggested_filename == "efficacy_counts.csv"
    assert Path(download.value.path()).read_text("utf-8") == "Step,n\nTreated,39\n"


def test_colours_follow_the_system_or_the_reader(visit):
    page = visit(color_scheme="dark")
    paint = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paint)
    button = page.locator("button.theme")
    assert button.inner_text() == "Colours: auto"
    button.click()
    assert page.evaluate(paint) != dark
    button.click()
    assert (button.inner_text(), page.evaluate(paint)) == ("Colours: dark", dark)
    page.reload()
    assert page.locator("button.theme").inner_text() == "Colours: dark"


def test_contents_are_in_reach_on_a_narrow_screen(visit):
    page = visit(viewport={"width": 360, "height": 700})
    assert not page.locator(".toc").is_visible()
    page.evaluate("scrollTo(0, 5000)")
    page.get_by_text("On this page").click()
    page.locator(".toc a", has_text="What came out").click()
    assert not page.locator(".toc").is_visible()
    top = page.locator("h2", has_text="What came out").evaluate("h => h.getBoundingClientRect().top")
    bar = page.locator(".side").evaluate("n => n.getBoundingClientRect().bottom")
    assert bar <= top or page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 2")


def test_keyboard_reaches_the_content_first(visit):
    page = visit()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_readable_without_scripts(visit):
    page = visit(java_script_enabled=False)
    assert page.get_by_text("Text with words.").is_visible()
    assert page.locator("table.ct").first.is_visible()
    assert page.locator("svg[role=img]").first.is_visible()
    assert page.locator(".toc").is_visible()
    page.locator("details.code summary").first.click()
    assert page.get_by_text("show(everything)").is_visible()


@pytest.mark.parametrize("width", [360, 768, 1366])
def test_page_never_scrolls_sideways(visit, width):
    for name in ("efficacy.html", "index.html"):
        page = visit(name, viewport={"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page = visit(viewport={"width": 360, "height": 800})
    assert page.locator(".scroll").last.evaluate("e => e.scrollWidth > e.clientWidth")


def test_what_is_wider_than_a_phone_says_so_and_keeps_its_first_column(visit):
    """A figure keeps letters that can be read, in a box of its own; nothing is said where nothing moves."""
    cue = "(e) => getComputedStyle(e, '::after').display !== 'none'"
    page = visit(viewport={"width": 390, "height": 844})
    figure = page.locator(".paper").first
    assert figure.evaluate("e => e.scrollWidth > e.clientWidth") == figure.evaluate(cue)
    table = page.locator(".scroll").last
    assert table.evaluate(cue)
    assert table.locator("caption").evaluate("e => e.getBoundingClientRect().right <= innerWidth")
    name = table.locator("tbody th[scope=row]").first
    before = name.bounding_box()["x"]
    table.evaluate("e => (e.scrollLeft = 200)")
    assert name.bounding_box()["x"] == pytest.approx(before, abs=1)
    assert table.evaluate("e => e.scrollLeft") > 0
    page = visit(viewport={"width": 1366, "height": 768})
    assert not any(part.evaluate(cue) for part in page.locator(".paper, .scroll").all() if part.evaluate("e => e.scrollWidth <= e.clientWidth"))


# Every element that holds text of its own, with the ratio of its colour to the first opaque background behind it.
CONTRAST = """() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => rgb(c).slice(0, 3).map(part).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const paint = (e) => getComputedStyle(e).backgroundColor;
  const behind = (e) => (e.parentElement && rgb(paint(e))[3] === 0 ? behind(e.parentElement) : paint(e));
  const spoken = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('body *:not(svg *):not(script)')].filter(spoken).map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    return [`${e.tagName}.${e.className}`, (a + 0.05) / (b + 0.05)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "efficacy.html"])
def test_contrast(visit, scheme, name):
    """Source: WCAG 2.2, success criterion 1.4.3 (ratio of at least 4.5)."""
    page = visit(name, color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    page.eval_on_selector_all("details", "ds => ds.forEach(d => d.open = true)")
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 20
    assert [(name, ratio) for name, ratio in ratios if ratio < 4.5] == []


def test_print(visit, tmp_path):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator("nav.side").is_visible()
    assert not page.locator("details.code").first.is_visible()
    assert page.locator("thead").last.evaluate("e => getComputedStyle(e).display") == "table-header-group"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") > 1
    # A4 in points, to the nearest.
    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf


def test_content_cannot_run_a_script(visit):
    """The page's policy refuses a script even where escaping should fail, and says so in the console."""
    page = visit()
    script = "Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'})"
    page.evaluate(f"document.body.append({script})")
    assert page.evaluate("window.ran ?? null") is None
    assert "Content Security Policy" in visit.seen.pop()
