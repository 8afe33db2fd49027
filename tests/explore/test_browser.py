"""The interactive page in a real browser, in JupyterLab and as a page for a ward: choose, look closer, save, open."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from notebook_cells import EVERY, each_week
from ruamel.yaml import YAML
from servers import TOKEN, serve

from lib.analyses.efficacy import survival
from lib.analyses.safety import events
from lib.dataset import dataset
from lib.report.page import Page
from lib.run.taking_in import take_in
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.browser
SECONDS = 1000  # in milliseconds
PAGE = ".cohort-results svg[role=img]"


@pytest.fixture(scope="module")
def ward(browser, tmp_path_factory):
    with serve("explore", tmp_path_factory.mktemp("ward")) as server:
        yield server


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    with serve("lab", tmp_path_factory.mktemp("lab"), "--no-browser") as server:
        yield server


@pytest.fixture
def visit(browser):
    """Open a page; afterwards nothing may have been asked of another server, and no script may have failed."""
    outside, contexts = [], []

    def open_page(server, path, **options):
        context = browser.new_context(**({"viewport": {"width": 1366, "height": 900}} | options))
        contexts.append(context)
        own = (server.address, server.address.replace("http", "ws"), "data:", "blob:")
        context.on("request", lambda request: None if request.url.startswith(own) else outside.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: outside.append(str(error)))
        page.set_default_timeout(60 * SECONDS)
        page.goto(f"{server.address}{path}{'&' if '?' in path else '?'}token={TOKEN}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert outside == []


@pytest.fixture
def page(visit, ward):
    """The page for a ward, drawn."""
    page = visit(ward, "/")
    page.wait_for_selector(PAGE)
    return page


def settled(page):
    page.wait_for_selector(".cohort-results[aria-busy=false]")
    return page


def table(page) -> str:
    return page.locator("#table-os_by_arm").inner_text()


def test_choose_save_and_open(page, ward):
    """From a choice to a saved report whose numbers are those that the page showed."""
    before = page.locator(PAGE).get_attribute("aria-label")
    page.get_by_label("Endpoint").select_option(label="Overall survival")
    page.locator("#table-os_by_arm").wait_for()
    assert page.locator(PAGE).get_attribute("aria-label") != before
    page.get_by_role("checkbox", name="Iodine-125 seeds").uncheck()
    page.locator("#table-os_by_arm th", has_text="Iodine").wait_for(state="detached")
    shown = table(settled(page))

    page.get_by_label("Name of the report").fill("from-the-form")
    page.get_by_role("button", name="Save as report").click()
    page.locator(".cohort-save .progress").wait_for()
    link = page.get_by_role("link", name="Efficacy")
    link.wait_for(timeout=240 * SECONDS)
    given = YAML(typ="safe").load(ward.outputs / "rair_dtc" / "from-the-form.yml")
    assert given == {"study": "data/rair_dtc", "arms": ["A", "C"], "endpoint": "os"}
    same_numbers(ward.outputs / "rair_dtc" / "from-the-form", given)

    with page.context.expect_page() as opened:
        link.click()
    report_page = opened.value
    report_page.wait_for_load_state()
    report_page.eval_on_selector_all("details.more", "ds => ds.forEach(d => d.open = true)")
    told = report_page.locator("#table-os_by_arm").inner_text()
    words = [line.split("\t")[1:] for line in shown.splitlines() if line.startswith(("Events", "Median"))]
    assert words
    assert [word for line in words for word in line if word not in told] == []
    report_page.get_by_role("link", name="Safety").first.click()
    report_page.wait_for_url("**/safety.html")
    assert report_page.locator("h1").inner_text() == "Safety"


def same_numbers(folder: Path, given: dict):
    """results.csv of the headless run against what the form's functions give for the same parameters."""
    saved = pd.read_csv(folder / "results.csv").fillna({"time": -1.0, "variable": ""})
    keys = ["report", "output", "variable", "group", "time", "statistic"]
    saved = saved.set_index(keys)["value"]
    for name, analyse in (
        ("efficacy", lambda d: survival.analyse(d, d.study.endpoint("os"))),
        ("safety", events.analyse),
    ):
        own = given if name == "efficacy" else {k: v for k, v in given.items() if k != "endpoint"}
        page = Page(name, dataset.load(name, **own))
        page.record(analyse(page.data))
        explored = page.results.fillna({"time": -1.0}).set_index(keys)["value"].astype(float)
        pd.testing.assert_series_equal(explored, saved.loc[explored.index], rtol=1e-12)
    run = json.loads((folder / "run.json").read_text("utf-8"))
    assert run["parameters"]["efficacy"]["arms"] == ["A", "C"]


def test_look_closer_by_keyboard_and_pointer(page):
    figure = page.get_by_role("group", name=re.compile("Arrow keys"))
    figure.focus()
    page.keyboard.press("ArrowRight")
    tip = page.locator(".tip")
    assert "at risk" in tip.inner_text()
    first = tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() != first
    page.keyboard.press("Enter")
    closer = page.get_by_role("region", name="A closer look")
    assert "at risk" in closer.inner_text()

    page.get_by_role("tab", name="Each patient").click()
    bar = page.locator("[id^='waterfall-SYN']").first
    bar.wait_for()
    settled(page)
    patient = bar.get_attribute("id").removeprefix("waterfall-")
    bar.hover(force=True)
    assert page.locator(".tip").inner_text().startswith(patient)
    bar.click(force=True)
    profile = closer.get_by_role("figure").filter(has_text=f"Patient {patient}, ")
    profile.get_by_role("img", name=re.compile("^Treatment, response")).wait_for()
    beside = page.locator(".closer").bounding_box()["x"] > page.locator(".panel").bounding_box()["x"] + 300
    assert beside


def test_shared_pages_hold_no_patient(page):
    page.get_by_label("Audience").select_option(label="Shared: small cells masked, no single patients")
    page.get_by_text("Shared report: counts of 1 to 4 patients").wait_for()
    for name in ("Each patient", "Adverse events", "Survival"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(600)
        settled(page)
        assert "SYN-" not in page.content()


def test_a_wrong_choice_gives_a_sentence(page):
    times = page.get_by_label("Curves read off at")
    times.fill("a year")
    times.press("Enter")
    page.get_by_role("alert").get_by_text("numbers with commas between them").wait_for()
    assert "Traceback" not in page.content()
    times.fill("24")
    times.press("Enter")
    page.wait_for_selector(PAGE)
    assert page.locator(".problems").inner_text() == ""


def test_a_phone_shows_everything_below_each_other(visit, ward):
    page = visit(ward, "/", viewport={"width": 360, "height": 800})
    page.wait_for_selector(PAGE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    results, form = (page.locator(part).bounding_box()["y"] for part in (".cohort-results", ".cohort-form >> nth=0"))
    assert results < form, "who opens the page sees the answer first"


def test_accessible(page):
    """Source: axe-core's rules for WCAG 2.2 A and AA, on what this page adds to Voila's own frame."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    found = Axe().run(page, context=".cohort-page", options=rules).response["violations"]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found] == []


def quiet(server) -> bool:
    """Whether the notebook has found its one kernel: JupyterLab may first connect to another and let it go."""
    status, _, body = server.get(f"/api/kernels?token={TOKEN}")  # 404 if one goes while they are listed
    return status == 200 and [(kernel["execution_state"], kernel["connections"]) for kernel in json.loads(body)] == [("idle", 1)]


def run_all(page, server):
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    seen = 0
    for _ in range(120):
        seen = seen + 1 if quiet(server) else 0
        if seen == 4:
            break
        page.wait_for_timeout(500)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_explore_in_jupyterlab(visit, lab):
    page = visit(lab, "/lab/tree/lab/explore.ipynb")
    run_all(page, lab)
    page.wait_for_selector(PAGE)
    page.get_by_label("Endpoint").select_option(label="Overall survival")
    page.locator("#table-os_by_arm").wait_for()
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_jupyterlab_shows_outputs_as_the_pages_do(visit, lab):
    """A table with its three rules, notes that are small, a banner on its ground: by the style of the pages."""
    from nbformat import read, v4, write  # noqa: PLC0415

    text = "<p class='banner'>Synthetic</p><figure class='tablefig'><div class='scroll'><table class='ct'><caption>C</caption><thead><tr><th>Arm</th></tr></thead>"
    text += "<tbody><tr><th scope='row'>A</th></tr></tbody></table></div><figcaption class='notes'><p>Note</p></figcaption></figure>"
    path = lab.outputs / "lab" / "shown.ipynb"
    notebook = read(lab.outputs / "lab" / "cohort.ipynb", as_version=4)
    notebook.cells = [v4.new_code_cell("1", outputs=[v4.new_output("display_data", {"text/html": text})])]
    write(notebook, path)
    page = visit(lab, "/lab/tree/lab/shown.ipynb?reset")
    page.locator("table.ct").wait_for()
    # JupyterLab that is ended while a kernel starts hangs.
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    def style(part):
        return page.locator(part).evaluate("e => { const s = getComputedStyle(e); return [s.backgroundColor, s.borderBottomWidth, s.fontSize, s.fontWeight]; }")

    assert style("p.banner")[0] == "rgb(253, 244, 225)"
    assert style("table.ct")[1] in ("1px", "1.5px"), "a browser rounds a line to whole pixels of the screen"
    assert style("table.ct tbody th")[0] == "rgb(255, 255, 255)"
    assert style("figcaption.notes")[2:] == ["13px", "400"]
    path.unlink()


@pytest.mark.parametrize("name", each_week(EVERY, ["safety", "explore"]))
def test_every_notebook_runs_from_top_to_bottom(lab, name):
    """Run All on the copy that JupyterLab opens: no error, no warning, by the kernel that JupyterLab would start."""
    import nbformat  # noqa: PLC0415
    from nbclient import NotebookClient  # noqa: PLC0415

    folder = lab.outputs / "lab"
    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    executed = NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    said = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert [output for output in said if output.output_type == "error" or output.get("name") == "stderr"] == []
    assert ROOT not in folder.parents


def test_what_a_study_leaves_open_is_answered_in_jupyterlab(visit, lab, tmp_path):
    """The study's folder asks one question; answered in the notebook, the page goes on to the results."""
    rows = "".join(f"P{i:02d},{'AB'[i % 2]},{40 + i},{37 * i + 5},{i % 3}\n" for i in range(1, 25))
    (tmp_path / "my.csv").write_text(f"id,arm,age,os_days,status\n{rows.replace(',2', ',1')}")
    take_in(tmp_path / "my", (tmp_path / "my.csv",)).write()
    copy = lab.outputs / "lab" / "explore.ipynb"
    before = copy.read_text("utf-8")
    copy.write_text(before.replace("data/rair_dtc", (tmp_path / "my").as_posix()), "utf-8")
    try:
        page = visit(lab, "/lab/tree/lab/explore.ipynb")
        run_all(page, lab)
        page.get_by_role("radio").first.wait_for()
        page.get_by_role("radio", name="16 of 24 patients have the event").check()
        page.get_by_role("button", name="Answer").click()
        page.wait_for_selector(PAGE)
    finally:
        copy.write_text(before, "utf-8")
    assert read_study(tmp_path / "my").endpoints[0].event.event == "1"
