"""How a table is laid on A4: nothing runs off the page, numbers stay whole, the page is turned only if it must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.publish.paper.layout import A4, GAP, MARGIN, Cell, Picture, Row, Table, alignment, lay_out, picture_size


def table(columns, rows=3, text="12.5 (3.0 to 45.0)", label="Characteristic of the patients", whole="12"):
    head = (Row((Cell("Row"), *[Cell(f"Arm number {i}", "n = 12", "#0072B2") for i in range(columns)])),)
    body = tuple(Row((Cell(label), *[Cell(text, whole=whole)] * columns)) for _ in range(rows))
    return Table("T", head, body, (), (False, *[True] * columns))


@pytest.mark.parametrize(
    ("columns", "size", "landscape"), [(5, 9.0, False), (6, 7.5, False), (7, 9.0, True), (10, 7.5, True)]
)
def test_smaller_type_before_a_turned_page(columns, size, landscape):
    layout = lay_out(table(columns))
    assert (layout.size, layout.landscape) == (size, landscape)
    number = sum(alignment(table(columns), 1)) * size + GAP
    assert all(width >= number - 0.01 for width in layout.widths[1:])


@given(st.integers(0, 30), st.text(max_size=300), st.text(max_size=300))
def test_a_table_is_as_wide_as_the_text(columns, text, label):
    layout = lay_out(table(columns, text=text, label=label, whole=""))
    room = A4[1 if layout.landscape else 0] - 2 * MARGIN
    assert sum(layout.widths) == pytest.approx(room)
    assert all(width >= 0 for width in layout.widths)


def test_alignment():
    """In Times a digit is half an em wide, a point a quarter."""
    rows = tuple(
        Row((Cell("a"), Cell(text, whole=whole))) for text, whole in [("1.25", "1"), ("100", "100"), ("NR", "")]
    )
    assert alignment(Table("T", (), rows, (), (False, True)), 1) == (1.5, 1.25)


def test_a_long_word_does_not_turn_the_page():
    layout = lay_out(table(2, text="x" * 400, whole=""))
    assert not layout.landscape


def test_a_picture_fits_the_page():
    for size in ((518, 307), (518, 900), (300, 2000)):
        width, height = picture_size(Picture("P", "<svg/>", "", size))
        assert width <= A4[0] - 2 * MARGIN + 0.01
        assert height < A4[1] - 2 * MARGIN
        assert width / height == pytest.approx(size[0] / size[1])
