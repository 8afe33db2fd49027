"""Files of kinds that no library here writes, made by hand: a minimal .xls, .xlsb and .ods; and cells as a test compares them."""

from __future__ import annotations

__all__ = ["cells", "ods", "only_sheet", "sheets", "with_kept_values", "xls", "xlsb"]

import io
import re
import struct
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

from lib.intake.cells import Sheet
from lib.intake.formats.readers import open_sheets

OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"


def sheets(path: Path) -> dict[str, Sheet]:
    return {name: read() for name, read in open_sheets(path).items()}


def only_sheet(path: Path) -> Sheet:
    (sheet,) = sheets(path).values()
    return sheet


def cells(sheet: Sheet) -> list[list]:
    frame = sheet.frame.astype(object)
    return [sheet.header, *frame.where(frame.notna(), "").to_numpy().tolist()]


def ods(path: Path, tables: dict[str, list[list]], row: str = "") -> Path:
    """Write numbers, texts, days (as `date:2020-01-02`) and formulas with their value (as `=A1:3`); `row` is raw XML."""
    body = ""
    for name, rows in tables.items():
        lines = "".join("<table:table-row>" + "".join(map(_ods_cell, cells)) + "</table:table-row>" for cells in rows)
        body += f'<table:table table:name="{name}">{lines}{row}</table:table>'
    names = " ".join(f'xmlns:{one}="{OFFICE}{one}:1.0"' for one in ("office", "table", "text"))
    content = f"<office:document-content {names}><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f'<?xml version="1.0" encoding="UTF-8"?>{content}')
        archive.writestr("META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>')
    return path


def _ods_cell(value) -> str:
    if value == "":
        return "<table:table-cell/>"
    if isinstance(value, str) and value.startswith("="):
        formula, _, kept = value.partition(":")
        return f'<table:table-cell table:formula="of:{formula}" office:value-type="float" office:value="{kept}"><text:p>{kept}</text:p></table:table-cell>'
    if isinstance(value, str) and value.startswith("date:"):
        return f'<table:table-cell office:value-type="date" office:date-value="{value[5:]}"><text:p>{value[5:]}</text:p></table:table-cell>'
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'


def xlsb(path: Path, name: str, rows: list[list], first_row: int = 0, far: tuple[int, int] | None = None) -> Path:
    """Write numbers and texts; `far` is the place of one more cell."""
    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    def record(kind: int, content: bytes = b"") -> bytes:
        numbered = bytes([kind]) if kind < 0x80 else bytes([kind & 0xFF, kind >> 8])
        size, length = b"", len(content)
        while True:
            size += bytes([length & 0x7F | (0x80 if length > 0x7F else 0)])
            length >>= 7
            if not length:
                return numbered + size + content

    def row(number: int, values: dict) -> bytes:
        made = record(0, struct.pack("<IIHBBBI", number, 0, 0, 0, 0, 0, 0))
        for column, value in values.items():
            head = struct.pack("<II", column, 0)
            made += record(6, head + text(value)) if isinstance(value, str) else record(5, head + struct.pack("<d", value))
        return made

    placed = [(first_row + i, {j: v for j, v in enumerate(r) if v != ""}) for i, r in enumerate(rows)]
    placed += [(far[0], {far[1]: 1.0})] if far else []
    last = (placed[-1][0], max(max(values, default=0) for _, values in placed))
    sheet = record(0x0181) + record(0x0194, struct.pack("<IIII", 0, last[0], 0, last[1])) + record(0x0191)
    sheet += b"".join(row(number, values) for number, values in placed) + record(0x0192) + record(0x0182)
    book = record(0x0183) + record(0x018F) + record(0x019C, struct.pack("<II", 0, 1) + text("rId1") + text(name))
    book += record(0x0190) + record(0x0184)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{kind}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>')
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return path


def with_kept_values(raw: bytes, kept: dict[str, str]) -> bytes:
    """A workbook of openpyxl, with the values that Excel keeps beside formulas: cell -> value, or an empty text."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(changed, "w") as target:
        for item in source.infolist():
            text = source.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                text = text.decode()
                for place, value in kept.items():
                    is_text = "" if re.fullmatch(r"[\d.]+", value) else ' t="str"'
                    text = re.sub(rf'<c r="{place}"><f>(.*?)</f><v ?/?>(</v>)?', rf'<c r="{place}"{is_text}><f>\1</f><v>{value}</v>', text)
            target.writestr(item.filename, text)
    return changed.getvalue()


def xls(path: Path, name: str, rows: list[list], stream: str = "Workbook") -> Path:
    """Write numbers and texts as BIFF 8 in its compound file, in which `stream` is the name of the only stream."""
    def record(kind: int, content: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    def label(i: int, j: int, value: str) -> bytes:
        return record(0x0204, struct.pack("<HHHHB", i, j, 0, len(value), 1) + value.encode("utf-16-le"))

    def number(i: int, j: int, value: float) -> bytes:
        return record(0x0203, struct.pack("<HHHd", i, j, 0, value))

    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    size = len(begin) + len(record(0x0085, bytes(8 + 2 * len(name)))) + len(record(0x000A))
    book = begin + record(0x0085, struct.pack("<IBBBB", size, 0, 0, len(name), 1) + name.encode("utf-16-le")) + record(0x000A)
    book += record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    for i, row in enumerate(rows):
        book += b"".join((label if isinstance(v, str) else number)(i, j, v) for j, v in enumerate(row) if v != "")
    book += record(0x000A)
    book += bytes(max(4096, -(-len(book) // 512) * 512) - len(book))
    sectors = len(book) // 512
    # sector 0 is the table of sectors, 1 the directory, the stream begins at 2
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + sectors), 0xFFFFFFFE]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")

    def entry(title: str, kind: int, child: int, start: int, length: int) -> bytes:
        named = title.encode("utf-16-le") + b"\0\0"
        head = named.ljust(64, b"\0") + struct.pack("<HBBIII", len(named), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return head + bytes(36) + struct.pack("<IQ", start, length)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(stream, 2, 0xFFFFFFFF, 2, len(book))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0)
    path.write_bytes(header.ljust(512, b"\xff") + table + folder.ljust(512, b"\0") + book)
    return path
