"""Hold the written tables against every published claim, with the library that the reports use."""

from __future__ import annotations

__all__ = ["verify"]

import shutil
from pathlib import Path

import pandas as pd

from lib.analyses.efficacy import markers, response, survival
from lib.analyses.safety import events
from lib.dataset.dataset import load
from lib.report.published import compare_published
from lib.report.results import to_rows
from lib.study.claims import read_claims

HERE = Path(__file__).resolve().parent


def verify(folder: Path) -> pd.DataFrame:
    """Check the tables in `folder` against published.yml.

    Parameters
    ----------
    folder : path
        Holds the tables; study.yml and published.yml are put beside them where they are not yet.

    Returns
    -------
    DataFrame, one row per claim
        As `lib.report.published.compare_published`; every verdict is "matches".

    Raises
    ------
    ValueError
        If a claim is not met.
    lib.study.yaml_file.ProblemsFound
        If a table breaks a rule of the data model.
    """
    for name in ("study.yml", "published.yml"):
        if not (folder / name).exists():
            shutil.copy(HERE / name, folder)
    data = load("efficacy", study=str(folder.resolve()))
    analyses = [
        *(survival.analyse(data, data.study.endpoint(endpoint)) for endpoint in ("lpfs", "os")),
        response.analyse(data, data.study.response.visits),
        markers.analyse_volume(data, data.study.response.visits),
        markers.analyse_marker(data, data.study.marker("tg")),
        events.analyse(load("safety", study=str(folder.resolve()))),
    ]
    results = pd.concat([to_rows("cohort", analysis) for analysis in analyses], ignore_index=True)
    claims = compare_published(read_claims(folder), results)
    missed = claims[claims["verdict"] != "matches"]
    if len(missed):
        raise ValueError(f"published claims not met:\n{missed.to_string(index=False)}")
    return claims
