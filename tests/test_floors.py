"""Imports point down only: the picture in lib/__init__.py, held."""

import ast

import pytest

from lib.study import ROOT

# Module -> floor. A module imports from lower floors only; a new module has to be entered here.
FLOORS = {
    # 1: what a study and a run are
    "scale": 1.0, "yamlfile": 1.0, "study_parts": 1.05, "claims": 1.07, "study_clinic": 1.07, "study_design": 1.07, "study": 1.1, "given": 1.0, "parameters": 1.2, "provenance": 1.2, "archive": 1.0,
    # 2: files -> checked analysis frames
    "personal": 2.0, "recist": 2.0, "spreadsheet": 2.0, "cells": 2.0, "parquet": 2.02, "workbook": 2.05, "columns": 2.1, "evidence": 2.1,
    "schemas": 2.2, "rules_patients": 2.2, "rules_tumour": 2.2, "rules_clinic": 2.2, "rules": 2.3, "intake": 2.4, "handover": 2.45,
    "tidying": 2.0, "recognition": 2.0, "template_workbook": 2.2, "guesses": 2.1, "proposal_patients": 2.25, "proposal_events": 2.25, "proposal": 2.3, "newstudy": 2.4,
    "dataset": 2.5, "remembered": 2.55, "derivation": 2.6, "timing": 2.6, "derivation_tumour": 2.7,
    # 3: statistics, methods first, then clinical tasks
    "analysis": 3.0, "comparisons": 3.0, "contingency": 3.05, "table_network": 3.0, "disclosure": 3.0, "event_table": 3.0, "design": 3.05, "policy": 3.05, "multiplicity": 3.1, "multinomial": 3.0, "reml": 3.0, "reml_nested": 3.05, "selfcheck_cox": 3.0, "selfcheck_shares": 3.0, "selfcheck_ranks": 3.0, "selfcheck_competing": 3.0, "selfcheck_mixed": 3.0, "results": 3.15,
    "balance": 3.1, "concordance": 3.1, "counted": 3.1, "logistic": 3.1, "logrank": 3.1, "mixed": 3.1, "partial_likelihood": 3.1,
    "propensity": 3.1, "proportions": 3.1, "ranks": 3.1, "rates": 3.15, "selfcheck": 3.1, "survival": 3.1,
    "competing": 3.2, "firth": 3.2, "large_sample": 3.2, "sensitivity": 3.25, "landmark": 3.2, "rmst": 3.2, "interval_censored": 3.2, "weighted_rmst": 3.2, "cox": 3.3,
    "attendance": 3.5, "checklist": 3.5, "baseline": 3.5, "exposure": 3.5, "follow_up": 3.5, "longitudinal": 3.5, "response": 3.5,
    "safety": 3.5, "time_to_event": 3.5, "confounding": 3.6, "flow": 3.6, "laboratory": 3.65, "longitudinal_model": 3.6, "lesion_model": 3.6, "other_events": 3.5,
    "response_course": 3.6, "response_time": 3.6, "robustness": 3.6, "safety_time": 3.6, "sharing": 3.6, "admission": 3.65, "subgroups": 3.6, "profiles": 3.7, "recheck": 3.7,
    # 4: strings and pictures
    "formats": 4.0, "display": 4.02, "labels": 4.04, "verdict": 4.05, "picture": 4.1, "tables": 4.1, "tables_cohort": 4.2,
    "tables_conduct": 4.2, "tables_outcome": 4.2, "tables_robustness": 4.2, "tables_confounding": 4.2,
    "tables_laboratory": 4.3, "tables_safety": 4.2, "tables_design": 4.3, "tables_tumour": 4.3, "tables_response_time": 4.2, "figures_response": 4.2, "figures": 4.2, "figures_cohort": 4.2, "figures_robustness": 4.3,
    "figures_laboratory": 4.2, "figures_safety": 4.2, "figures_tumour": 4.2,
    # 5: header, sentences, recorded results
    "references": 5.0, "published": 5.0, "narrative": 5.0, "narrative_cohort": 5.05, "narrative_design": 5.05, "narrative_robustness": 5.05,
    "narrative_laboratory": 5.05, "narrative_safety": 5.1, "narrative_tumour": 5.05, "report": 5.1,
    # the interactive page, made of the reports' parts
    "closer": 4.1, "explore_form": 5.0, "explore_view": 5.0, "explore_queries": 5.1, "saving": 5.15, "explore": 5.2,
    # beside the floors: the command line
    "kernel_server": 7.8, "kernels": 7.8, "engine": 7.9,
    "run": 8.0, "target": 8.0, "pages": 8.0, "compare": 8.0, "compare_tables": 8.1, "compare_page": 8.2, "terminal": 8.1, "ward": 8.05, "serve": 8.1, "serve_command": 8.2,
    "blocks": 8.0, "markup": 8.05, "paper": 8.05, "document": 8.1, "typeset": 8.15, "word_parts": 8.0, "word_table": 8.1, "word": 8.15,
    "editions": 8.2, "publish": 8.3, "making": 8.4, "new_command": 8.2,
    "places": 8.1, "plan": 8.2, "batch": 8.5, "batch_page": 8.6, "batch_command": 8.7, "__main__": 9.0,
}  # fmt: skip
# What computes statistics is imported where statistics are made.
ENGINES = {"greenwood", "lifelines", "scipy", "statsmodels"}
MODULES = sorted((ROOT / "lib").glob("*.py"))


def _imported(path) -> set[str]:
    """Dotted names that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            names |= {f"{node.module}.{alias.name}" if node.module == "lib" else node.module for alias in node.names}
    return names


def test_every_module_has_a_floor():
    assert {path.stem for path in MODULES} - {"__init__"} == set(FLOORS)


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem in FLOORS], ids=lambda path: path.stem)
def test_imports_point_down(path):
    names = _imported(path)
    ours = {name.split(".")[1] for name in names if name.startswith("lib.")}
    assert {name for name in ours if FLOORS[name] >= FLOORS[path.stem]} == set()
    if int(FLOORS[path.stem]) != 3:
        assert {name.split(".")[0] for name in names} & ENGINES == set()
