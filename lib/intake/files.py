"""Files -> text: the only reader of data files. Every cell is text, every row keeps its number in the file.

How each kind of file is opened stands in lib/intake/formats. Nothing outside the study's folder is opened.
What the columns mean is not known here (lib/intake/schemas.py).
"""

from __future__ import annotations

__all__ = ["Source", "read_files", "read_sources"]

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lib.intake.cells import TEXT, Sheet, Unreadable
from lib.intake.formats import archive, readers, redcap
from lib.study.study import Study
from lib.study.yaml_file import Problem, shown


@dataclass(frozen=True)
class Source:
    """One table as its file holds it.

    Attributes
    ----------
    file : str
        File name, with the sheet in brackets.
    frame : DataFrame of text, index = row in the file (the header is row 1)
        Under our names where study.yml maps them; empty cells are missing. In a large table (lib/study/limits.py) a column of few
        texts is a Categorical of them.
    theirs : dict of str to str
        Our name -> the file's own, for messages.
    ignored : tuple of str
        Columns of the file, by its own names, that `frame` leaves out, as nobody knows them.
    """

    file: str
    frame: pd.DataFrame
    theirs: dict[str, str]
    ignored: tuple[str, ...] = ()


def read_sources(study: Study) -> tuple[dict[str, Source], list[Problem]]:
    """Read every table that study.yml names.

    Parameters
    ----------
    study : lib.study.study.Study

    Returns
    -------
    sources : dict of str to Source
        The tables that could be read.
    problems : list of Problem
        E001 not found, E002 no rows, E005 duplicate column, E006 encoding, E090 formula without a value, E101 refused,
        E104 not readable, E105 two sources; W006 what was assumed of how a file is to be read.
    """
    sources, problems = {}, []
    others = _other_sources(study.folder)
    opened: dict[str, dict[str, Callable[[], Sheet]]] = {}
    for name, table in study.tables.items():
        file = table.file
        try:
            if file not in opened:
                opened[file] = readers.open_sheets(_inside(study.folder, file))
            sheet, read = _wanted(opened[file], table.sheet, name, file)
            file = f"{file} [{sheet}]" if sheet else file
            found = read()
            problems += [Problem(error.code, str(error), file=file, row=error.row, column=error.column) for error in found.without_values.values()]
            sources[name] = _source(file, table.columns, found)
            problems += [Problem("W006", note, file=file) for note in found.notes]
        except Unreadable as error:
            problems.append(Problem(error.code, str(error), file=file, row=error.row, column=error.column))
        twice = [other for other in others.get(name, []) if other != file]
        if twice:
            message = f"two sources for {name}: {file} and {', '.join(twice)}; keep one"
            problems.append(Problem("E105", message, file=file))
    return sources, problems


def _wanted(sheets: dict[str, Callable], sheet: str, table: str, file: str) -> tuple[str, Callable[[], Sheet]]:
    """The sheet that holds a table, by its name unless the file is one table; and what reads it."""
    if len(sheets) == 1 and not file.lower().endswith(readers.WORKBOOKS):
        return "", next(iter(sheets.values()))
    wanted = sheet or table
    if wanted not in sheets:
        raise Unreadable("E001", f"sheet not found: {wanted}; there are {', '.join(map(shown, sheets))}")
    return wanted, sheets[wanted]


def _other_sources(folder: Path) -> dict[str, list[str]]:
    """Table -> every file, and sheet of a workbook, in the folder that bears its name."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()):
        extension = path.suffix.lower()
        if extension in readers.WORKBOOKS and not path.is_symlink() and not path.name.startswith("~$"):
            try:
                sheets = readers.open_sheets(path)
            except Unreadable:  # a workbook that no table needs may be anything
                continue
            for sheet in sheets:
                found.setdefault(sheet, []).append(f"{path.name} [{sheet}]")
        elif extension in readers.EXTENSIONS:
            found.setdefault(path.stem, []).append(path.name)
    return found


def read_files(paths: list[Path]) -> tuple[dict[str, Sheet], list[Problem]]:
    """Read everything in some files, whatever it is about.

    Parameters
    ----------
    paths : list of Path
        Files of any kind in lib/intake/formats/readers.py, folders, archives (.zip).

    Returns
    -------
    sheets : dict of str to Sheet
        Those that hold anything, by the name of the sheet, of the file where there are no sheets, or of both where two have
        one name. An export of REDCap is parted, and its data dictionary put to use.
    problems : list of Problem
        As `read_sources` has them: E001, E006, E090, E101, E104.
    """
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for path, shown_name in _expanded(paths, problems):
        try:
            found = {name: read() for name, read in readers.open_sheets(_inside(path.parent, path.name)).items()}
        except Unreadable as error:
            problems.append(Problem(error.code, str(error), file=shown_name, row=error.row, column=error.column))
            continue
        for name, sheet in found.items():
            if any(sheet.header):
                sheets[_free(name, path, sheets)] = replace(sheet, frame=sheet.frame.astype(TEXT))
    dictionaries = [name for name, sheet in sheets.items() if redcap.is_dictionary(sheet)]
    for name in dictionaries:
        dictionary = sheets.pop(name)
        sheets = redcap.without_codes(sheets, dictionary)
    parted = {}
    for name, sheet in sheets.items():
        for part, own in redcap.without_repeats(name, sheet).items():
            parted[part if part not in parted else f"{name} {part}"] = own
    return parted, problems


def _expanded(paths: list[Path], problems: list[Problem]) -> Iterator[tuple[Path, str]]:
    """Each file, and how it is called; of a folder all that can be read."""
    for path in paths:
        if not path.is_dir() or path.is_symlink():
            yield path, shown(path.name)
            continue
        files = archive.files_in(path)[0]
        if not files:
            problems.append(Problem("E001", "no file in this folder can be read", file=shown(path.name)))
        yield from ((file, shown(file.relative_to(path))) for file in files)


def _free(name: str, path: Path, taken: dict) -> str:
    """The name, or one that is not taken yet."""
    names = [name, f"{path.stem} {name}", *(f"{path.stem} {name} ({n})" for n in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)


def _inside(folder: Path, name: str) -> Path:
    """Path of a file in the study's own folder."""
    path = folder / name
    if path.is_symlink():
        raise Unreadable("E101", "a symbolic link is refused: put the file itself into the study's folder")
    if not path.exists():
        near = difflib.get_close_matches(name, [p.name for p in folder.iterdir()], 1) if folder.is_dir() else []
        raise Unreadable("E001", f"file not found: {name}" + (f" (did you mean {near[0]}?)" if near else ""))
    return path


def _source(file: str, mapped: dict[str, str], sheet: Sheet) -> Source:
    """Check the header, drop empty rows, and rename to our names."""
    header = [name or f"(column {i} without a name)" for i, name in enumerate(sheet.header, 1)]
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        names = ", ".join(sorted(shown(name) for name in twice))
        raise Unreadable("E005", f"more than once in the header: {names}; keep one", row=1, column=names)
    frame = sheet.frame.set_axis(header, axis="columns").dropna(how="all")
    if frame.empty:
        raise Unreadable("E002", "no rows below the header; if there are none, take the table out of study.yml")
    if not any(sheet.header):
        raise Unreadable("E104", "not readable: the first row, the header, is empty", row=1)
    ours = {theirs: our for our, theirs in mapped.items()}
    # A column that bears our name, while study.yml takes that name from another one, is not the one meant.
    frame = frame.drop(columns=[name for name in header if name in mapped and name not in ours])
    return Source(file, frame.rename(columns=ours), {ours.get(name, name): name for name in header})
