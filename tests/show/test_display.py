"""Tables and pictures as a page and a spreadsheet get them: escaped once, nothing run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.analyses.result import Absent, Analysis
from lib.show.display import METADATA, Block, Column, Row, Table, empty_if_absent

HOSTILE = '<script>alert(1)</script><img src=x onerror="x">&"\''


def _table(cell: str) -> Table:
    columns = (Column("Arm", "n = 1", "#000000"), Column(cell))
    return Table(
        "hostile", cell, columns, (Row((cell,), "group"), Row((cell, cell)), Row((cell, cell), "sub")), (cell,)
    )


def test_a_cell_never_becomes_markup():
    bundle, metadata = _table(HOSTILE)._repr_mimebundle_()
    assert "<script" not in bundle["text/html"]
    assert "<img" not in bundle["text/html"]
    assert metadata[METADATA]["kind"] == "table"


@given(st.text(max_size=30).map(lambda s: s.replace("\x00", "")))
def test_a_cell_survives_csv_and_is_no_formula(cell):
    rows = list(csv.reader(io.StringIO(_table(cell).to_csv(), newline="")))
    for row in rows[1:]:
        for found in row:
            assert not found.startswith(("=", "+", "-", "@"))
            assert found.removeprefix("'").replace("\r", "\n") in (
                cell.replace("\r", "\n"),
                cell.removeprefix("'").replace("\r", "\n"),
            )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_each_sign_that_begins_a_formula_is_guarded(start):
    """The list is a spreadsheet's, not ours: OWASP, CSV injection."""
    cell = f"{start}cmd|' /C calc'!A0"
    rows = list(csv.reader(io.StringIO(_table(cell).to_csv(), newline="")))
    assert {found[:2] for row in rows[1:] for found in row} == {f"'{start}".replace("\r", "\n")}


def test_the_plain_text_is_aligned():
    table = Table(
        "t", "Title", (Column("Arm"), Column("n")), (Row(("long name", "1")), Row(("b", "100"))), ("A note.",)
    )
    assert table.to_text().splitlines() == ["Title", "Arm          n", "long name    1", "b          100", "A note."]


@pytest.mark.parametrize(
    ("cells", "key"),
    [
        (("3.1", "12 (40%)", ""), ()), (("NR", "3.1 (2.0 to 4.0)", ""), ("NR: not reached.",)), (("3.1 (2.0 to NR)", "4", ""), ("NR: not reached.",)),
        (("–", "", ""), ("–: nobody.",)), (("100% (–); 3", "NR (–)", ""), ("NR: not reached; –: nobody.",)), (("– (0.00 to –)", "−3", ""), ("–: nobody.",)),
        (("NRAS", "2–3", ""), ()), (("1", "2", "NR and – in words"), ()), (("1", "2", "–"), ("–: nobody.",)),
    ],
)  # fmt: skip
def test_a_footnote_explains_what_a_table_prints_and_only_that(cells, key):
    """The first column and those of words hold a study's own words, in which the same letters mean something else."""
    columns = (Column("NR –"), Column("NR", "–"), Column("–"), Column("In words", text=True))
    table = Table("t", "NR –", columns, (Row(("NR – –",), "group"), Row(("NR, –", *cells))), ("A note.",), dash="nobody")
    assert table.footnotes == ("A note.", *key)
    assert table.to_text().splitlines()[-1] == table.footnotes[-1]
    assert table._repr_mimebundle_()[0]["text/html"].count("<p>") == len(table.footnotes)


def test_nothing_is_shown_for_an_analysis_that_a_study_has_no_tables_for():
    @empty_if_absent
    def table(data: None, analysis: Analysis):
        raise AssertionError("must not be reached")

    shown = table(None, Absent("no measurements"))
    assert isinstance(shown, Block)
    assert shown.text == ""
