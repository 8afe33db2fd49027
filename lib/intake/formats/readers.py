"""The table of formats: extension -> the module that opens it. What a file is that no module opens is said by its first bytes.

Nothing is evaluated, no link is followed, and a file larger than it should be is refused before it is unpacked.
"""

from __future__ import annotations

__all__ = ["EXTENSIONS", "WORKBOOKS", "looks_like", "open_sheets"]

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path

from lib.intake.cells import Sheet, Unreadable
from lib.study.words import grouped
from lib.study.yaml_file import shown

# What is larger is a mistake or an attack on the memory; only Parquet is meant for more than a million patients.
MAX_BYTES = 500_000_000
# A module is imported when the first file of its kind is opened: most studies need one of them.
MODULES = {
    "delimited": (".csv", ".tsv", ".txt", ".dat"),
    "workbook": (".xlsx",),
    "other_workbooks": (".xls", ".xlsb", ".ods"),
    "parquet": (".parquet",),
    "statistical": (".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt"),
    "dataset_json": (".json",),
    "r_data": (".rds", ".rda", ".rdata"),
    "archive": (".zip",),
}
EXTENSIONS = {extension: module for module, extensions in MODULES.items() for extension in extensions}
# Their sheets are called by name; a file of any other kind that holds one table need not name it.
WORKBOOKS = (*MODULES["workbook"], *MODULES["other_workbooks"])
# Kinds of files that people have tables in, and how to bring these.
ELSEWHERE = {
    ".xlsm": "a workbook that can run macros; save it as .xlsx",
    ".doc": "a Word document; copy its table into a workbook",
    ".docx": "a Word document; copy its table into a workbook",
    ".pdf": "a PDF; ask for the table that it was made of",
    ".sas7bcat": "a catalogue of SAS formats; export the data with their labels, or as .sav or .dta",
    ".jmp": "a file of JMP; export it as .csv",
    ".mdb": "a database of Access; export each table as .csv",
    ".accdb": "a database of Access; export each table as .csv",
    ".xml": "XML; for CDISC ODM, export the tables as .csv or .xpt",
    ".7z": "an archive; unpack it, or use .zip",
    ".rar": "an archive; unpack it, or use .zip",
    ".gz": "a packed file; unpack it",
    ".numbers": "a workbook of Numbers; export it as .xlsx",
}
# First bytes, whatever the name says: the extensions that they belong to, and what to say of them under another.
OLE = b"\xd0\xcf\x11\xe0"
PACKED = "as files of R are (.rds, .rda); unpack any other"
MAGIC = {
    b"PK\x03\x04": ((".xlsx", ".xlsb", ".ods", ".zip"), "it is an Excel workbook or a zip archive"),
    OLE: ((".xls",), "it is an old (.xls) or password-protected workbook; save it as .xlsx without a password"),
    b"PAR1": ((".parquet",), "it is a Parquet file"),
    b"$FL2": ((".sav", ".zsav"), "it is an SPSS file (.sav)"),
    b"$FL3": ((".sav", ".zsav"), "it is an SPSS file (.zsav)"),
    b"ENCRYPTEDSAV": ((), "it is a password-protected SPSS file; save it without a password"),
    b"<stata_dta>": ((".dta",), "it is a Stata file (.dta)"),
    b"HEADER RECORD*******LIB": ((".xpt",), "it is a SAS transport file (.xpt)"),
    bytes(12) + b"\xc2\xea\x81\x60": ((".sas7bdat",), "it is a SAS file (.sas7bdat)"),
    b"RDX": ((".rda", ".rdata"), "it is a file of R (.rda)"),
    b"\x1f\x8b": ((".rds", ".rda", ".rdata"), f"it is packed (gzip), {PACKED}"),
    b"BZh": ((".rds", ".rda", ".rdata"), f"it is packed (bzip2), {PACKED}"),
    b"\xfd7zXZ": ((".rds", ".rda", ".rdata"), f"it is packed (xz), {PACKED}"),
    b"%PDF": ((), "it is a PDF; ask for the table that it was made of"),
    b"7z\xbc\xaf": ((), "it is an archive (7z); unpack it, or use .zip"),
    b"Rar!": ((), "it is an archive (rar); unpack it, or use .zip"),
    b"SQLite": ((), "it is a database (SQLite); export its tables as .csv"),
    b"{\\rtf": ((), "it is a text document (RTF); copy its table into a workbook"),
}
MARKUP = (b"<!doctype html", b"<html", b"<table", b"<?xml")


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """Open a file.

    Parameters
    ----------
    path : Path
        A plain file of a kind in `EXTENSIONS`.

    Returns
    -------
    dict of str to function
        Sheet -> what reads it; its only sheet has the name of the file where sheets have none.

    Raises
    ------
    Unreadable
        E101 refused, E104 not readable: here and when a sheet is read.
    """
    extension = path.suffix.lower()
    _check(path, extension)
    found = _said(lambda: importlib.import_module(f"lib.intake.formats.{EXTENSIONS[extension]}").open_sheets(path), path)
    return {sheet: lambda read=read: _said(read, path) for sheet, read in found.items()}


def _check(path: Path, extension: str) -> None:
    if extension not in EXTENSIONS:
        hint = ELSEWHERE.get(extension) or (looks_like(path) if path.is_file() else "")
        kind = f"the extension is {shown(extension) or 'missing'}"
        raise Unreadable("E104", f"not readable: {kind}{': ' + hint if hint else ''}; known are {', '.join(EXTENSIONS)}")
    if not path.is_file():
        raise Unreadable("E104", f"not readable as {extension}: not a file")
    if path.stat().st_size == 0:
        raise Unreadable("E104", f"not readable as {extension}: the file has 0 bytes")
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable("E101", f"larger than {grouped(MAX_BYTES)} bytes")
    if kind := looks_like(path):
        raise Unreadable("E104", f"not readable as {extension}: {kind}")


def looks_like(path: Path) -> str:
    """Say what a file is by its first bytes, where its name says something else; nothing where it may be what it says."""
    with path.open("rb") as file:
        start = file.read(600)
    if start.startswith(OLE) and "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        return "it is a password-protected workbook; save it without a password"
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(MARKUP):
        return "it is a page (HTML or XML), as some programs write under the name of a table; save it as .xlsx or .csv"
    for magic, (own, said) in MAGIC.items():
        if start.startswith(magic):
            return "" if path.suffix.lower() in own else said
    return ""


def _said(step: Callable, path: Path):
    """Result of a step of reading; whatever goes wrong is one sentence that names the file's kind."""
    try:
        with warnings.catch_warnings():
            # the readers warn of what they leave out (drop-down lists, printing, notes); values are complete
            warnings.simplefilter("ignore")
            return step()
    except Unreadable:
        raise
    except Exception as error:
        # The readers raise almost anything on a damaged or hostile file; none of it is a defect here.
        reason = shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise Unreadable("E104", f"not readable as {path.suffix.lower()}: {reason}") from None
