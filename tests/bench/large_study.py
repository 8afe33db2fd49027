"""A study as large as asked for, made on the fly: the columns of data/colon, one Parquet table, whole days.

    python tests/bench/large_study.py 1000000 FOLDER                  survival alone
    python tests/bench/large_study.py 1000000 FOLDER data/rair_dtc    every table of a study, its patients many times

Hazards differ by arm, age and positive nodes; which arm a patient is in depends a little on age and nodes, as in a
registry, so that the comparison is also weighted. The same size gives the same bytes.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lib.study.study import ROOT

SEED, LAST_DAY = 20250228, 3300
HAZARD_RATIOS = {"Obs": 1.0, "Lev": 0.97, "Lev+5FU": 0.72}
CONFOUNDING = "\nconfounding:\n  covariates:\n    - {variable: age_years}\n    - {variable: positive_nodes}\n"


def make_patients(n: int) -> pa.Table:
    """One row per patient, in the columns and codes of data/colon/patients.csv."""
    rng = np.random.default_rng([SEED, n])
    age = np.clip(rng.normal(60, 12, n), 18, 90).astype(np.int16)
    nodes = np.minimum(rng.negative_binomial(1.2, 0.25, n), 40).astype(np.int16)
    pull = rng.logistic(size=n) + 0.02 * (age - 60) - 0.03 * nodes
    codes = np.digitize(pull, [-0.7, 0.7])
    risk = np.array(list(HAZARD_RATIOS.values()))[codes] * np.exp(0.012 * (age - 60) + 0.07 * nodes)
    censoring = rng.uniform(1800, LAST_DAY, n)
    first = rng.weibull(0.8, n) * 5200 / risk**1.25
    death = first + rng.exponential(600, n)
    arms = pa.array(list(HAZARD_RATIOS))
    columns = {"id": pa.array(np.char.add("SYN-", np.char.zfill(np.arange(1, n + 1).astype(str), 8)))}
    columns |= {"rx": pa.DictionaryArray.from_arrays(codes.astype(np.int32), arms), "age": age, "nodes": nodes}
    for name, share in {"sex": 0.52, "obstruct": 0.19, "perfor": 0.03, "adhere": 0.15, "surg": 0.27}.items():
        columns[name] = (rng.random(n) < share).astype(np.int8)
    for name, shares in {"differ": [0.1, 0.73, 0.17], "extent": [0.02, 0.11, 0.82, 0.05]}.items():
        unknown = rng.random(n) < (0.02 if name == "differ" else 0)
        columns[name] = pa.array(rng.choice(len(shares), n, p=shares).astype(np.int8) + 1, mask=unknown)
    for name, time in (("recurrence", first), ("death", death)):
        columns[f"{name}_days"] = np.ceil(np.minimum(time, censoring)).astype(np.int16)
        columns[f"{name}_status"] = (time <= censoring).astype(np.int8)
    return pa.table(columns)


def write_study(folder: Path, n: int) -> Path:
    """Write study.yml and patients.parquet; gives the folder back."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "data" / "colon" / "study.yml").read_text(encoding="utf-8") + CONFOUNDING
    for old, new in (("patients.csv", "patients.parquet"), ("synthetic: false", "synthetic: true"), ("id: colon", "id: large")):
        text = text.replace(old, new, 1)
    (folder / "study.yml").write_text(text, encoding="utf-8", newline="\n")
    pq.write_table(make_patients(n), folder / "patients.parquet")
    return folder


def repeat_study(source: Path, folder: Path, n: int) -> Path:
    """Write a study of n patients or a few more: every table of `source`, of its markers the first, its patients under as many new ids."""
    folder.mkdir(parents=True, exist_ok=True)
    times = -(-n // len(pd.read_csv(source / "patients.csv")))
    text = (source / "study.yml").read_text(encoding="utf-8")
    for file in sorted(source.glob("*.csv")):
        rows = pd.read_csv(file, dtype=str)
        rows = rows[rows["marker"] == rows["marker"].iloc[0]] if "marker" in rows else rows
        table = rows.loc[np.repeat(rows.index, times)].reset_index(drop=True)
        copy = np.tile(np.arange(times).astype(str), len(rows))
        for column in {"patient_id", "lesion_id"} & set(table):
            table[column] = (table[column] + "." + copy).where(table[column].notna())
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / f"{file.stem}.parquet")
        text = text.replace(file.name, f"{file.stem}.parquet")
    (folder / "study.yml").write_text(text, encoding="utf-8", newline="\n")
    return folder


if __name__ == "__main__":
    if len(sys.argv) > 3:
        repeat_study(Path(sys.argv[3]), Path(sys.argv[2]), int(sys.argv[1]))
    else:
        write_study(Path(sys.argv[2]), int(sys.argv[1]))
