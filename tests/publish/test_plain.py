"""The page for patients: numbers of results.csv, in words that they use, for every case; seen in a browser."""

import csv
import io
import json
import re
from functools import cache

import lxml.html
import pytest
from axe_playwright_python.sync_playwright import Axe
from designed_studies import write_case
from golden import compare
from pypdf import PdfReader
from quick_pages import LONG, quick, six_arms
from random_study import Design, write_random
from readability import grade, syllables

from lib.publish.folder import publish, read_report
from lib.publish.plain import plain_page

pytestmark = pytest.mark.thorough

RAIR = "data/rair_dtc"
PAGES = ("efficacy", "safety")
# Of the designed studies those that read differently.
CASES = ("three_arms", "one_arm", "withheld", "one_arm_without_event", "no_event", "competing", "randomised", "confounded", "not_apart", "not_reached")
JARGON = r"(?i)hazard|p-value|\bp [=<>]|confidence|\bCI\b|log-rank|Kaplan|median|cohort|randomi[sz]|endpoint|adverse|censor|\bnan\b|significan|efficacy|%"
TRIED = ("rair_dtc", "share", "one", "colon", "six", "clinic", *CASES)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Reports by name."""
    root = tmp_path_factory.mktemp("studies")

    @cache
    def make(name):
        folder, given = RAIR, {}
        match name:
            case "share":
                given = {"audience": "share"}
            case "one":
                given = {"arms": ["A"]}
            case "colon":
                folder = "data/colon"
            case "six" | "six_long":
                folder = six_arms(root / name, LONG if name == "six_long" else ())
            case "clinic":
                folder = write_random(root / name, Design((34, 31), seed=7, hazard=0.04))
            case _ if name != "rair_dtc":
                folder = write_case(root / name, name)
        return [read_report(page, notebook) for page, notebook in quick(folder, PAGES, **given).items()]

    return make


@pytest.fixture(scope="module")
def page(reports):
    """The page of each, as text of HTML."""
    return cache(lambda name: plain_page(reports(name), any(report.header["synthetic"] for report in reports(name))))


def blocks(html):
    """What is read, a text per paragraph, heading, item and row."""
    main = lxml.html.fromstring(html).find(".//main")
    parts = [part for part in main.iter("h1", "h2", "h3", "p", "li", "tr") if not part.xpath("ancestor::li")]
    return [text for part in parts if (text := " ".join(" ".join(part.itertext()).split()))]


def sentences(html):
    """Sentences of the text; no numbers of the groups, no table, no title of the study."""
    main = lxml.html.fromstring(html).find(".//main")
    for part in main.xpath(".//table|.//ul[@class='counted' or @class='groups']|.//p[@class='lead' or @class='key']|.//section[last()]"):
        part.drop_tree()
    texts = [" ".join(part.text_content().split()) for part in main.iter("h1", "h2", "p", "li")]
    return [sentence for text in texts for sentence in re.split(r"(?<=[.?!])\s+", text)]


def results(reports):
    """results.csv: the statistics of a place."""
    rows = [dict(zip(header, row, strict=True)) for report in reports for header, *body in [_rows(report)] for row in body]
    found = {}
    for row in rows:
        if row["value"]:
            place = row["output"], row["variable"], row["group"], row["time"]
            found.setdefault(place, {})[row["statistic"]] = float(row["value"])
    return found


def _rows(report):
    (text,) = [o.metadata["cohort_report"]["csv"] for cell in report.notebook.cells for o in cell.outputs if o.get("metadata", {}).get("cohort_report", {}).get("kind") == "results"]
    return list(csv.reader(io.StringIO(text)))


def groups(html, title):
    """Name -> words and pictures of each group below a heading."""
    (head,) = lxml.html.fromstring(html).xpath(f".//h3[.='{title}']")
    items = head.xpath("../ul[@class='counted']/li")
    return {item.xpath("string(./strong)"): " ".join(item.xpath("string(./text()[normalize-space()][1])").split()) for item in items}


def drawn(html, title):
    """Figures of each group below a heading: filled, empty, dashed."""
    (head,) = lxml.html.fromstring(html).xpath(f".//h3[.='{title}']")
    return [[len(svg.xpath(f".//*[@class='{kind}']")) for kind in ("happened", "free", "unknown")] for svg in head.xpath("../ul//svg")]


def test_small_groups_are_counted_as_they_are(page, reports):
    found, title = results(reports("rair_dtc")), "The tumours that were watched grew, or the person died"
    told, figures = groups(page("rair_dtc"), title), drawn(page("rair_dtc"), title)
    for (arm, name), figure in zip({"A": "The drug alone", "B": "The seeds alone", "C": "Both drug and seeds"}.items(), figures, strict=True):
        row, n = found["at_risk", "lpfs", arm, "36.0"], found["events", "lpfs", arm, ""]["n"]
        assert figure == [row["n_events"], row["n_risk"], row["n_censored"]]
        assert told[name] == f"{row['n_events']:.0f} of {n:.0f} people ({row['n_censored']:.0f} not followed for all of this time)"
    assert "of 100" not in page("rair_dtc")


def test_large_groups_are_told_of_a_hundred(page, reports):
    found, title = results(reports("colon")), "The cancer came back"
    told, figures = groups(page("colon"), title), drawn(page("colon"), title)
    for (arm, name), figure in zip({"Obs": "No drug", "Lev": "The drug levamisole", "Lev5FU": "Levamisole and fluorouracil"}.items(), figures, strict=True):
        row = found["landmark", "recurrence", arm, "5.0"]
        free, low, high = (int(f"{100 * row[key]:.0f}") for key in ("estimate", "ci_low", "ci_high"))
        assert told[name] == f"about {100 - free} of 100 people (likely between {100 - high} and {100 - low})"
        assert figure == [100 - free, free, 0]
    row = found["landmark_difference", "recurrence", "Lev5FU vs Obs", "5.0"]
    shown = [f"{100 * row[key]:.0f}" for key in ("difference", "ci_low", "ci_high")]
    assert "about {} fewer with levamisole and fluorouracil than with no drug (likely between {} and {})".format(*shown) in page("colon")


def test_a_competing_event_is_not_taken_for_the_end_of_watching(page, reports):
    found = results(reports("competing"))
    shares = [found["cumulative_incidence", "ep", arm, "2.0"]["estimate"] for arm in "AB"]
    assert [filled for filled, _, _ in drawn(page("competing"), "Event-free survival")] == [round(100 * share) for share in shares]
    assert "something else came first" in page("competing")


def test_harms_are_the_recorded_counts(page, reports):
    rows = {row.xpath("string(./th)"): row.xpath("./td/text()") for row in lxml.html.fromstring(page("rair_dtc")).xpath(".//tbody/tr")}
    found = results(reports("rair_dtc"))
    for label, kind in {"Any problem": "any", "Severe": "severe", "Led to death": "fatal"}.items():
        counts = [found["ae_overview", kind, arm, ""] for arm in "ABC"]
        assert rows[label] == [f"{'none' if c['count'] == 0 else format(c['count'], '.0f')} of {c['n']:.0f}" for c in counts]
    assert "Feeling very tired" in rows
    assert "Fatigue" not in page("rair_dtc")
    head = [cell.text_content() for cell in lxml.html.fromstring(page("clinic")).xpath(".//thead//th")]
    assert all("of 100 people" in cell for cell in head[1:])


def test_a_shared_page_tells_no_more_than_the_shared_report(page, reports):
    found, html = results(reports("share")), page("share")
    assert html.count("so that nobody can be known by it") >= 3
    assert not lxml.html.fromstring(html).xpath(".//li/svg")
    rows = {row.xpath("string(./th)"): row.xpath("./td/text()") for row in lxml.html.fromstring(html).xpath(".//tbody/tr")}
    for label, kind in {"Any problem": "any", "Severe": "severe", "Counted as serious, such as a stay in hospital": "serious"}.items():
        known = ["count" in found.get(("ae_overview", kind, arm, ""), {}) for arm in "ABC"]
        assert [cell != "not shown" for cell in rows[label]] == known


ANSWERS = {
    "one_arm": None, "withheld": "It happened to too few people to compare the groups. So we cannot tell", "no_event": "It did not happen to anybody",
    "competing": "they do not agree. So we cannot tell", "not_apart": "do not differ by more than chance could bring. So we cannot tell",
    "randomised": "Chance decided who got what. So this may well be due to the treatment.", "confounded": "Then the difference was no longer clear.",
    "three_arms": "less often or later with Drug C than with Drug A and than with Drug B. Between Drug B and Drug A we cannot tell. But this may come from the people",
    "one_arm_without_event": "It happened less often or later with Drug B than with Drug A", "colon": "Between the drug levamisole and no drug we cannot tell",
}  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), ANSWERS.items())
def test_every_case_has_its_answer(page, name, answer):
    boxes = lxml.html.fromstring(page(name)).xpath(".//section[@class='keyresults']")
    said = " ".join(" ".join(box.text_content().split()) for box in boxes)
    assert (answer in said) if answer else (said == "" and "compares this group with no other" in page(name))


def test_who_chose_stands_with_who_took_part(page):
    assert "Chance decided who got what, like drawing lots." in page("colon")
    assert "It was chosen for each person, for instance by their doctors." in page("rair_dtc")
    assert "All of them got the same treatment: Drug A." in page("one_arm")
    assert "The study had 3 groups; the others are left out here." in page("one")


def test_made_up_data_say_so_first(page):
    first = lxml.html.fromstring(page("rair_dtc")).xpath("(.//main//p)[1]")[0].text_content()
    assert first.startswith("The numbers on this page are made up")
    assert "made up" not in page("colon")


@pytest.mark.parametrize("name", TRIED)
def test_every_page_is_whole_and_plain(page, name):
    said = sentences(page(name))
    heads = {"Who took part?", "What was found?", "Which health problems came up?", "What do we not know?", "What does this not mean?"}
    assert heads <= set(said)
    assert [text for text in said if re.search(JARGON, text) and "The full report calls" not in text] == []
    assert not re.search(r"\bnan\b|\bNone\b", " ".join(blocks(page(name))))


@pytest.mark.parametrize("name", TRIED)
def test_reads_at_grade_eight(page, name):
    """Most health authorities ask for grade 6 to 8 (Flesch-Kincaid)."""
    assert grade(sentences(page(name))) <= 8


@pytest.mark.parametrize(("word", "count"), [("cat", 1), ("people", 2), ("treatment", 2), ("chance", 1), ("happened", 2), ("problem", 2), ("synthetic", 3), ("made", 1), ("counted", 2), ("answer", 2), ("table", 2)])
def test_syllables_are_counted_as_they_are_spoken(word, count):
    assert syllables(word) == count


def test_a_text_of_experts_is_not_taken_for_a_plain_one():
    assert grade(["The randomised multicentre investigation demonstrated statistically significant heterogeneity of progression-free survival."]) > 16


def test_the_page_is_made_on_request_and_listed(tmp_path):
    pages = quick("data/colon", ("efficacy",))
    run = {"command": "", "commit": "unknown", "versions": {"python": "3.11"}, "parameters": {"efficacy": {}}}
    for name, formats in {"with": ["plain"], "without": ["html"]}.items():
        (tmp_path / name).mkdir()
        publish(pages, tmp_path / name, run, formats)
    assert (tmp_path / "with" / "plain.html").read_text("utf-8") == plain_page([read_report("efficacy", pages["efficacy"])], synthetic=False)
    assert 'href="plain.html"' in (tmp_path / "with" / "index.html").read_text("utf-8")
    assert not (tmp_path / "without" / "plain.html").exists()


def test_labels_are_text(page):
    assert "&lt;b&gt;no drug" in page("six_long")
    assert "<b>no drug" not in page("six_long")


def test_without_an_endpoint_the_rest_is_told(tmp_path):
    folder = write_random(tmp_path / "none", Design(sizes=(12, 11), seed=2))
    study = json.loads((folder / "study.yml").read_text("utf-8"))
    del study["endpoints"]
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    made = [read_report(name, notebook) for name, notebook in quick(folder, ("safety",)).items()]
    html = plain_page(made, synthetic=False)
    assert "This report holds no result that can be told here." in html
    assert "Any problem" in html


@pytest.mark.parametrize("name", ["rair_dtc", "share", "colon"])
def test_reads_as_it_was_read(page, name):
    compare("plain.rair_dtc_share" if name == "share" else f"plain.{name}", "\n".join(blocks(page(name))) + "\n")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["rair_dtc", "share", "one", "colon", "six_long", "clinic"])
def test_is_accessible_on_every_screen_and_two_sheets_on_paper(page, visit_file, tmp_path, name):
    (tmp_path / "plain.html").write_text(page(name), encoding="utf-8")
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
    for width, scheme in ((1366, "light"), (1366, "dark"), (390, "light")):
        seen = visit_file(tmp_path / "plain.html", viewport={"width": width, "height": 844}, color_scheme=scheme)
        assert seen.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(seen, options=options).response
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    seen.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    assert len(PdfReader(tmp_path / "printed.pdf").pages) <= (4 if name == "six_long" else 2)
