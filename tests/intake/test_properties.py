"""Whatever stands in the files, the answer is a set of clean tables or ProblemsFound; never a traceback."""

from __future__ import annotations

import io
import random
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_builder import TABLES, good_tables, study_text, write_study

from lib.intake import schemas
from lib.intake.cells import TEXT
from lib.intake.columns import columns_of
from lib.intake.tables import read_tables, write_queries
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

COLUMNS = [(table, column) for table, frame in good_tables().items() for column in frame]
NASTY = [
    "", " ", "0", "-1", "1", "2", "0.0", "1e999", "nan", "NaT", "inf", "None", "TRUE", "A", "C", "SYN-01", "SYN-02-1", "tg",
    "2020-01-01", "2025-12-31", "0001-01-01", "9999-12-31", "2020-02-30", "20200101", "{patient_id}", "{0}", "{", "%s", "\\",
    "=cmd|'/c calc'!A0", "<script>alert(1)</script>", "'; DROP TABLE patients; --", "\u202etxt", "\u0000", "a\nb", '"', ",",
    "é", "１２", "٣", "💥", "x" * 300, "9" * 30, "absent", "too_small",
]  # fmt: skip
values = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.floats().map(str)
)
change = st.one_of(
    st.tuples(st.just("cell"), st.sampled_from(COLUMNS), st.integers(0, 30), values),
    st.tuples(st.just("column"), st.sampled_from(COLUMNS), values),
    st.tuples(st.just("drop"), st.sampled_from(COLUMNS)),
    st.tuples(st.just("rename"), st.sampled_from(COLUMNS), values),
    st.tuples(st.just("again"), st.sampled_from(TABLES), st.integers(0, 30)),
    st.tuples(st.just("without"), st.sampled_from(TABLES), st.integers(0, 30)),
    st.tuples(st.just("shuffle"), st.sampled_from(TABLES)),
)
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def spoil(tables: dict[str, pd.DataFrame], kind: str, where, *rest) -> None:
    table, column = where if isinstance(where, tuple) else (where, "")
    frame = tables[table]
    if column and column not in frame:
        return
    if kind == "cell" and len(frame):
        frame = frame.copy()
        frame.iloc[rest[0] % len(frame), frame.columns.get_loc(column)] = rest[1]
    elif kind == "column":
        frame = frame.assign(**{column: rest[0]})
    elif kind == "drop":
        frame = frame.drop(columns=column)
    elif kind == "rename" and rest[0] not in frame:
        frame = frame.rename(columns={column: rest[0]})
    elif kind == "again" and len(frame):
        frame = pd.concat([frame, frame.iloc[[rest[0] % len(frame)]]])
    elif kind == "without" and len(frame):
        frame = frame.drop(frame.index[rest[0] % len(frame)])
    elif kind == "shuffle":
        frame = frame.sample(frac=1, random_state=1)
    tables[table] = frame.reset_index(drop=True)


def answer(folder: Path) -> list:
    """Problems or none; anything but a clean result or ProblemsFound fails the test."""
    try:
        tables = read_tables(read_study(folder))
    except ProblemsFound as found:
        assert any(p.severity == "error" for p in found.problems)
        for problem in found.problems:
            assert problem.code[0] in "EW"
            assert problem.message
            # what is printed is one line, without anything invisible
            assert all(c.isprintable() for c in problem.value + problem.patient_id + problem.column)
        return found.problems
    assert set(tables.queries["severity"]) <= {"warning"}
    assert tables["patients"]["patient_id"].is_unique
    assert tables["patients"]["arm"].notna().all()
    write_queries(tables.queries, folder)
    return []


@given(st.lists(change, min_size=1, max_size=6))
@quick
def test_spoilt_tables(tmp_path_factory, changes):
    tables = dict(good_tables())
    for one in changes:
        spoil(tables, *one)
    folder = tmp_path_factory.mktemp("spoilt")
    answer(write_study(folder, **{name: lambda _, frame=frame: frame for name, frame in tables.items()}))


@given(st.sampled_from(TABLES), st.binary(max_size=300), st.booleans())
@quick
def test_random_bytes(tmp_path_factory, table, raw, keep_header):
    header = ",".join(good_tables()[table]).encode() + b"\n" if keep_header else b""
    assert answer(write_study(tmp_path_factory.mktemp("bytes"), **{table: header + raw}))


@given(
    st.sampled_from(["csv", "xlsx", "parquet"]),
    st.integers(0, 2**32),
    st.sampled_from(["cut", "flip", "insert", "none"]),
)
@quick
def test_damaged_files(tmp_path_factory, kind, seed, damage):
    """A good file in each format, cut off, with bytes changed or put in."""
    folder = write_study(
        tmp_path_factory.mktemp("damaged"), lambda text: text.replace("patients.csv", f"patients.{kind}"), patients=None
    )
    raw = bytearray(GOOD_FILES[kind])
    rng = random.Random(seed)
    for _ in range(1 if damage == "cut" else 5):
        at = rng.randrange(len(raw))
        if damage == "cut":
            del raw[at:]
        elif damage == "flip":
            raw[at] = rng.randrange(256)
        elif damage == "insert":
            raw[at:at] = rng.randbytes(3)
    (folder / f"patients.{kind}").write_bytes(bytes(raw))
    problems = answer(folder)
    assert damage != "none" or not problems


def _good_files() -> dict[str, bytes]:
    patients = good_tables()["patients"]
    book = openpyxl.Workbook()
    book.active.title = "patients"
    for row in [list(patients.columns), *patients.to_numpy().tolist()]:
        book.active.append(row)
    files = {"csv": patients.to_csv(index=False).encode()}
    for kind, write in (("xlsx", book.save), ("parquet", patients.to_parquet)):
        raw = io.BytesIO()
        write(raw)
        files[kind] = raw.getvalue()
    return files


GOOD_FILES = _good_files()


@given(st.permutations(TABLES), st.integers(0, 100))
@settings(max_examples=3, deadline=None)
def test_shuffled_rows_give_the_same_tables(tmp_path_factory, order, seed):
    tables = {name: lambda frame: frame.sample(frac=1, random_state=seed) for name in order[:4]}
    shuffled = read_tables(read_study(write_study(tmp_path_factory.mktemp("shuffled"), **tables)))
    cohort = read_tables(read_study(write_study(tmp_path_factory.mktemp("good"))))
    for name in TABLES:
        pd.testing.assert_frame_equal(shuffled[name], cohort[name])


@pytest.mark.parametrize("value", NASTY)
def test_nasty_value_in_every_column_at_once(value, tmp_path):
    tables = {name: lambda frame: frame.assign(**dict.fromkeys(frame, value)) for name in TABLES}
    assert answer(write_study(tmp_path, **tables))


@given(values, st.sampled_from(["{id: A", "patients.csv", "Fatigue", "ng/mL", "unit: months", "tgab"]))
@settings(max_examples=15, deadline=None)
def test_nasty_value_in_the_study(tmp_path_factory, value, where):
    """A value of study.yml that is allowed there does no harm in a message either."""
    text = study_text().replace(where, where + value)
    folder = write_study(tmp_path_factory.mktemp("nasty"), lambda _: text)
    answer(folder)


SHIPPED = {name: read_study(ROOT / "data" / name) for name in ("rair_dtc", "colon")}
DECLARED = [column for study in SHIPPED.values() for columns in columns_of(study).values() for column in columns]
PLAUSIBLE = ["0", "1", "2", "12.5", "A", "B", "2020-01-01", "F", "SYN-01", "tg"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(DECLARED), st.booleans(), st.lists(st.one_of(st.sampled_from(PLAUSIBLE), st.none(), values), max_size=6))
def test_a_glance_at_a_column_passes_over_nothing_that_its_checks_find(column, must_be_filled, cells):
    """The glance says that all is well only where each check, one after the other, finds nothing."""
    series, checks = pd.Series(cells, dtype=TEXT), schemas._checks(column, must_be_filled)
    if schemas._is_sound(series, series.notna().to_numpy(), checks):
        for check in checks:
            failed = ~pd.Series(check.passes(series), dtype=bool) & (series.notna() if check.of_text else True)
            assert not failed.any(), check.error
