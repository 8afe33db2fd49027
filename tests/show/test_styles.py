"""Journal styles: how a number is written changes, and never which number it is."""

import math
import re
from difflib import SequenceMatcher

import pytest
import yaml
from designed_studies import CASES, write_case
from hypothesis import given
from hypothesis import strategies as st
from notebook_cells import each_week, run_notebook, shipped
from random_study import Design, write_random

from lib.show import styles
from lib.show.display import Column, Row, Table
from lib.show.formats import (
    THIN,
    format_ci,
    format_count,
    format_given,
    format_interval,
    format_limit,
    format_number,
    format_p,
    format_signed,
    format_whole,
    restyled,
    rounded_as_shown,
    unstyled,
)
from lib.show.phrases import p_values
from lib.statistics.comparisons import ALPHA
from lib.study.parameters import Parameters
from lib.study.study import Study

JOURNALS = [name for name in styles.STYLES if name != "plain"]
# p -> plain, nejm, lancet, jama.
WRITTEN = [
    (0.0231475, ("p = 0.023", "P=0.02", "p=0·023", "P = .02")),
    (0.4249, ("p = 0.425", "P=0.42", "p=0·42", "P = .42")),
    (0.0042, ("p = 0.004", "P=0.004", "p=0·0042", "P = .004")),
    (0.00042, ("p < 0.001", "P<0.001", "p=0·0004", "P < .001")),
    (0.00004, ("p < 0.001", "P<0.001", "p<0·0001", "P < .001")),
    (0.99999, ("p > 0.999", "P>0.99", "p>0·99", "P > .99")),
    (0.0995, ("p = 0.100", "P=0.10", "p=0·10", "P = .10")),
    (0.0496, ("p = 0.0496", "P=0.0496", "p=0·0496", "P = .0496")),
    (0.046, ("p = 0.046", "P=0.046", "p=0·046", "P = .046")),
    (0.05, ("p = 0.050", "P=0.05", "p=0·050", "P = .05")),
]
OTHERS = [
    (lambda: format_interval(0.55, 0.87, 2), ("0.55 to 0.87", "0.55 to 0.87", "0·55–0·87", "0.55-0.87")),
    (lambda: format_interval(-0.55, 0.87, 2), ("−0.55 to 0.87", "−0.55 to 0.87", "−0·55 to 0·87", "−0.55 to 0.87")),
    (lambda: format_interval(12.0, math.nan, missing="NR"), ("12.0 to NR", "12.0 to NR", "12·0 to NR", "12.0 to NR")),
    (lambda: format_ci(0.95, 1, 2, 0), ("95% CI 1 to 2", "95% CI, 1 to 2", "95% CI 1–2", "95% CI, 1-2")),
    (lambda: format_count(10, 13, 10 / 13), ("10/13 (77%)", "10/13 (77%)", "10 (77%) of 13", "10 of 13 (77%)")),
    (lambda: format_count(0, 0, math.nan), ("0/0",) * 4),
    (format_limit, ("0.05", "0.05", "0·05", ".05")),
    (lambda: p_values(2), ("2 p-values", "2 P values", "2 p values", "2 P values")),
    (lambda: format_given(4.5), ("4.5", "4.5", "4·5", "4.5")),
    (lambda: restyled("−1200.50"), ("−1_200.50", "−1_200.50", "−1_200·50", "−1_200.50")),
    (lambda: format_whole(1_234_567), ("1_234_567",) * 4),
    (lambda: format_number(1758.25), ("1_758.3", "1_758.3", "1_758·3", "1_758.3")),
    (lambda: format_signed(-1234.5), ("−1_230",) * 4),
    (lambda: format_given(1e6), ("1_000_000",) * 4),
]  # fmt: skip


@pytest.fixture(autouse=True)
def plain_again():
    yield
    styles.use("plain")


@pytest.mark.parametrize(("p", "written"), WRITTEN)
def test_a_p_value_as_the_journals_print_it(p, written):
    for style, shown in zip(styles.STYLES, written, strict=True):
        styles.use(style)
        assert format_p(p, symbol=True) == shown


@pytest.mark.parametrize(("write", "written"), OTHERS)
def test_everything_else_as_the_journals_print_it(write, written):
    for style, shown in zip(styles.STYLES, written, strict=True):
        styles.use(style)
        assert write() == shown.replace("_", THIN)


def value(shown: str) -> float:
    return float(unstyled(shown).lstrip("<>"))


@pytest.mark.parametrize("style", styles.STYLES)
@given(p=st.one_of(st.floats(0, 1), st.floats(0.04, 0.06), st.floats(0, 0.002)))
def test_no_style_hides_the_side_of_the_limit_nor_says_certainty(style, p):
    styles.use(style)
    shown = format_p(p)
    assert 0 < value(shown) < 1
    if abs(p - ALPHA) > 1e-9:
        assert (value(shown) < ALPHA) == (p < ALPHA)
        assert value(shown) != ALPHA
    if shown[0] not in "<>":
        assert abs(value(shown) - p) <= 0.5 * 10 ** -len(shown.replace("·", ".").partition(".")[2]) + 1e-12


@pytest.mark.parametrize("style", styles.STYLES)
@given(number=st.floats(-1e6, 1e6), decimals=st.integers(0, 4))
def test_a_style_never_changes_a_number(style, number, decimals):
    styles.use("plain")
    before = rounded_as_shown(number, decimals)
    styles.use(style)
    assert rounded_as_shown(number, decimals) == before


def test_a_table_for_a_spreadsheet_has_points_and_no_spaces_whatever_the_style():
    styles.use("lancet")
    table = Table("t", "T", (Column("Arm"), Column("Value")), (Row(("a", f"{format_number(1758.25)} ({format_interval(1200, 2300)})")),))
    assert table.to_csv() == "Arm,Value\na,1758.3 (1200.0–2300.0)\n"


def test_study_and_parameters_know_the_styles_that_there_are():
    assert Study.model_fields["style"].annotation.__args__ == tuple(styles.STYLES)
    assert Parameters.model_fields["style"].annotation.__args__ == ("", *styles.STYLES)


# ---------------------------------------------------------------- whole pages

NUMBER = re.compile(rf"[<>−-]?(?:\d{{1,3}}(?:{THIN}\d{{3}})+|\d+)?[.·]?\d+")


def numbers(text: str) -> list[tuple[float, float]]:
    """Every number of a text, in order, with half a unit of its last decimal; a share stands as count, n, percentage."""
    text = re.sub(r"(\d+) \((\d+%)\) of (\d+)", r"\1/\3 (\2)", text)
    text = re.sub(r"(?<=\d)[-–](?=\d)", " to ", text)
    found = []
    for shown in NUMBER.findall(text):
        written = unstyled(shown).replace("−", "-").lstrip("<>")
        found.append((float(written), 0.5 * 10.0 ** -len(written.partition(".")[2]) if "." in written else 0.5))
    return found


def same(plain: list[tuple[float, float]], styled: list[tuple[float, float]]) -> bool:
    """Whether they are the same numbers, none missing: within what the coarser of the two hides (p beyond an end: the end)."""
    ends = {0.0001, 0.001, 0.99, 0.999}
    return len(plain) == len(styled) and all(
        abs(a - b) <= max(half, other) + 1e-12 or ({round(a, 4), round(b, 4)} & ends and abs(a - b) <= 0.01)
        for (a, half), (b, other) in zip(plain, styled, strict=True)
    )


def test_a_wrong_number_would_be_found():
    assert same(numbers("p = 0.023, 10/13 (77%), 1.2 to 3.4"), numbers("p=0·02, 10 (77%) of 13, 1·2–3·4"))
    for wrong in ("p=0·03, 10 (77%) of 13, 1·2–3·4", "p=0·02, 13 (77%) of 10, 1·2–3·4", "p=0·02, 10 (77%) of 13, 1·2–3·5", "p=0·02, 10 (77%) of 13"):
        assert not same(numbers("p = 0.023, 10/13 (77%), 1.2 to 3.4"), numbers(wrong))


def texts(shown) -> list[str]:
    """What a reader sees, output for output: words, tables, the words within pictures."""
    seen = []
    for data, metadata in shown.outputs:
        if metadata.get("cohort_report", {}).get("kind") == "results":
            continue
        seen.append(data.get("text/plain", ""))
        seen.append("\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", data.get("image/svg+xml", ""))))
    return seen


def assert_same_page(plain, styled, point):
    assert [r["csv"] for r in plain.records("results")] == [r["csv"] for r in styled.records("results")]
    pairs = list(zip(texts(plain), texts(styled), strict=True))
    for before, after in pairs:
        assert same(numbers(before), numbers(after)), [
            (before[a:b], after[c:d]) for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes() if tag != "equal"
        ][:20]
    assert sum(len(numbers(before)) for before, _ in pairs) > 50
    assert (point == "·") == any(re.search(r"\d·\d", after) for _, after in pairs)


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("style", "name"), [("nejm", "robustness"), ("lancet", "efficacy"), ("jama", "safety"), *each_week([("lancet", "cohort"), ("jama", "robustness")], [])]
)
def test_every_number_of_a_page_is_the_same_in_every_style(style, name, monkeypatch):
    plain = shipped(name, study="data/rair_dtc")
    styled = run_notebook(name, monkeypatch, study="data/rair_dtc", style=style)
    assert_same_page(plain, styled, styles.STYLES[style].point)
    assert styled.records("header")[0]["parameters"] == {"style": style}
    methods = next(data["text/html"] for data, _ in styled.outputs if 'class="methods"' in data.get("text/html", ""))
    assert f"(style={style})" in methods


@pytest.mark.notebook
@pytest.mark.parametrize(("case", "style"), list(zip(sorted(CASES)[:3], JOURNALS, strict=True)))
def test_the_study_may_name_the_style_and_the_parameter_goes_before_it(case, style, tmp_path, monkeypatch):
    folder = write_case(tmp_path / case, case)
    plain = run_notebook("efficacy", monkeypatch, study=str(folder))
    file = folder / "study.yml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"style": style}))
    assert_same_page(plain, run_notebook("efficacy", monkeypatch, study=str(folder)), styles.STYLES[style].point)
    assert texts(run_notebook("efficacy", monkeypatch, study=str(folder), style="plain")) == texts(plain)


@pytest.mark.notebook
def test_a_whole_small_clinic_reads_the_same(tmp_path, monkeypatch, style="nejm"):
    folder = str(write_random(tmp_path / "clinic", Design((9, 8), seed=7, hazard=0.04)))
    assert_same_page(*(run_notebook("safety", monkeypatch, study=folder, style=name) for name in ("plain", style)), styles.STYLES[style].point)
