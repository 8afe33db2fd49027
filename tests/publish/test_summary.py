"""The summary: one screen, one page of A4, numbers of results.csv, nothing where a study holds nothing."""

import csv
import json
import re
from functools import cache
from types import SimpleNamespace

import lxml.html
import pytest
from axe_playwright_python.sync_playwright import Axe
from designed_studies import write_case
from document_parts import executed, read_pdf
from pypdf import PdfReader
from quick_pages import LONG, quick, six_arms
from random_study import Design, write_random

from lib import analyse
from lib.analyses.result import Absent
from lib.publish.folder import publish, read_report
from lib.publish.paper.document import read_document
from lib.publish.paper.layout import PageEnd, Picture, Table, picture_size
from lib.publish.paper.typeset import pdf
from lib.publish.summary import summarise
from lib.report import start
from lib.show import summary

pytestmark = pytest.mark.thorough

RAIR = "data/rair_dtc"
CASES = ("three_arms", "masked", "one_arm", "withheld", "one_arm_without_event", "no_event", "competing", "randomised", "confounded")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Executed notebooks by name."""
    root = tmp_path_factory.mktemp("studies")

    @cache
    def make(name):
        if name == "rair_dtc":
            return {page: executed(page, RAIR, "", "internal") for page in ("efficacy", "robustness", "safety")}
        if name == "share":
            return quick(RAIR, audience="share")
        if name == "one":
            return quick(RAIR, arms=["A"])
        if name == "colon":
            return quick("data/colon")
        if name.startswith("six"):
            return quick(six_arms(root / name, LONG if name == "six_long" else ()))
        return quick(write_case(root / name, name))

    return make


@pytest.fixture(scope="module")
def site(made, tmp_path_factory):
    """Published folders by name."""

    @cache
    def write(name):
        folder, pages = tmp_path_factory.mktemp(name), made(name)
        run = {"command": "python -m lib report", "parameters": {page: {} for page in pages}, "commit": "unknown"}
        publish(pages, folder, run | {"versions": {"python": "3.11"}})
        return folder

    return write


def summary_of(pages):
    return summarise([read_report(name, notebook) for name, notebook in pages.items()])


def rows_of(shown):
    """Cells of a table by the words of its row's head."""
    rows = lxml.html.fromstring(shown).xpath(".//tbody/tr") if shown else []
    return {row.xpath("string(./th)"): [cell.text_content() for cell in row.xpath("./td")] for row in rows}


def statistics(folder):
    """results.csv: the statistics of a place."""
    found = {}
    with (folder / "results.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["value"]:
                place = row["report"], row["output"], row["variable"], row["group"], row["time"]
                found.setdefault(place, {})[row["statistic"]] = float(row["value"])
    return found


def test_every_cell_is_a_row_of_the_results(made, site):
    """Written out here a second time, from results.csv alone."""
    found, shown = statistics(site("rair_dtc")), summary_of(made("rair_dtc"))
    labels = {"A": "Anlotinib", "B": "Iodine-125 seeds", "C": "Anlotinib + seeds"}

    def told(output, pair, name, decimals, time=""):
        row = found.get(("efficacy", output, "lpfs", pair, time))
        parts = row and [f"{row[part]:.{decimals}f}".replace("-", "−") for part in (name, "ci_low", "ci_high")]
        return "{} ({} to {})".format(*parts) if parts else "–"

    def response(pair):
        ends = [found["efficacy", "objective_response_treated", "response", arm, "6.0"] for arm in pair.split(" vs ")]
        row = found["efficacy", "objective_response_treated_difference", "response", pair, "6.0"]
        shares = " vs ".join(f"{end['count']:.0f}/{end['n']:.0f}" for end in ends)
        return f"{shares}: " + "{:.0f} ({:.0f} to {:.0f})".format(*(100 * row[k] for k in ("difference", "ci_low", "ci_high"))).replace("-", "−")

    effects = rows_of(shown.effects)
    assert list(effects) == ["Anlotinib + seeds", "Anlotinib + seeds vs Iodine-125 seeds", "Iodine-125 seeds"]
    for pair, cells in zip(("C vs A", "C vs B", "B vs A"), effects.values(), strict=True):
        (taken,) = [time for _, output, variable, group, time in found if (output, variable, group) == ("rmst_difference", "lpfs", pair) and _ == "efficacy"]
        assert cells == [told("cox", pair, "hr", 2), told("weighted_cox", pair, "hr", 2), told("rmst_difference", pair, "estimate", 1, taken), response(pair)]
    harms = rows_of(shown.harms)
    assert [re.sub(r" \(n = \d+\)", "", name) for name in harms] == list(labels.values())
    for arm, cells in zip(labels, harms.values(), strict=True):
        counts = [found["safety", "ae_overview", kind, arm, ""] for kind in ("serious", "fatal", "severe", "stopped")]
        assert cells == [f"{count['count']:.0f} ({100 * count['proportion']:.0f}%)" for count in counts]
    p = {f"{row[name]:.3f}" for row in found.values() for name in ("p_value", "p_adjusted") if name in row}
    assert set(re.findall(r"p = ([\d.]+\d)", shown.answer)) <= p
    turned = found["robustness", "robustness", "lpfs: leave_one_out", "overall", ""]
    assert rows_of(shown.sure)["Without each patient in turn"] == [f"turned by {turned['count']:.0f} of {turned['n']:.0f} patients"]


def test_words_on_certainty_lead_to_their_place(made, site):
    folder = site("rair_dtc")
    links = re.findall(r'href="([^"]+)"', summary_of(made("rair_dtc")).sure)
    assert len(links) == 4
    for page, place in (link.split("#") for link in links):
        assert f'id="{place}"' in (folder / page).read_text("utf-8")
    assert rows_of(summary_of(made("rair_dtc")).sure) == {
        "Weighted": ["holds"], "Competing event": ["no longer told apart"],
        "Without each patient in turn": ["turned by 3 of 52 patients"], "Computed a second time": ["agrees"],
    }  # fmt: skip


def test_no_sentence_stands_twice(site):
    main = lxml.html.fromstring((site("rair_dtc") / "index.html").read_text("utf-8")).find(".//main")
    (shown,) = main.xpath("./section[@class='summary']")
    told = [part.text_content() for part in shown.xpath(".//p")]
    said = [sentence for text in told for sentence in re.split(r"(?<=\.)\s+", text) if len(sentence) > 30]
    main.remove(shown)
    rest = main.text_content()
    assert len(said) == len(set(said)) > 4
    assert [sentence for sentence in said if sentence in rest] == []


def test_a_shared_report_masks_here_as_everywhere(made, site):
    shown, found = summary_of(made("share")), statistics(site("share"))
    harms = rows_of(shown.harms)
    for arm, cells in zip("ABC", harms.values(), strict=True):
        for kind, cell in zip(("serious", "fatal", "severe", "stopped"), cells, strict=True):
            assert (cell == "masked") == ("count" not in found.get(("safety", "ae_overview", kind, arm, ""), {}))
    assert {cells[-1] for cells in rows_of(shown.effects).values()} == {"masked"}
    assert "masked" in {cell for cells in harms.values() for cell in cells}


def test_one_arm_is_compared_with_nothing(made):
    shown = summary_of(made("one"))
    assert shown.answer == ""
    assert list(rows_of(shown.effects)) == ["Anlotinib (n = 14)"]
    assert "vs" not in shown.effects
    assert "nothing is compared" in shown.weakens
    assert shown.harms
    assert shown.sure == ""


def test_what_a_study_does_not_hold_is_left_out(made):
    shown = summary_of(made("colon"))
    assert shown.harms == ""
    assert "Response" not in shown.effects
    assert "weighted" not in shown.effects.partition("</thead>")[0]
    assert shown.weakens == ""
    assert rows_of(shown.sure)["Weighted"] == ["not needed: arms formed by chance"]
    assert shown.told == ("efficacy", "robustness")


def test_a_combination_is_compared_with_each_of_its_parts(made):
    shown = rows_of(summary_of(made("six")).effects)
    assert next(iter(shown)) == "Drug one + implant"
    assert {"Drug one + implant vs Drug one", "Implant vs Drug one + implant"} <= set(shown)
    assert sum(" vs " not in name for name in shown) == 5


def test_labels_are_text(made, site):
    assert "&lt;b&gt;no drug" in summary_of(made("six_long")).effects
    assert "<b>no drug" not in (site("six_long") / "index.html").read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_its_summary(made, name):
    """Nothing is left open in words, and no NaN stands anywhere."""
    shown = summary_of(made(name))
    assert rows_of(shown.effects)
    assert not re.search(r"\bnan\b|None", " ".join([shown.weakens, shown.answer, shown.effects, shown.sure]))


def test_without_an_endpoint_the_harms_alone(tmp_path):
    folder = write_random(tmp_path / "none", Design(sizes=(12, 11), seed=2))
    study = json.loads((folder / "study.yml").read_text("utf-8"))
    del study["endpoints"]
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    harms = start("safety", {"study": str(folder)})
    assert summary.safety(harms.analyse(analyse.adverse_events))
    page = start("efficacy", {"study": str(folder)})
    absent = page.analyse(analyse.survival, page.endpoint)
    weights = page.analyse(analyse.weights, absent)
    assert summary.efficacy(absent, weights, absent, []) == {}
    assert summary.robustness(absent, page.analyse(analyse.robustness, absent), weights) == {}


@pytest.mark.browser
@pytest.mark.parametrize("name", ["rair_dtc", "share", "one", "colon", "six", "six_long"])
def test_fits_a_screen_and_a_printed_page(site, visit_file, tmp_path, name):
    page = visit_file(site(name) / "index.html")
    assert page.evaluate("document.querySelector('.summary').getBoundingClientRect().bottom") <= 900
    inside = "document.querySelectorAll('.summary .scroll').values().every(e => e.scrollWidth <= e.clientWidth)"
    assert page.evaluate(inside), "on a laptop no table of the summary is moved sideways"
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, context={"include": [[".summary"]], "exclude": [["svg > *"]]}, options=options).response
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    first, second = [leaf.extract_text() for leaf in PdfReader(tmp_path / "printed.pdf").pages[:2]]
    assert "Key results" not in first
    assert "Key results" in second.partition("\n2 / ")[2][:40]


@pytest.mark.parametrize("name", ["rair_dtc", "share", "one", "colon", "six", "six_long"])
def test_fits_the_first_page_on_paper(made, name):
    reports = [read_report(page, notebook) for page, notebook in made(name).items()]
    document = read_document(reports, synthetic=True)
    front = document.blocks[: document.blocks.index(PageEnd())]
    assert all(not block.title for block in front if isinstance(block, Table | Picture)), "the summary counts no tables"
    (picture,) = [block for block in front if isinstance(block, Picture)]
    assert picture_size(picture)[1] <= 0.42 * 718
    shown = summarise(reports)
    heads = [head for part in (shown.effects, shown.harms) for head in rows_of(part)]
    pages = [re.sub(r"\s+", "", page.extract_text()) for page in read_pdf(pdf(document)).pages]
    assert all(re.sub(r"\s+", "", head) in pages[0] for head in heads)
    # What follows the summary is the head of the reports, and it begins the second page.
    assert "Contents" in pages[1]
    assert not any("Harms" in page[:80] or "Asked" in page[:80] for page in pages[1:])


def test_a_report_without_summaries_has_no_page_for_one():
    pages = quick("data/colon")
    for notebook in pages.values():
        for output in notebook.cells[0].outputs:
            output.metadata.get("cohort_report", {}).pop("summary", None)
    reports = [read_report(name, notebook) for name, notebook in pages.items()]
    assert summarise(reports) is None
    assert not [block for block in read_document(reports, False).blocks if isinstance(block, PageEnd)]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, ()),
        ({"subgroup": "sex", "subgroup_values": ["M"]}, ("A part of the patients alone: Sex: Male.",)),
        ({"criteria": "volumetric"}, ("Response by volumetric criteria, not by the declared rule.",)),
    ],
)
def test_whom_an_answer_leaves_out_stands_beside_it(parameters, said):
    page = start("efficacy", {"study": "data/rair_dtc", **parameters})
    survival = page.analyse(analyse.survival, page.endpoint)
    told = summary.efficacy(survival, Absent(""), page.analyse(analyse.response, page.response_visits), [])["weakens"]
    assert all(sentence in told for sentence in said)
    assert ("alone:" in told, "declared rule" in told) == ("subgroup" in parameters, "criteria" in parameters)


def test_what_several_pages_asked_again_stands_in_one_table():
    """The weighted answer is robustness', the adjusted one that of models: neither page's rows displace the other's."""
    pages = [SimpleNamespace(name=n, page=f"{n}.html", summary={"sure": [[n, "holds", f"{n}.html#x"]]}, figures={}, verdicts=[]) for n in ("robustness", "models")]
    assert list(rows_of(summarise(pages).sure)) == ["robustness", "models"]
