"""Whole studies, drawn by hypothesis: arms, sizes, names, types, missing values, tables, endpoints, parameters.

    @given(studies())
    def test(drawn): drawn.write(folder)

Most are valid. Some hold a mistake, which the check has to find. `random_study` draws the course of the disease.
"""

from __future__ import annotations

__all__ = ["IN_USE", "Drawn", "studies"]

import ast
import json
import keyword
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from random_study import COLOURS, LINES, MONTH, SCHEDULE, TERMS, Design, draw_tables

from lib.study.clinic import Response
from lib.study.study import ROOT, TAKEN

ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}\Z")


def names_in_use() -> list[str]:
    """Every text and every argument of the library that a study could take for an id, keywords, and what pandas calls its own."""
    found = {*dir(pd.DataFrame), *dir(pd.Series), *keyword.kwlist, "T", "index", "size", "dtype"}
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    return sorted(name for name in found if ID.match(name))


IN_USE = names_in_use()
COLUMNS_IN_USE = ["patient_id", "arm", "time_zero", "death", "death_date", "local_progression", "local_progression_date",
                  "distant_progression_date", "last_contact_date", "last_tumour_assessment", "excluded"]  # fmt: skip
TEXTS = ("Age", "Sex", "Grösse, µg/L", "女性", "5 < x & y > 3", "it's \"so\"", "50% of all", "a_b^c", "{x} {0}", "A vs B", "overall", "n = 3: no",
         "x" * 70, "Two words", "Time to the first event of any kind, whatever it was, as the protocol has it")  # fmt: skip
CODES = ("F", "M", "0", "1", "2", "yes", "no", "I", "II", "overall", "missing", "nan", "None", "a: b", "x vs y", "<5", "n", "Ü", "女")
UNITS = {"days": 1.0, "weeks": 7.0, "months": MONTH, "years": 365.25}
DATES = ("local_progression_date", "distant_progression_date", "death_date")
FLAGS = {"death_date": "death", "local_progression_date": "local_progression"}
ids = st.one_of(st.sampled_from(["os", "pfs", "x1", "Age", "a_b", "A", "B", "C"]), st.sampled_from(IN_USE), st.from_regex(ID, fullmatch=True))
texts = st.sampled_from(TEXTS)


def distinct(draw, of, least, most, without=()):
    """A list of different values."""
    kept = of.filter(lambda name: name not in without)
    return draw(st.lists(kept, min_size=least, max_size=most, unique=True))


def rarely(draw, times: int) -> bool:
    """True once in so many times; the simplest study is one in which nothing is rare."""
    return draw(st.integers(1, times)) == times


@dataclass
class Drawn:
    """A study as it would lie in a folder, and what is asked of it.

    Attributes
    ----------
    study : dict
        The content of study.yml.
    tables : dict of str to DataFrame
    parameters : dict
    form : str
        How the tables lie there: csv, xlsx or parquet.
    """

    study: dict
    tables: dict[str, pd.DataFrame]
    parameters: dict
    form: str

    def __repr__(self) -> str:
        sizes = {name: len(frame) for name, frame in self.tables.items()}
        patients = self.tables["patients"].head(12).to_csv(index=False)
        return f"{self.form} {sizes} {self.parameters}\n{json.dumps(self.study)}\n{patients}"

    def write(self, folder: Path) -> Path:
        """Write study.yml and the tables."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "study.yml").write_text(json.dumps(self.study), "utf-8")
        if self.form == "xlsx":
            with pd.ExcelWriter(folder / "tables.xlsx") as book:
                for name, frame in self.tables.items():
                    frame.to_excel(book, sheet_name=name, index=False)
        for name, frame in self.tables.items() if self.form != "xlsx" else ():
            if self.form == "csv":
                frame.to_csv(folder / f"{name}.csv", index=False)
            else:
                frame.astype("string").to_parquet(folder / f"{name}.parquet", index=False)
        return folder


@st.composite
def studies(draw) -> Drawn:
    """A study, its tables and the parameters of a report."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arms = distinct(draw, ids, 1, 6, TAKEN["arms"])
    rich = draw(st.booleans())
    most = draw(st.sampled_from([1, 3, 8] if rich else [1, 3, 8, 30, 400 // len(arms)]))
    sizes = [draw(st.integers(1, most)) for _ in arms]
    study = _frame_of_study(draw, arms)
    tables = _clinic(draw, rng, study, sizes) if rich else {"patients": _patients(draw, rng, study, sizes)}
    patients = tables["patients"]
    _add_baseline(draw, rng, study, patients)
    _add_endpoints(draw, rng, study, patients)
    _add_choices(draw, study)
    if "excluded" not in patients and rarely(draw, 6):
        patients["excluded"] = np.where(rng.random(len(patients)) < 0.3, draw(st.sampled_from(["no consent", "n", "overall"])), None)
    parameters = _parameters(draw, study, dated="time_zero" in patients)
    tables = {name: frame.astype(object).where(frame.notna(), None) for name, frame in tables.items()}
    if rarely(draw, 8):
        _spoil(draw, rng, study, tables)
    form = draw(st.sampled_from(["csv", "csv", "csv", "xlsx", "parquet"]))
    places = {name: {"file": "tables.xlsx" if form == "xlsx" else f"{name}.{form}"} for name in tables}
    study["tables"] = {name: study["tables"].get(name, {}) | place for name, place in places.items()}
    _call_otherwise(draw, study, tables["patients"])
    return Drawn(study, tables, parameters, form)


def _frame_of_study(draw, arms: list[str]) -> dict:
    unit = draw(st.sampled_from(list(UNITS)))
    given = [
        {"id": arm, "label": draw(texts), "colour": COLOURS[i], "line": LINES[i]}
        | ({"value": f"code {i}"} if rarely(draw, 5) else {})
        for i, arm in enumerate(arms)
    ]
    about = {"id": draw(ids), "title": draw(texts), "short_title": draw(texts), "synthetic": draw(st.booleans())}
    for key in ("question", "design", "citation", "funding"):
        if rarely(draw, 4):
            about[key] = draw(texts)
    policy = {key: draw(st.integers(1, most)) for key, most in (("min_at_risk", 8), ("min_events", 8), ("small_cell", 6), ("lost_after_days", 400))
              if draw(st.booleans())}  # fmt: skip
    study = {
        "study": about, "time": {"unit": unit, "days_per_unit": UNITS[unit], "zero_label": draw(texts)}, "arms": given,
        "reference_arm": draw(st.sampled_from(arms)), "tables": {}, "policy": policy,
    }  # fmt: skip
    if draw(st.booleans()):
        study["focus_arm"] = draw(st.sampled_from(arms))
    return study


def _codes_of(study: dict) -> list[str]:
    return [arm.get("value", arm["id"]) for arm in study["arms"]]


def _patients(draw, rng, study: dict, sizes: list[int]) -> pd.DataFrame:
    """Patients without any other table: ids, arms, and perhaps dates."""
    prefix = "SYN-" if study["study"]["synthetic"] else "P"
    n = sum(sizes)
    frame = pd.DataFrame({
        "patient_id": [f"{prefix}{i:04d}" for i in rng.permutation(n)], "arm": np.repeat(_codes_of(study), sizes),
    })  # fmt: skip
    if draw(st.booleans()):
        _add_dates(draw, rng, study, frame)
    return frame


def _add_dates(draw, rng, study: dict, frame: pd.DataFrame) -> None:
    """Time zero, progression, death and last contact, of which the study may know some only."""
    n = len(frame)
    zero = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, draw(st.sampled_from([1, 400, 2000])), n), unit="D")
    last = rng.integers(0, draw(st.sampled_from([1, 30, 2000])), n) + rng.integers(0, 2, n) * draw(st.integers(0, 1))
    chance = draw(st.sampled_from([0.0, 0.1, 0.6, 1.0]))
    dead = rng.random(n) < chance
    frame["time_zero"], frame["last_contact_date"] = zero, zero + pd.to_timedelta(last, unit="D")
    frame["death"], frame["death_date"] = dead.astype(int), pd.Series(frame["last_contact_date"]).where(dead)
    if draw(st.booleans()):
        progressed = rng.random(n) < chance
        day = zero + pd.to_timedelta((last * rng.random(n)).astype(int), unit="D")
        frame["local_progression"], frame["local_progression_date"] = progressed.astype(int), pd.Series(day).where(progressed)
        frame["last_tumour_assessment"] = np.where(progressed, day, frame["last_contact_date"])
        frame["last_tumour_assessment"] = pd.to_datetime(frame["last_tumour_assessment"])
    if rarely(draw, 3):
        frame["distant_progression_date"] = pd.Series(frame["last_contact_date"]).where(rng.random(n) < chance / 2)
    for column in [name for name in frame if frame[name].dtype.kind == "M"]:
        frame[column] = frame[column].dt.strftime("%Y-%m-%d")
    if draw(st.booleans()):
        study["study"]["cutoff"] = draw(st.sampled_from(["2030-01-01", "2026-06-30"]))


def _clinic(draw, rng, study: dict, sizes: list[int]) -> dict[str, pd.DataFrame]:
    """Every table of a clinic, of which some are left out again; what is drawn by `random_study`, under other names."""
    letters = "ABCDEF"[: len(sizes)]
    design = Design(
        tuple(sizes), int(rng.integers(2**31)), tuple(a for a in letters if rarely(draw, 4)),
        tuple(a for a in letters if rarely(draw, 4)), draw(st.sampled_from([0.0, 0.15, 0.6])), draw(st.booleans()),
        draw(st.sampled_from([0.0, 0.02, 0.2])),
    )  # fmt: skip
    rule = {"visits": draw(st.sampled_from([[6, 12], [3], [36]])), "node_sites": ["node"], "progression_column": "local_progression_date"}
    rule |= draw(st.sampled_from([{}, {"confirmation_days": 28, "stable_days": 42}, {"stable_days": 400}]))
    tables = draw_tables(design, Response(**rule))
    kept = {name for name in ("treatments", "adverse_events", "markers") if not rarely(draw, 4)}
    if not rarely(draw, 4):
        kept |= {"lesions", "measurements"} | ({"assessments"} if draw(st.booleans()) else set())
        study |= {"response": rule, "sites": [{"value": site, "label": draw(texts)} for site in ("node", "lung", "bone")]}
    tables = {name: frame for name, frame in tables.items() if name == "patients" or (name in kept and len(frame))}
    if "lesions" not in tables or "measurements" not in tables:
        tables = {name: frame for name, frame in tables.items() if name not in ("lesions", "measurements", "assessments")}
        study.pop("response", None)
    study["study"] |= {"synthetic": True} | ({"cutoff": "2024-12-31"} if not rarely(draw, 4) else {})
    study["visits"] = {"schedule": list(SCHEDULE), "window_days": [-20, 30]}
    study["time"] |= {"unit": "months", "days_per_unit": MONTH}
    tables["patients"]["arm"] = tables["patients"]["arm"].map(dict(zip(letters, _codes_of(study), strict=True)))
    tables["patients"] = tables["patients"].drop(columns=["age", "sex"])
    names = dict(zip(letters, [arm["id"] for arm in study["arms"]], strict=True))
    _name_treatments(draw, study, tables, names)
    _name_markers(draw, rng, study, tables)
    _name_events(draw, study, tables)
    return tables


def _name_treatments(draw, study: dict, tables: dict, names: dict[str, str]) -> None:
    if "treatments" not in tables:
        return
    called = dict(zip(("care", "drug", "implant"), distinct(draw, ids, 3, 3), strict=True))
    kinds = {"care": ("drug", "A"), "drug": ("drug", "BCDE"), "implant": ("local", "DEF")}
    components = []
    for name, (kind, arms) in kinds.items():
        given = [names[a] for a in arms if a in names]
        if given:
            doses = {"doses": [20, 10], "dose_unit": "mg"} if name == "drug" else {}
            components.append({"id": called[name], "label": draw(texts), "kind": kind, "arms": given} | doses)
    study["treatments"] = {"components": components}
    tables["treatments"]["component"] = tables["treatments"]["component"].map(called)


def _name_markers(draw, rng, study: dict, tables: dict) -> None:
    if "markers" not in tables:
        return
    crp, pain = distinct(draw, ids, 2, 2, TAKEN["markers"])
    roles = draw(st.sampled_from([("endpoint", "endpoint"), ("endpoint", "safety"), ("quality", "endpoint"), ("safety", "safety")]))
    study["markers"] = [
        {"id": crp, "label": draw(texts), "short": "CRP", "unit": "mg/L", "units": {"mg/L": 1}, "scale": "log", "role": roles[0]},
        {"id": pain, "label": draw(texts), "short": "Pain", "unit": "points", "units": {"points": 1}, "scale": "linear", "role": roles[1]},
    ]  # fmt: skip
    for marker in study["markers"]:
        if draw(st.booleans()):
            marker["visits"] = [0, 3, 6, 12]
        if marker["role"] == "safety" or rarely(draw, 4):
            marker["reference"] = draw(st.sampled_from([{"high": 10}, {"low": 1, "high": 5, "grades_above": [1, 2, 5]}, {"low": 3}]))
    if all(marker.get("reference", {}).get("high") for marker in study["markers"]) and draw(st.booleans()):
        study["liver"] = {"transaminases": [crp], "bilirubin": pain}
    frame = tables["markers"]
    frame["marker"] = frame["marker"].map({"crp": crp, "pain": pain})
    if rarely(draw, 4):
        frame["value"] = draw(st.sampled_from([0.0, 1.0, 5.0]))
        frame["below_limit"] = 0


def _name_events(draw, study: dict, tables: dict) -> None:
    if "adverse_events" not in tables:
        return
    called = dict(zip(TERMS, distinct(draw, st.one_of(texts, ids), 3, 3), strict=True))
    every = [term for terms in TERMS.values() for term in terms]
    terms = dict(zip(every, distinct(draw, st.one_of(texts, ids), len(every), len(every), ("any term",)), strict=True))
    study["adverse_events"] = {
        "dictionary": draw(texts), "systems": {called[system]: [terms[t] for t in own] for system, own in TERMS.items()},
        "landmarks": draw(st.sampled_from([[], [1, 3], [500]])),
    }  # fmt: skip
    if "treatments" in study and draw(st.booleans()):
        study["adverse_events"]["risk_windows"] = [
            {"component": c["id"], "anchor": draw(st.sampled_from(["start", "end"])), "days": draw(st.sampled_from([0, 30, 365]))}
            for c in study["treatments"]["components"]
        ]  # fmt: skip
    frame = tables["adverse_events"]
    frame["term"] = frame["term"].map(terms)
    tables["adverse_events"] = frame.drop(columns=[c for c in ("related", "serious", "action", "end_date") if rarely(draw, 5)])


def _add_baseline(draw, rng, study: dict, patients: pd.DataFrame) -> None:
    """Variables of each type, with missing values, constants and levels that nobody has; or none."""
    variables = []
    for name in distinct(draw, ids, 0, 5, {*patients, *COLUMNS_IN_USE[:2]}):
        kind = draw(st.sampled_from(["integer", "number", "category", "category"]))
        variable, n = {"id": name, "label": draw(texts), "type": kind}, len(patients)
        if kind == "category":
            codes = distinct(draw, st.sampled_from(CODES), 1, 5)
            variable["levels"] = [{"value": code, "label": draw(texts)} for code in codes]
            seen = codes[: draw(st.integers(1, len(codes)))]
            values = pd.Series(np.array(seen, dtype=object)[rng.integers(0, len(seen), n)])
        else:
            spread, shift = draw(st.sampled_from([(0, 1), (1, 0), (40, 30), (1e9, 0), (50, -20)]))
            values = pd.Series(shift + spread * rng.random(n)).round(0 if kind == "integer" else 2)
            values = values.astype("Int64") if kind == "integer" else values
            variable |= {"decimals": draw(st.integers(0, 2)), "summary": draw(st.sampled_from(["median", "mean"]))}
            variable |= draw(st.sampled_from([{}, {"unit": "mg"}, {"min": -1e10, "max": 1e10}]))
        patients[name] = values.where(rng.random(n) >= draw(st.sampled_from([0.0, 0.0, 0.2, 1.0]))).to_numpy()
        variables.append(variable)
    sources = [{"kind": "marker", "marker": m["id"]} for m in study.get("markers", ())]
    sources += [{"kind": kind} for kind in ("volume", "targets", "diameter_sum")] if "response" in study else []
    for source in sources:
        if rarely(draw, 3):
            name = distinct(draw, ids, 1, 1, {v["id"] for v in variables})[0]
            variables.append({"id": name, "label": draw(texts), "type": "number", "decimals": 1, "source": source})
    if variables or draw(st.booleans()):
        study["baseline"] = variables


def _add_endpoints(draw, rng, study: dict, patients: pd.DataFrame) -> None:
    """Endpoints from dates where there are dates, and ready-made ones."""
    endpoints, dates = [], [date for date in DATES if date in patients]
    censors = [date for date in ("last_contact_date", "last_tumour_assessment") if date in patients]
    for name in distinct(draw, ids, 1, 4, TAKEN["endpoints"]):
        endpoint = {"id": name, "label": draw(texts), "short": draw(texts)[:12], "role": draw(st.sampled_from(["primary", "secondary", "sensitivity"]))}
        endpoint |= {"definition": draw(texts), "landmarks": sorted(draw(st.sets(st.sampled_from([0.5, 6, 12, 24, 1000]), max_size=3)))}
        endpoint |= draw(st.sampled_from([{}, {"tau": 12}, {"tau": 0.01}, {"tau": 5000}]))
        if dates and censors and not rarely(draw, 4):
            events = draw(st.lists(st.sampled_from(dates), min_size=1, unique=True))
            others = [date for date in dates if date not in events]
            competing = draw(st.lists(st.sampled_from(others), unique=True)) if others else []
            endpoint |= {"events": events, "competing": competing, "censor": draw(st.sampled_from(censors))}
        else:
            endpoint |= _ready(draw, rng, study, patients)
        endpoints.append(endpoint)
    study["endpoints"] = endpoints


def _ready(draw, rng, study: dict, patients: pd.DataFrame) -> dict:
    taken = {*patients, *(v["id"] for v in study.get("baseline", ())), *COLUMNS_IN_USE[:2]}
    time, event = distinct(draw, ids, 2, 2, taken)
    n, codes = len(patients), distinct(draw, st.sampled_from(CODES), 3, 3)
    longest = draw(st.sampled_from([0, 3, 60, 4000]))
    patients[time] = np.round(longest * rng.random(n), draw(st.sampled_from([0, 0, 3])))
    chances = draw(st.sampled_from([(0.5, 0.5, 0), (1, 0, 0), (0, 1, 0), (0.05, 0.95, 0), (0.4, 0.3, 0.3), (0, 0.5, 0.5)]))
    patients[event] = np.array(codes, dtype=object)[rng.choice(3, n, p=chances)]
    said = {"column": event, "event": codes[0], "censored": codes[1]} | ({"competing": codes[2]} if chances[2] else {})
    return {"time": {"column": time, "unit": draw(st.sampled_from(list(UNITS)))}, "event": said}


def _add_choices(draw, study: dict) -> None:
    """Subgroups, strata, covariates, other studies: whatever names a variable, an arm or an endpoint."""
    variables = [v for v in study.get("baseline", ()) if "source" not in v]
    if variables and draw(st.booleans()):
        names = distinct(draw, ids, 1, 3)
        chosen = [draw(st.sampled_from(variables)) for _ in names]
        study["subgroups"] = [
            {"id": name, "variable": v["id"]} | ({} if v["type"] == "category" else {"cut": draw(st.sampled_from([0, 0.5, 50]))})
            for name, v in zip(names, chosen, strict=True)
        ]  # fmt: skip
    strata = [v["id"] for v in variables if v["type"] == "category"][:2]
    study["sensitivity"] = draw(st.sampled_from([{}, {"landmarks": [1, 3]}, {"strata": strata}, {"landmarks": [400], "strata": strata}]))
    if study.get("baseline") and draw(st.booleans()):
        chosen = distinct(draw, st.sampled_from([v["id"] for v in study["baseline"]]), 1, 3)
        numbers = {v["id"] for v in study["baseline"] if v["type"] != "category"}
        study["confounding"] = {"covariates": [{"variable": v} | ({"log": True} if v in numbers and draw(st.booleans()) else {}) for v in chosen]}
    if rarely(draw, 4):
        one = {"arm": study["arms"][0]["id"], "label": draw(texts), "printed": draw(texts), "citation": draw(texts)}
        study["external"] = [one | ({"endpoint": study["endpoints"][0]["id"]} if draw(st.booleans()) else {})]


def _parameters(draw, study: dict, *, dated: bool) -> dict:
    """What is asked for: mostly the default, sometimes a part, sometimes what does not exist."""
    arms = [arm["id"] for arm in study["arms"]]
    chances = {
        "audience": st.just("share"), "level": st.sampled_from([0.5, 0.9, 0.999]), "show_p_values": st.just(True),
        "arms": st.lists(st.sampled_from(arms), min_size=1, unique=True), "reference": st.sampled_from(arms),
        "endpoint": st.sampled_from([endpoint["id"] for endpoint in study["endpoints"]]),
        "landmarks": st.lists(st.sampled_from([0.1, 3.0, 12.0, 999.0]), min_size=1, max_size=3, unique=True),
        "threshold_percent": st.sampled_from([10.0, 100.0]), "profiles": st.sampled_from(["all", "none"]),
        "cutoff": st.sampled_from(["2010-01-01", "2016-05-05", "2019-12-31", "2020-06-30"]),
    }  # fmt: skip
    given = {name: draw(values) for name, values in chances.items() if rarely(draw, 8)}
    if not (dated and "cutoff" in study["study"]) and not rarely(draw, 20):
        given.pop("cutoff", None)
    if "response" in study and rarely(draw, 6):
        given["response_visits"] = draw(st.sampled_from([[3.0], [6.0, 12.0], [36.0]]))
    if study.get("subgroups") and rarely(draw, 3):
        chosen = draw(st.sampled_from(study["subgroups"]))
        levels = next(v.get("levels") for v in study["baseline"] if v["id"] == chosen["variable"])
        values = [level["value"] for level in levels] if levels else [f"<{chosen['cut']:g}", f">={chosen['cut']:g}"]
        given |= {"subgroup": chosen["id"], "subgroup_values": draw(st.lists(st.sampled_from(values), min_size=1, unique=True))}
    return given


def _spoil(draw, rng, study: dict, tables: dict) -> None:
    """Make a mistake."""
    name = draw(st.sampled_from(sorted(tables)))
    frame = tables[name]
    column = draw(st.sampled_from(list(frame)))
    match draw(st.sampled_from(["drop", "cell", "row", "key", "blank", "empty"])):
        case "drop":
            tables[name] = frame.drop(columns=column)
        case "cell":
            wrong = draw(st.sampled_from(["-1", "abc", "1e400", "2023-02-30", "=1+1", "<b>", " x", "9" * 40, "2300-01-01", "1600-01-01"]))
            frame.loc[frame.index[int(rng.integers(len(frame)))], column] = wrong
        case "row":
            tables[name] = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
        case "key":
            study[draw(st.sampled_from(["reference_arm", "endpoints", "unknown", "time"]))] = draw(st.sampled_from(["nowhere", [], 3]))
        case "blank":
            frame[column] = None
        case "empty":
            tables[name] = frame.iloc[:0]


def _call_otherwise(draw, study: dict, patients: pd.DataFrame) -> None:
    """Let the file have other names for some columns, that of another column among them."""
    if not rarely(draw, 5):
        return
    names = [name for name in patients if name in ("patient_id", "arm", "death_date") or name not in COLUMNS_IN_USE]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    turned = dict(zip(chosen, [*chosen[1:], chosen[0]] if draw(st.booleans()) else [f"Their {name}" for name in chosen], strict=True))
    patients.rename(columns=turned, inplace=True)
    study["tables"]["patients"]["columns"] = turned
