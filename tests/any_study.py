"""Whole studies, drawn by hypothesis: arms, sizes, names, types, missing values, tables, endpoints, parameters.

    @given(studies())
    def test(drawn): drawn.write(folder)

Most are valid. Some hold a mistake, which the check has to find. `random_study` draws the course of the disease.
"""

from __future__ import annotations

__all__ = ["Drawn", "studies"]

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from any_clinic import codes_of, draw_clinic
from any_names import CODES, COLUMNS_IN_USE, DATES, UNITS, distinct, ids, rarely, texts
from hypothesis import strategies as st
from random_study import COLOURS, LINES

from lib.study.study import TAKEN


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
    tables = draw_clinic(draw, rng, study, sizes) if rich else {"patients": _patients(draw, rng, study, sizes)}
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
    for key in ("question", "citation", "funding"):
        if rarely(draw, 4):
            about[key] = draw(texts)
    policy = {key: draw(st.integers(1, most)) for key, most in (("min_at_risk", 8), ("min_events", 8), ("small_cell", 6), ("lost_after_days", 400))
              if draw(st.booleans())}  # fmt: skip
    study = {
        "study": about, "time": {"unit": unit, "days_per_unit": UNITS[unit], "zero_label": draw(texts)}, "arms": given,
        "reference_arm": draw(st.sampled_from(arms)), "tables": {}, "policy": policy,
    }  # fmt: skip
    if rarely(draw, 4):
        about["design"] = draw(texts)  # the older key
    elif draw(st.booleans()):
        chosen = draw(st.sampled_from(("randomised", "not_randomised") if len(arms) > 1 else ("single_arm", "not_randomised")))
        study["design"] = {"allocation": chosen, "routine_data": draw(st.booleans())}
        study["design"] |= {"ordered_arms": True} if len(arms) > 2 and draw(st.booleans()) else {}
    if draw(st.booleans()):
        study["focus_arm"] = draw(st.sampled_from(arms))
    return study


def _patients(draw, rng, study: dict, sizes: list[int]) -> pd.DataFrame:
    """Patients without any other table: ids, arms, and perhaps dates."""
    prefix = "SYN-" if study["study"]["synthetic"] else "P"
    n = sum(sizes)
    frame = pd.DataFrame({
        "patient_id": [f"{prefix}{i:04d}" for i in rng.permutation(n)], "arm": np.repeat(codes_of(study), sizes),
    })  # fmt: skip
    if draw(st.booleans()):
        _add_dates(draw, rng, study, frame)
    if rarely(draw, 3):
        _add_populations(draw, rng, study, frame)
    return frame


def _add_populations(draw, rng, study: dict, frame: pd.DataFrame) -> None:
    """A population of most patients, and how parts ended, of some not recorded."""
    n, codes = len(frame), distinct(draw, st.sampled_from(CODES), 2, 5)
    frame["in_it"], frame["ended"] = np.where(rng.random(n) < 0.8, codes[0], codes[1]), np.array([*codes, ""], dtype=object)[rng.integers(0, len(codes) + 1, n)]
    study["populations"] = [{"id": "most", "label": draw(texts), "column": "in_it", "inside": codes[0], "outside": codes[1]}]
    study["populations"][0] |= {"default": True} if rarely(draw, 3) else {}
    study["disposition"] = {"column": "ended", "levels": [{"value": code, "label": draw(texts)} for code in codes]}


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
        endpoint = {"endpoint": study["endpoints"][0]["id"]}
        study["external"] = [one | (endpoint if draw(st.booleans()) else {}), *_numbers_of_others(draw, study, one, endpoint)]
    _add_models(draw, study)


def _add_models(draw, study: dict) -> None:
    """What regressions hold alike, the smallest effects worth having, a component that takes time to be added."""
    variables = study.get("baseline", ())
    if variables and draw(st.booleans()):
        numbers = {v["id"] for v in variables if v["type"] != "category"}
        ways = st.sampled_from([{}, {"step": 10}, {"spline": True}, {"log": True}, {"log": True, "step": 10, "spline": True}])
        chosen = distinct(draw, st.sampled_from([v["id"] for v in variables]), 1, 3)
        covariates = [{"variable": one} | (draw(ways) if one in numbers else {}) for one in chosen]
        strata = [v["id"] for v in variables if v["type"] == "category" and "source" not in v and v["id"] not in chosen][:1]
        study["models"] = {"covariates": covariates, "imputations": 5} | draw(st.sampled_from([{}, {"change_at": 3}, {"strata": strata}]))
    if draw(st.booleans()):
        study["worthwhile"] = draw(st.sampled_from([{"hazard_ratio": 0.7}, {"response_difference": 0.2}, {"hazard_ratio": 0.01, "response_difference": 0.99}]))
    components = study.get("treatments", {}).get("components", ())
    if components and draw(st.booleans()):
        added = draw(st.sampled_from(components))
        arms = [arm["id"] for arm in study["arms"]]
        study["strategy"] = {"label": draw(texts), "arms": arms, "add": added["id"], "within_days": draw(st.sampled_from([1, 30, 400]))}


def _numbers_of_others(draw, study: dict, one: dict, endpoint: dict) -> list[dict]:
    """Up to four results as numbers: shares, medians with no, one or two limits, and ratios where there are two arms."""
    kinds = {
        "proportion": one | {"number": {"kind": "proportion", "count": 3, "n": draw(st.sampled_from([3, 10, 1000]))}},
        "median": one | endpoint | {"number": {"kind": "median", "estimate": 9.0} | draw(st.sampled_from([{}, {"ci_low": 2.0}, {"ci_low": 8.9, "ci_high": 9.1}]))},
    }
    if len(study["arms"]) > 1:
        number = {"kind": "hazard_ratio", "estimate": 0.8, "ci_low": draw(st.sampled_from([0.5, 0.79])), "ci_high": 1.28, "level": draw(st.sampled_from([0.9, 0.95]))}
        kinds["ratio"] = one | endpoint | {"against": study["arms"][1]["id"], "number": number}
    return [kinds[draw(st.sampled_from(list(kinds)))] for _ in range(draw(st.sampled_from([0, 1, 4])))]


def _parameters(draw, study: dict, *, dated: bool) -> dict:
    """What is asked for: mostly the default, sometimes a part, sometimes what does not exist."""
    arms = [arm["id"] for arm in study["arms"]]
    chances = {
        "audience": st.just("share"), "level": st.sampled_from([0.5, 0.9, 0.999]), "show_p_values": st.just(True),
        "arms": st.lists(st.sampled_from(arms), min_size=1, unique=True), "reference": st.sampled_from(arms),
        "endpoint": st.sampled_from([endpoint["id"] for endpoint in study["endpoints"]]),
        "landmarks": st.lists(st.sampled_from([0.1, 3.0, 12.0, 999.0]), min_size=1, max_size=3, unique=True),
        "scepticism": st.sampled_from([0.001, 0.4]), "threshold_percent": st.sampled_from([10.0, 100.0]), "profiles": st.sampled_from(["all", "none"]),
        "cutoff": st.sampled_from(["2010-01-01", "2016-05-05", "2019-12-31", "2020-06-30"]),
    }  # fmt: skip
    given = {name: draw(values) for name, values in chances.items() if rarely(draw, 8)}
    if not (dated and "cutoff" in study["study"]) and not rarely(draw, 20):
        given.pop("cutoff", None)
    if "response" in study and rarely(draw, 6):
        given["response_visits"] = draw(st.sampled_from([[3.0], [6.0, 12.0], [36.0]]))
    if "populations" in study and rarely(draw, 3):
        given["population"] = draw(st.sampled_from(["most", "all"]))
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
