"""A table -> Word: its header repeats on every page, no row is broken, numbers share the place of their point."""

from __future__ import annotations

__all__ = ["word_table"]

from lib.publish.paper.layout import WHOLE_ROWS, Cell, Layout, Row, Table, alignment
from lib.publish.paper.word_parts import PADDING, element, link, paragraph, run, twips

# Of an indented row, in points.
INDENT = 12


def word_table(table: Table, layout: Layout, places: dict[str, int]):
    """Make the element of a table.

    Parameters
    ----------
    table : lib.publish.paper.layout.Table
    layout : lib.publish.paper.layout.Layout
    places : dict of int
        Name of a heading -> number of its bookmark.

    Returns
    -------
    element
        To be put into a document's body.
    """
    return _Writer(table, layout, places).written()


class _Writer:
    """One table while it is being made."""

    def __init__(self, table: Table, layout: Layout, places: dict[str, int]):
        self.table, self.layout, self.places = table, layout, places
        self.rows = [*table.head, *table.body]
        # By column, how many rows a cell from above still covers.
        self.covered: dict[int, int] = {}

    def written(self):
        """Properties, grid, rows."""
        properties = element(
            "w:tblPr",
            element("w:tblStyle", w_val="ReportTable"),
            element("w:tblW", w_w=twips(sum(self.layout.widths)), w_type="dxa"),
            element("w:tblLayout", w_type="fixed"),
            element("w:tblLook", w_val="0020", w_firstRow=1, w_lastRow=0, w_firstColumn=0, w_noHBand=1, w_noVBand=1),
            element("w:tblCaption", w_val=self.table.title),
        )
        grid = element("w:tblGrid", *(element("w:gridCol", w_w=twips(width)) for width in self.layout.widths))
        return element("w:tbl", properties, grid, *(self._row(row, number) for number, row in enumerate(self.rows)))

    def _row(self, row: Row, number: int):
        repeated = element("w:tblHeader") if self._is_head(number) else None
        made = element("w:tr", element("w:trPr", element("w:cantSplit"), repeated))
        cells, column = iter(row.cells), 0
        while column < len(self.layout.widths):
            from_above = self.covered.get(column, 0)
            cell = Cell("") if from_above else next(cells, Cell(""))
            made.append(self._cell(row, cell, column, number))
            self.covered[column] = from_above - 1 if from_above else cell.rows - 1
            column += cell.columns
        return made

    def _cell(self, row: Row, cell: Cell, column: int, number: int):
        width = sum(self.layout.widths[column : column + cell.columns])
        merged = None
        if cell.rows > 1:
            merged = element("w:vMerge", w_val="restart")
        elif self.covered.get(column):
            merged = element("w:vMerge")
        properties = element(
            "w:tcPr",
            element("w:tcW", w_w=twips(width), w_type="dxa"),
            element("w:gridSpan", w_val=cell.columns) if cell.columns > 1 else None,
            merged,
            element("w:vAlign", w_val="bottom" if self._is_head(number) else "top"),
        )
        return element("w:tc", properties, self._paragraph(row, cell, column, number))

    def _paragraph(self, row: Row, cell: Cell, column: int, number: int):
        is_head, is_number, size = self._is_head(number), self.table.numeric[column], self.layout.size
        detail = f"\n{cell.detail}" if cell.detail else ""
        return paragraph(
            "TableText",
            run("■ ", colour=cell.colour, size=size) if cell.colour else None,
            *self._text(cell, is_head or row.kind == "group" or None),
            run(detail, bold=False, size=size) if detail else None,
            keep=self._keeps(row, number) or None,
            tab=("decimal", self._point(column)) if is_number and cell.whole else None,
            indent=INDENT if row.kind == "sub" and column == 0 else 0,
            centred=not cell.whole and (is_number if cell.columns == 1 else is_head),
        )

    def _text(self, cell: Cell, bold: bool | None) -> list:
        """The cell's text; its lines are links where the headings they name are in the document."""
        size = self.layout.size
        if not cell.links:
            return [run(cell.text, bold=bold, size=size)]
        made = []
        for text, name in cell.links:
            line = run(text, size=size)
            made += [run("\n", size=size)] if made else []
            made.append(link(self.places[name], line) if name in self.places else line)
        return made

    def _is_head(self, number: int) -> bool:
        return number < len(self.table.head)

    def _keeps(self, row: Row, number: int) -> bool:
        """Whether a row stays with the next: all of a short table, the head and its first rows, a heading across."""
        short = len(self.table.body) <= WHOLE_ROWS
        if number == len(self.rows) - 1:
            return short and bool(self.table.notes)
        return short or number < len(self.table.head) + 2 or row.kind == "group"

    def _point(self, column: int) -> float:
        """Place of the decimal point in a column, so that its numbers stand in the middle."""
        before, after = (self.layout.size * width for width in alignment(self.table, column))
        inner = self.layout.widths[column] - 2 * PADDING
        return max(before, (inner - before - after) / 2 + before)
