"""The table of patients of every study here: made from the package that ships the data, or copied where R made it.

    python tests/other_people/tables.py FOLDER

writes each study (study.yml, study.json for R, patients.csv) into a folder of its own below FOLDER. What lies in
`refused/` is no study as this report knows it, and is left out there.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import lifelines.datasets
import numpy as np
import pandas as pd
import statsmodels.api
import statsmodels.duration.tests
from ruamel.yaml import YAML

__all__ = ["NAMES", "REFUSED", "make_table", "write_study"]

HERE = Path(__file__).parent
NAMES = sorted(path.parent.name for path in HERE.glob("*/study.yml"))
REFUSED = sorted(f"refused/{path.parent.name}" for path in HERE.glob("refused/*/study.yml"))
LIFELINES = Path(lifelines.datasets.__file__).parent
SIMULATED = Path(statsmodels.duration.tests.__file__).parent / "results"


def _numbered(frame: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """The table with a number for each patient, for data sets that have none."""
    return frame.assign(id=[f"{prefix}{i}" for i in range(1, len(frame) + 1)])


def _one_arm(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(arm="all")


def _from_indicators(frame: pd.DataFrame, others: str) -> pd.DataFrame:
    """The arm from columns of 0 and 1; `others` is the arm of those who have none."""
    indicators = frame.drop(columns=["time", "age", "death"])
    return frame.assign(arm=indicators.idxmax(axis=1).where(indicators.any(axis=1), others))


def _senators() -> pd.DataFrame:
    frame = lifelines.datasets.load_canadian_senators()
    party, reason = frame["Political Affiliation at Appointment"], frame["reason"]
    small = party.map(party.value_counts()) < 50
    kept = frame[["Political Affiliation at Appointment", "diff_days", "observed"]].assign(
        excluded=np.where(small, "another party", ""),
        left_by=np.where(reason.eq("Death"), "Death", np.where(frame["observed"], "other", "none")),
    )
    kept.loc[small, party.name] = ""
    return _numbered(kept)


def _dated() -> pd.DataFrame:
    """Every day as a date, of an event only where there was one."""
    frame = lifelines.datasets.load_lymph_node().reset_index()
    days = {name: pd.to_datetime(frame[name], format="%d-%m-%Y") for name in ("diagdateb", "recdate", "deathdate")}
    died, recurred = frame["censdead"].eq(1), frame["censrec"].eq(1) & (days["recdate"] < days["deathdate"])
    return frame.assign(
        diagdateb=days["diagdateb"], local_progression=recurred.astype(int),
        local_progression_date=days["recdate"].where(recurred), death=died.astype(int),
        death_date=days["deathdate"].where(died), last_contact_date=days["deathdate"],
    ).drop(columns=["recdate", "deathdate"])  # fmt: skip


def _aids() -> pd.DataFrame:
    frame = lifelines.datasets.load_multicenter_aids_cohort_study().reset_index()
    return _one_arm(frame.assign(from_aids=(frame["T"] - frame["W"]).round(3)))


def _first_recurrence() -> pd.DataFrame:
    first = lifelines.datasets.load_recur().groupby("ID", as_index=False).first()
    return first.assign(time=first["TIME1"] - first["TIME0"])


def _mice() -> pd.DataFrame:
    frame = lifelines.datasets.load_mice()
    tumour = np.isfinite(frame["u"])
    return _numbered(frame.assign(found=frame["u"].where(tumour, frame["l"]), tumour=tumour.astype(int)))


def _mice_without_end() -> pd.DataFrame:
    frame = lifelines.datasets.load_mice()
    return _numbered(frame.assign(tumour=np.isfinite(frame["u"]).astype(int)))


def _gehan() -> pd.DataFrame:
    return pd.read_csv(LIFELINES / "gehan.dat", sep=r"\s+", header=None, names=["arm", "weeks", "relapse"])


def _divorce() -> pd.DataFrame:
    return pd.read_csv(LIFELINES / "divorce.dat", sep=r"\s{2,}", engine="python")


def _simulated(name: str) -> pd.DataFrame:
    """One of the tables that statsmodels tests its Cox model with; two arms by the sign of the first covariate."""
    frame = pd.read_csv(SIMULATED / f"survival_data_{name}.csv", sep=r"\s+", header=None)
    frame.columns = ["time", "status", "entered", *(f"x{i}" for i in range(1, len(frame.columns) - 2))]
    return _numbered(frame.assign(arm=np.where(frame["x1"] < 0, "low", "high")), "SYN-")


def _packaged(name: str, prefix: str = "") -> Callable[[], pd.DataFrame]:
    return lambda: _numbered(getattr(lifelines.datasets, f"load_{name}")(), prefix)


def _bundled(name: str) -> pd.DataFrame:
    return getattr(statsmodels.api.datasets, name).load_pandas().data


MADE: dict[str, Callable[[], pd.DataFrame]] = {
    "actg175": lambda: pd.read_csv(LIFELINES / "ACTG175.csv", index_col=0),
    "canadian_senators": _senators,
    "dd": _packaged("dd"),
    "divorce": _divorce,
    "g3": _packaged("g3"),
    "gbsg2": _packaged("gbsg2"),
    "gehan": lambda: _numbered(_gehan()),
    "kidney_transplant": lambda: _from_indicators(_packaged("kidney_transplant")().set_index("id"), "white_female").reset_index(),
    "larynx": lambda: _from_indicators(_packaged("larynx")().set_index("id"), "Stage_I").reset_index(),
    "leukemia": _packaged("leukemia"),
    "lung": _packaged("lung"),
    "lupus": _packaged("lupus"),
    "lymph_node": lambda: lifelines.datasets.load_lymph_node().reset_index(),
    "lymph_node_dates": _dated,
    "lymphoma": _packaged("lymphoma"),
    "diabetes": lambda: _numbered(lifelines.datasets.load_diabetes()).assign(found=1),
    "mice": _mice,
    "multicenter_aids_cohort": _aids,
    "psychiatric_patients": _packaged("psychiatric_patients"),
    "recur_first": _first_recurrence,
    "regression": lambda: _one_arm(_packaged("regression_dataset", "SYN-")()),
    "rossi": _packaged("rossi"),
    "sm_bmt": lambda: _numbered(pd.read_csv(SIMULATED / "bmt.csv")),
    "sm_heart": lambda: _one_arm(_numbered(_bundled("heart"))),
    "sm_strikes": lambda: _one_arm(_numbered(_bundled("strikes"))).assign(ended=1),
    "static_test": lambda: _one_arm(_packaged("static_test", "SYN-")()),
    "waltons": _packaged("waltons"),
    "refused/c_botulinum": lambda: _one_arm(_packaged("c_botulinum_lag_phase")()),
    "refused/dfcv": lifelines.datasets.load_dfcv,
    "refused/holly_molly_polly": lifelines.datasets.load_holly_molly_polly,
    "refused/mice_without_end": _mice_without_end,
    "refused/panel_test": lambda: _one_arm(lifelines.datasets.load_panel_test()),
    "refused/recur": lifelines.datasets.load_recur,
    "refused/stanford_heart": lifelines.datasets.load_stanford_heart_transplants,
    **{f"sm_{name}": lambda name=name: _simulated(name) for name in ("20_1", "50_1", "50_2", "100_5", "1000_10")},
}


def make_table(name: str) -> pd.DataFrame:
    """The table of patients of a study of `NAMES` or `REFUSED`, one row per patient, columns as its package calls them."""
    return MADE[name]() if name in MADE else pd.read_csv(HERE / name / "patients.csv", dtype=str, keep_default_na=False)


def write_study(name: str, folder: Path) -> Path:
    """Write study.yml, study.json (the same, for R) and patients.csv into `folder`, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / name / "study.yml", folder)
    declared = YAML(typ="safe").load(HERE / name / "study.yml")
    (folder / "study.json").write_text(json.dumps(declared), encoding="utf-8")
    make_table(name).to_csv(folder / "patients.csv", index=False, lineterminator="\n")
    return folder


if __name__ == "__main__":
    for study in NAMES:
        write_study(study, Path(sys.argv[1]) / study)
