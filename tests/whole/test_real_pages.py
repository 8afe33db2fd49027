"""The real pages of both studies: accessible, complete, printable, and the same bytes wherever they are made."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from notebook_cells import each_week
from pypdf import PdfReader

PAGES = ("index.html", "cohort.html", "efficacy.html", "robustness.html", "models.html", "safety.html")
EVERY = [(study, page) for study in ("rair_dtc", "colon") for page in PAGES]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Secondary tables and figures; what a manuscript would say under a figure.
FOLDS = ("more", "legend")
# Of an A4 page, in CSS pixels, what lies between the margins of report.css.
A4 = {"width": round((210 - 2 * 17) / 25.4 * 96), "height": round((297 - 38) / 25.4 * 96)}

pytestmark = pytest.mark.notebook
every_page = pytest.mark.parametrize(("study", "name"), EVERY)
browser_test = pytest.mark.browser


@pytest.fixture
def visit(real_reports, visit_file):
    """Open a page of a study's report."""
    return lambda study, name, **options: visit_file(real_reports[study] / name, **options)


def unfold(page, kind: str = ""):
    """Open what is folded: everything, or only what has this class."""
    page.eval_on_selector_all(f"details{kind}", "ds => ds.forEach(d => d.open = true)")


@browser_test
@pytest.mark.parametrize(("study", "name"), each_week(EVERY, [*EVERY[: len(PAGES)], ("colon", "index.html"), ("colon", "efficacy.html")]))
def test_accessible(visit, study, name):
    """WCAG 2.2 AA and axe's best practice; in the dark the colours again, on a narrow screen what is reached how.

    What is drawn inside a figure is left out: its words are its description; and of long tables the later rows.
    """
    page = visit(study, name)
    unfold(page)
    looks = [
        ("light", 1366, WCAG),
        ("dark", 1366, ["color-contrast"]),
        ("light", 360, ["scrollable-region-focusable", "target-size"]),
    ]
    for scheme, width, rules in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        left_out = {"exclude": [["svg > *"], ["tbody tr:nth-child(n+8)"]]}
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        found = Axe().run(page, context=left_out, options=options).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []


@browser_test
@every_page
def test_structure(visit, study, name):
    page = visit(study, name)
    assert page.locator("html").get_attribute("lang") == "en"
    levels = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "hs => hs.map(h => Number(h.tagName[1]))")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.locator("th:not([scope])").count() == 0
    said = page.eval_on_selector_all("svg[role=img]", "ss => ss.map(s => s.getAttribute('aria-label'))")
    assert all(len(text) > 40 and re.search(r"\d", text) for text in said)


@browser_test
@every_page
@pytest.mark.parametrize("width", [320, 360, 640])
def test_page_never_scrolls_sideways(visit, study, name, width):
    """320 is a laptop's 1280 at 400 % (WCAG 1.4.10), 640 the same at 200 %."""
    page = visit(study, name, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@every_page
def test_every_link_leads_somewhere(real_reports, study, name):
    folder = real_reports[study]
    text = (folder / name).read_text("utf-8")
    for link in set(re.findall(r'<a [^>]*href="([^"]+)"', text)):
        address = urlsplit(link)
        if address.scheme in ("data", "https"):
            continue
        target = folder / unquote(address.path) if address.path else folder / name
        assert target.is_file(), link
        if address.fragment:
            assert f'id="{unquote(address.fragment)}"' in target.read_text("utf-8"), link


@pytest.mark.parametrize("study", ["rair_dtc", "colon"])
def test_overview_links_every_file_and_says_what_was_found(real_reports, study):
    folder = real_reports[study]
    text = (folder / "index.html").read_text("utf-8")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - {"index.html"} <= set(re.findall(r'href="([^"]+)"', text))
    run = json.loads((folder / "run.json").read_text("utf-8"))
    assert run["command"] == f"python -m lib report --study data/{study}"
    assert run["command"] in text
    assert "Self-check:" in text
    assert "Published and reproduced:" in text
    assert 'href="queries.xlsx"' in text
    assert all(size < 2e6 for size in (path.stat().st_size for path in folder.glob("*.html")))


@browser_test
@pytest.mark.parametrize("name", PAGES[1:])
def test_every_table_copies_what_its_csv_holds(visit, real_reports, name):
    page = visit("rair_dtc", name)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    unfold(page)
    buttons = page.locator("button.copy")
    links = page.locator(".tools a[download]")
    assert buttons.count() == links.count() > 0
    for i in range(buttons.count()):
        buttons.nth(i).click()
        page.wait_for_function(
            "i => document.querySelectorAll('button.copy')[i].textContent.startsWith('Copied')", arg=i
        )
        lines = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").splitlines()]
        data = links.nth(i).evaluate("a => atob(a.href.split(',')[1])").encode("latin-1").decode("utf-8")
        rows = [[" ".join(cell.split()) for cell in row] for row in csv.reader(io.StringIO(data))]
        unquoted = [[re.sub(r"^'(?=[-=+@])", "", cell) for cell in row] for row in rows]
        assert [[" ".join(cell.split()) for cell in line] for line in lines] == unquoted


@browser_test
def test_keyboard_alone(visit):
    """The first stop skips the navigation; every stop is seen, and there is a way to every table's numbers.

    Every fold is a stop, and Enter opens it: what it holds comes next.
    """
    page = visit("colon", "cohort.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    outline = "e => [e.tagName, getComputedStyle(e).outlineStyle, parseFloat(getComputedStyle(e).outlineWidth)]"
    stops = []
    for _ in range(300):
        stop = page.evaluate_handle("document.activeElement")
        name, style, width = stop.evaluate(outline)
        if name == "BODY":
            break
        stops.append(
            stop.evaluate("e => e.tagName === 'SUMMARY' ? e.parentElement.className : e.className || e.tagName")
        )
        assert style != "none", stops[-1]
        assert width >= 2, stops[-1]
        if stops[-1] in FOLDS:
            page.keyboard.press("Enter")
            assert stop.evaluate("e => e.parentElement.open")
        page.keyboard.press("Tab")
    assert stops.count("copy") == page.locator("button.copy").count() > 0
    assert stops.count("scroll") == page.locator(".scroll").count() > 0
    for kind in FOLDS:
        assert stops.count(kind) == page.locator(f"details.{kind}").count() > 0, kind


@browser_test
@pytest.mark.parametrize(
    ("study", "name", "most"),
    [
        ("rair_dtc", "efficacy.html", 45),
        ("rair_dtc", "safety.html", 36),
        ("rair_dtc", "cohort.html", 22),
        ("colon", "index.html", 8),
    ],
)
def test_print(visit, study, name, most):
    """On A4: nothing is cut off, no page is empty, heads are repeated, the number of pages is sane.

    What the reader has unfolded is printed too; what is folded is not.
    """
    page = visit(study, name, viewport=A4)
    page.emulate_media(media="print")
    page.wait_for_timeout(100)
    cut = "es => es.filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))"
    assert page.eval_on_selector_all("main *:not(svg *, .hidden)", cut) == []
    document = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert 1 < len(document.pages) <= most
    texts = [sheet.extract_text() for sheet in document.pages]
    assert all(len(text) > 60 for text in texts)
    assert all(abs(float(sheet.mediabox.width) - 595) < 2 for sheet in document.pages)
    assert all(f"{number} / {len(texts)}" in text for number, text in enumerate(texts, 1))
    unfold(page, ".more")
    assert page.eval_on_selector_all("main *:not(svg *, .hidden)", cut) == []
    if name == "safety.html":
        unfolded = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        assert len(texts) < len(unfolded.pages) <= most
        texts = [sheet.extract_text() for sheet in unfolded.pages]
        assert sum("Related" in text and "Serious" in text for text in texts) > 2, "a head is repeated on every page"


@browser_test
@every_page
def test_readable_without_scripts(visit, study, name):
    """What is not folded is seen at once; what is folded, once its fold is clicked."""
    page = visit(study, name, java_script_enabled=False)
    assert page.locator("h1").is_visible()
    assert page.locator(".toc").is_visible()
    shown = (".paper svg", "table.ct")
    for part in shown:
        assert page.locator(f"{part}:not(.more *)").count() == page.locator(f"{part}:visible").count(), part
    folds = page.locator("details:is(.more, .legend) > summary")
    for i in range(folds.count()):  # an outer one before those in it
        folds.nth(i).click()
    for part in (*shown, ".legend p", ".more :is(p, dl, table)"):
        assert page.locator(part).count() == page.locator(f"{part}:visible").count(), part
    if name != "index.html":
        page.locator("details.code summary").first.click()
        assert page.locator("details.code pre").first.is_visible()


@browser_test
def test_figures_can_be_read_in_the_dark(visit):
    """The colours of a figure are chosen for white paper: it keeps it, and its letters stay dark."""
    page = visit("rair_dtc", "efficacy.html", color_scheme="dark")
    papers = page.eval_on_selector_all(".paper", "ps => ps.map(p => getComputedStyle(p).backgroundColor)")
    assert papers
    assert set(papers) == {"rgb(255, 255, 255)"}


SHIFTED = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#define SHIFT (400L * 86400 + 7 * 3600)
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, at);
    if (id == CLOCK_REALTIME) at->tv_sec += SHIFT;
    return done;
}
time_t time(time_t *to) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (to) *to = at.tv_sec;
    return at.tv_sec;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


@pytest.fixture(scope="session")
def another_day(tmp_path_factory) -> dict:
    """Variables under which every process believes it is 400 days later; none where there is no C compiler."""
    folder = tmp_path_factory.mktemp("clock")
    compiler = shutil.which("cc")
    if not compiler or not shutil.which("ldd"):
        assert not os.environ.get("CI"), "no C compiler, and under CI another day has to be tried"
        return {}
    (folder / "clock.c").write_text(SHIFTED)
    library = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / "clock.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def _contents(folder) -> dict[str, bytes]:
    """Every file, except the line of run.json that says when."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    lines = files["run.json"].splitlines()
    assert sum(b'"created"' in line for line in lines) == 1
    files["run.json"] = b"\n".join(line for line in lines if b'"created"' not in line)
    return files


# What a home may hold: settings of pictures, code that IPython runs first, and a kernel under the name of ours.
HOME = {
    ".config/matplotlib/matplotlibrc": "figure.facecolor: yellow\nlines.linewidth: 9\n",
    ".ipython/profile_default/startup/00.py": "import seaborn, scipy.stats\nseaborn.set_theme()\nscipy.stats.norm.ppf = lambda *a, **k: 0.0\n",
    ".ipython/profile_default/ipython_config.py": "c = get_config()\nc.InteractiveShellApp.exec_lines = ['raise SystemExit']\n",
    ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "Mine", "language": "python"}',
}


def test_same_bytes_on_another_day_elsewhere_for_somebody_else(real_reports, make_report, another_day, tmp_path):
    """The whole folder: another day, path, home, user, language, time zone, one notebook at a time; nothing in the home."""
    home = tmp_path / "home"
    for name, text in HOME.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, "utf-8")
    changed = {
        "HOME": str(home),
        "USER": "somebody",
        "LOGNAME": "somebody",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
    }
    changed |= {"PYTHONHASHSEED": "7", "COLUMNS": "40"} | another_day
    again = make_report("rair_dtc", "else where/ré pository", "--jobs", "1", environment=changed)
    first, second = real_reports["rair_dtc"], again
    created = [json.loads((folder / "run.json").read_text("utf-8"))["created"] for folder in (first, second)]
    assert not another_day or created[1][:4] > created[0][:4]
    before, after = _contents(first), _contents(second)
    assert set(before) == set(after)
    assert [name for name in before if before[name] != after[name]] == []
    assert {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()} == set(HOME)
    if not another_day:
        pytest.skip("the same bytes, but on the same day: without a C compiler no other could be pretended")
