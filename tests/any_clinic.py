"""Every table of a clinic, drawn by hypothesis: the course of the disease is `random_study`'s, the names are any."""

from __future__ import annotations

__all__ = ["codes_of", "draw_clinic"]

import pandas as pd
from any_names import distinct, ids, rarely, texts
from hypothesis import strategies as st
from random_study import MONTH, SCHEDULE, TERMS, Design, draw_tables

from lib.study.clinic.tumour import Response
from lib.study.study import TAKEN


def codes_of(study: dict) -> list[str]:
    return [arm.get("value", arm["id"]) for arm in study["arms"]]


def draw_clinic(draw, rng, study: dict, sizes: list[int]) -> dict[str, pd.DataFrame]:
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
    tables["patients"]["arm"] = tables["patients"]["arm"].map(dict(zip(letters, codes_of(study), strict=True)))
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
    if roles[0] == "endpoint":
        study["markers"][0] |= draw(st.sampled_from([
            {}, {"kinetics": {"since": "nadir"}, "progression": {"ratio": 1.1, "over": "baseline", "confirmed": True}},
            {"kinetics": {"since": "baseline", "min_days": 30, "doubling_below": 3}, "progression": {"ratio": 2, "over": "nadir", "at_least": 1, "confirmed": False},
             "interference": {"marker": pain, "above": 4, "surrogate": {"fell": 0.5, "rose": 1.5}}},
        ]))  # fmt: skip
    if all(marker.get("reference", {}).get("high") for marker in study["markers"]) and draw(st.booleans()):
        study["liver"] = {"transaminases": [crp], "bilirubin": pain}
    frame = tables["markers"]
    frame["marker"] = frame["marker"].map({"crp": crp, "pain": pain})
    if rarely(draw, 4):
        frame["value"] = draw(st.sampled_from([0.0, 1.0, 5.0]))
        frame["below_limit"] = 0
    if rarely(draw, 4):
        limit = float(frame["value"].median())
        above = (frame["value"] > limit) & (frame["below_limit"] == 0)
        frame["above_limit"], frame["value"] = above.astype(int), frame["value"].where(~above, limit)


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
