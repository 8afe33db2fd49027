"""Every number on every page is a number of results.csv, rounded; tables, pictures and sentences compute none.

A number may also be a setting (study.yml, the parameters, what a model derives from them) or stand in the words of the
code or of study.yml themselves ("p below 0.05", a citation). Single patients' data (listings, profiles) are data.
"""

import ast
import html
import io
import re
from calendar import month_name
from functools import cache

import numpy as np
import pandas as pd
import pytest
from notebook_cells import NOTEBOOKS, shipped
from pydantic import BaseModel
from ruamel.yaml import YAML

from lib.analyses.result import Analysis
from lib.report.results import STATISTICS
from lib.show.display import Figure, Table
from lib.statistics.comparisons import ALPHA, RECIPROCALS
from lib.study.clinic.tumour import CRITERIA
from lib.study.provenance import package_versions
from lib.study.study import ROOT

pytestmark = pytest.mark.notebook

STUDIES = ("data/rair_dtc", "data/colon")
EVERY = [(name, study) for study in STUDIES for name in NOTEBOOKS]
NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)[−-]?(?:\d{1,3}(?:\u202f\d{3})+|\d+)(?:\.\d+)?(?![\w])")
BOUND = re.compile(r"([<>]) ?(0\.001|0\.999)\b")
DATE = re.compile(rf"\b\d{{4}}-\d{{2}}(-\d{{2}})?\b|\b({'|'.join(month_name[1:])}) \d{{4}}\b")
# Rows of these are single patients, or names of rules and items with numbers of their own.
LISTINGS = ("ae_listing", "reader_disagreements", "liver_cases", "queries", "checklist_strobe", "checklist_record", "declarations")
PATIENTS = re.compile("profile_|.*_slopes$")
# Recorded with a sign, shown in words: "halves in 16 months"; numbers needed are shown as whole patients, rounded up.
HALVES = "_doubling_time"
# What a report says of itself stands in run.json, under verdicts and results; methods and their sources are held by
# tests/report/test_results.py.
OF_ITSELF = ("verdict", "results", "text")


def _texts(item):
    """What a reader sees of a table, a picture or a sentence."""
    if isinstance(item, list | tuple):
        for part in item:
            yield from _texts(part)
    elif isinstance(item, str):
        yield item
    elif isinstance(item, Table) and item.id not in LISTINGS and not PATIENTS.match(item.id):
        yield from (item.title, *item.notes)
        yield from (text for column in item.columns for text in (column.label, column.detail))
        yield from (str(cell) for row in item.rows for cell in row.cells)
    elif isinstance(item, Figure) and not PATIENTS.match(item.id):
        # Ticks of the axes are a scale, no numbers.
        drawn = re.sub(r'<g id="[^"]*[xy]tick_\d+">.*?\n {3}</g>\n', "", re.sub("<!--.*?-->", "", item.svg, flags=re.DOTALL), flags=re.DOTALL)
        yield from (html.unescape(re.sub("<[^>]+>", "", text)) for text in re.findall("<text[^>]*>(.*?)</text>", drawn, re.DOTALL))
        yield from (item.alt, item.title)


def _analyses(given):
    for item in given:
        if isinstance(item, Analysis):
            yield item
        elif isinstance(item, list | tuple):
            yield from _analyses(item)


def _recorded(analyses) -> np.ndarray:
    """Numbers of frames that are in results.csv, with the times that they are about."""
    frames = [frame for analysis in analyses for frame in analysis.frames.values()]
    columns = [frame[column] for frame in frames for column in frame if column in STATISTICS or column == "time"]
    columns += [np.ceil(frame[column].abs()) for frame in frames for column in frame if column in RECIPROCALS]
    times = [frame for analysis in analyses for name, frame in analysis.frames.items() if name.endswith(HALVES)]
    columns += [frame[column].abs() for frame in times for column in ("median", "q1", "q3")]
    return np.unique(np.concatenate([pd.to_numeric(c, errors="coerce").dropna().to_numpy(float) for c in columns] or [[]]))


def _results(shown) -> np.ndarray:
    rows = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    whole = np.ceil(rows.loc[rows["statistic"].isin(RECIPROCALS), "value"].abs())
    halves = rows.loc[rows["output"].str.endswith(HALVES), "value"].abs()
    return np.unique(np.concatenate([rows["value"].dropna(), rows["time"].dropna(), whole.dropna(), halves.dropna()]))


def _settings(thing):
    """Every number of study.yml and the parameters, and what their models derive from them."""
    if isinstance(thing, BaseModel):
        derived = [name for name, what in vars(type(thing)).items() if isinstance(what, property) and name.endswith("_percent")]
        yield from _settings([getattr(thing, name) for name in (*type(thing).model_fields, *derived)])
    elif isinstance(thing, dict | list | tuple):
        for part in thing.values() if isinstance(thing, dict) else thing:
            yield from _settings(part)
    elif not isinstance(thing, bool) and re.fullmatch(r"-?\d+(\.\d+)?", str(thing)):
        yield float(thing)


def _chosen(data) -> list[float]:
    """What was chosen or is known before anything is computed: settings, the level, the limit of p, who is in the report."""
    other_rules = [data.study.response.by(criteria) for criteria in CRITERIA] if data.study.response else []
    given = [*_settings(data.study), *_settings(other_rules), *_settings(data.parameters), 100 * data.parameters.level, ALPHA]
    return [*given, *data.n, len(data.patients), *(float(text) for text in _checklists() if text.isdigit())]


@cache
def _checklists() -> tuple[str, ...]:
    """Texts and numbers of the items of the reporting guidelines."""
    folder = ROOT / "lib" / "analyses" / "cohort" / "checklists"
    return tuple(text for path in sorted(folder.glob("*.yml")) for text in _strings(YAML(typ="safe").load(path.read_text("utf-8"))))


@cache
def _words_of_the_code() -> tuple[str, ...]:
    """Pieces of the texts that the code writes, which hold a number: the longest first."""
    pieces = set()
    for path in (ROOT / "lib").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        pieces |= texts | {piece for text in texts for piece in re.split(r"\{\w+\}", text)}  # a message says its numbers in between
    pieces |= set(_checklists())
    return _with_numbers(pieces)


def _with_numbers(texts) -> tuple[str, ...]:
    """Those that are more than a number: with letters, or with signs as a DOI."""
    return tuple(sorted((t for t in texts if re.search(r"\d", t) and re.search(r"[A-Za-z]{2}|/\d", t)), key=len, reverse=True))


@cache
def _words_of_the_study(study: str) -> tuple[str, ...]:
    content = [YAML(typ="safe").load((ROOT / study / name).read_text("utf-8")) for name in ("study.yml", "published.yml") if (ROOT / study / name).exists()]
    return _with_numbers(_strings(content))


def _strings(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for part in [*node, *node.values()] if isinstance(node, dict) else node:
            yield from _strings(part)


def _known(token: str, values: np.ndarray) -> bool:
    """Whether a value, or a proportion in percent, is shown as this."""
    decimals = len(token.partition(".")[2])
    number = float(token.replace("−", "-").replace("\u202f", ""))
    allowed = 0.5 * 10.0**-decimals + 1e-9
    shares = values[np.abs(values) <= 1]
    return bool((np.abs(values - number) <= allowed).any() or (np.abs(100 * shares - number) <= allowed).any())


def _unknown(text: str, values: np.ndarray, left_out: tuple[str, ...]) -> list[str]:
    """Numbers of a text that are none of the values, with what stands around them."""
    for piece in left_out:
        text = text.replace(piece, " ")
    text = DATE.sub(" ", text)
    p = values[(values >= 0) & (values <= 1)]
    found = [m[0] for m in BOUND.finditer(text) if not ((p < 0.001) if m[1] == "<" else (p > 0.999)).any()]
    text = BOUND.sub(" ", text)
    return found + [text[max(0, m.start() - 40) : m.end() + 20] for m in NUMBER.finditer(text) if not _known(m[0], values)]


@pytest.mark.parametrize(("name", "study"), EVERY)
def test_what_a_table_a_picture_or_a_sentence_shows_is_what_it_was_given(name, study):
    """Each number is one of the analyses that were handed over, as results.csv holds them."""
    shown = shipped(name, study)
    data, everything = shown.names["page"].data, _results(shown)
    settings = _chosen(data)
    left_out = (*_words_of_the_study(study), *_words_of_the_code())
    wrong = []
    for call in shown.calls:
        analyses = list(_analyses(call.given))
        values = np.concatenate([_recorded(analyses) if analyses else everything, settings])
        wrong += [(call.name, around) for text in _texts(call.result) for around in _unknown(text, values, left_out)]
    assert wrong == []
    assert len(shown.calls) > 10


@pytest.mark.parametrize("audience", ["internal", "share"])
@pytest.mark.parametrize(("name", "study"), EVERY)
def test_every_number_of_a_page_is_in_results_csv(name, study, audience):
    """Whatever the notebook put out: header, key results, tables, pictures, sentences, methods; shared, what is shared."""
    shown = shipped(name, study, audience)
    data = shown.names["page"].data
    values = np.concatenate([_results(shown), _chosen(data)])
    methods = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))["method"].dropna().unique()
    engines = [f"{name} {version}" for name, version in package_versions().items()]
    left_out = (*engines, *_words_of_the_study(study), *_with_numbers(methods), *_words_of_the_code())
    wrong = []
    for bundle, metadata in shown.outputs:
        record = metadata.get("cohort_report", {})
        if record.get("kind") in OF_ITSELF or record.get("id") in LISTINGS or PATIENTS.match(str(record.get("id", ""))):
            continue
        # A table's plain text is all of it; of what has no other form, the page shows the HTML.
        plain = record.get("kind") in ("table", "figure") or "text/html" not in bundle
        text = bundle["text/plain"] if plain else re.sub("<[^>]+>", " ", bundle["text/html"])
        wrong += [(record.get("id", ""), around) for around in _unknown(html.unescape(text), values, left_out)]
    assert wrong == []


def test_a_number_that_is_not_recorded_is_noticed():
    """A wrong digit, a number on another scale, a difference computed on the way: what the tests above are for."""
    values = np.array([0.42, -0.864, 18.65, 52.0, 0.0004])
    assert _unknown("0.42 (42%) of 52; 18.7; p <0.001", values, ()) == []
    assert [around.split()[-1] for around in _unknown("A ratio of 0.43", values, ())] == ["0.43"]
    assert _unknown("12/52 and 52/13", values, ()) != []
    assert _unknown("p >0.999", values, ()) == [">0.999"]
    assert _unknown("p below 0.05 in 2018-04", values, ("p below 0.05",)) == []
    assert _unknown("Iodine-125, SYN-048", values, ()) == []


COMPUTES = (ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


@pytest.mark.parametrize("path", sorted((ROOT / "lib" / "show").glob("[ts]*s/**/*.py")), ids=lambda p: "-".join(p.parts[-2:]))
def test_tables_and_sentences_compute_nothing(path):
    """No product, quotient, power or logarithm: numbers come from analyses, and formats alone knows of percent."""
    tree = ast.parse(path.read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"numpy", "scipy"}
    found = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, COMPUTES) and not isinstance(node.left, ast.List | ast.Tuple)
    ]
    assert found == []
