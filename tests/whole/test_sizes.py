"""Every switch for size (lib/study/limits.py), crossed from both sides: with excluded patients, blank cells, and one arm.

The size is lowered to the study instead of the study raised to the size, but for one real study above it.
"""

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import numpy as np
import pandas as pd
import pytest
from notebook_cells import run_notebook, words_alone

import lib
from lib.analyses.efficacy import course as efficacy_course
from lib.dataset.dataset import load
from lib.intake import tables as intake_tables
from lib.show.display import Block
from lib.show.plots import course as plot_course
from lib.show.sentences import course as say_course
from lib.statistics.weighting import weighted_rmst
from lib.study import yaml_file
from lib.study.limits import LARGE
from lib.study.parts import own
from lib.study.study import ROOT, read_study

sys.path.append(str(Path(__file__).parents[1] / "bench"))
from large_study import CONFOUNDING, write_study

pytestmark = pytest.mark.notebook

SWITCHES = ("DRAWN", "LARGE", "LOOP_PATIENTS", "MOST_VALUES")
PARTS = ("SAMPLE", "SUBSAMPLE")  # what is taken of a large study: of a smaller size a smaller part
N_PATIENTS = 155
NAMES = [module.name for module in walk_packages(lib.__path__, "lib.") if module.name != "lib.__main__"]


def set_size(patch, size):
    """Let `size` patients be as many as a study may have without being a large one."""
    for module in map(import_module, NAMES):
        for names, value in ((SWITCHES, size), (PARTS, min(size, 1_000) // 2)):
            for name in names:
                if isinstance(getattr(module, name, None), int):
                    patch.setattr(module, name, value)


def some_excluded(patients):
    return patients.assign(excluded=np.where(patients.index % 17 == 3, "withdrew", None))


def blank(patients):
    """Whole columns and single cells, some of them of patients who are excluded as well."""
    patients = some_excluded(patients).assign(obstruct=None)
    patients.loc[::9, "nodes"] = patients.loc[::7, "differ"] = patients.loc[1::17, "age"] = None
    return patients


def one_arm(patients):
    return blank(patients)[patients["rx"] == "Obs"].reset_index(drop=True)


def rare_arm(patients):
    """Three patients in one arm."""
    patients = some_excluded(patients)
    return patients.drop(patients.index[patients["rx"] == "Lev"][3:]).reset_index(drop=True)


def no_time(patients):
    """A third of the patients has no known time for one endpoint."""
    patients = blank(patients)
    patients.loc[::3, ["death_days", "death_status"]] = None
    return patients


KINDS = (some_excluded, blank, one_arm, rare_arm, no_time)


def write_colon(folder, kind, file="patients.csv"):
    """Every sixth patient of data/colon, changed; gives the study's folder and how many take part."""
    folder.mkdir()
    patients = kind(pd.read_csv(ROOT / "data/colon/patients.csv", dtype=str).iloc[: 6 * N_PATIENTS : 6].reset_index(drop=True))
    text = (ROOT / "data/colon/study.yml").read_text("utf-8").replace("patients.csv", file) + CONFOUNDING
    if kind is one_arm:
        lines = [line for line in text.splitlines() if not line.startswith(("  - {id: Lev,", "  - {id: Lev5FU,"))]
        text = "\n".join(lines).replace("focus_arm: Lev5FU", "focus_arm: Obs")
        text = text.replace("allocation: randomised\n  analysed: as_randomised", "allocation: single_arm").replace("Randomised trial, three arms", "One arm of a trial")
    (folder / "study.yml").write_text(text, encoding="utf-8", newline="\n")
    if file.endswith(".csv"):
        patients.to_csv(folder / file, index=False)
    else:
        patients.to_parquet(folder / file)
    return folder, int(patients["excluded"].isna().sum())


@pytest.mark.parametrize("file", ["patients.csv", "patients.parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_read_alike_from_both_sides(kind, file, tmp_path):
    folder, _ = write_colon(tmp_path / "study", kind, file)
    study, found = read_study(folder), []
    for size in (LARGE, N_PATIENTS, 20, 0):
        with pytest.MonkeyPatch.context() as patch:
            set_size(patch, size)
            found.append(intake_tables.read_tables(study))
    for tables in found[1:]:
        pd.testing.assert_frame_equal(tables["patients"], found[0]["patients"])
        pd.testing.assert_frame_equal(tables.queries, found[0].queries)


@pytest.mark.parametrize("file", ["patients.csv", "patients.parquet"])
def test_problems_of_patients_excluded_or_not_are_the_same_from_both_sides(file, tmp_path):
    def wrong(patients):
        """In rows that are excluded (3, 20) and in those that are not."""
        patients = some_excluded(patients)
        patients.loc[[3, 5, 20, 30], "sex"] = "9"
        patients.loc[[3, 6], "age"] = "old"
        patients.loc[[20, 40], "rx"] = "Placebo"
        return patients.assign(death_status=patients["death_status"].where(patients.index != 8))

    folder, _ = write_colon(tmp_path / "study", wrong, file)
    found = []
    for size in (LARGE, 100, 0):
        with pytest.MonkeyPatch.context() as patch:
            set_size(patch, size)
            with pytest.raises(yaml_file.ProblemsFound) as caught:
                intake_tables.read_tables(read_study(folder))
        found.append([problem.as_row() for problem in caught.value.problems])
    assert found[0] == found[1] == found[2]
    assert len(found[0]) >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_made_on_both_sides(kind, tmp_path):
    """One patient more or less than the size, counted before and after those excluded are left out."""
    folder, taking_part = write_colon(tmp_path / "study", kind)
    for size in {some_excluded: (taking_part, taking_part - 1), rare_arm: (taking_part - 1, 30)}.get(kind, (taking_part - 1,)):
        for notebook in ("cohort", "robustness"):
            with pytest.MonkeyPatch.context() as patch:
                set_size(patch, size)
                if kind is not some_excluded:
                    words_alone(patch)
                shown = run_notebook(notebook, patch, study=str(folder))
            assert ("because there are more than" in shown.text) == (size < taking_part)


def test_a_real_study_above_the_size_of_which_ten_patients_are_excluded(tmp_path):
    """The file has more rows than the size, and those excluded are fewer: each part of a column is checked as it is held."""
    study = read_study(write_study(tmp_path / "study", LARGE + 100))
    patients = pd.read_parquet(study.folder / "patients.parquet")
    patients["excluded"] = pd.Series("withdrew", patients.index[::300][:10]).reindex(patients.index)
    patients["obstruct"], patients.loc[::50, "nodes"] = None, None
    for file in ("patients.parquet", "patients.csv"):
        if file.endswith(".csv"):
            text = (study.folder / "study.yml").read_text("utf-8").replace("patients.parquet", file)
            (study.folder / "study.yml").write_text(text, encoding="utf-8", newline="\n")
            (study.folder / "patients.parquet").unlink()
            patients.convert_dtypes().to_csv(study.folder / file, index=False)
        else:
            patients.to_parquet(study.folder / file)
        data = load("efficacy", study=str(study.folder))
        assert len(data.patients) == LARGE + 90
        assert data.patients[own("obstruct")].isna().all()
        assert data.patients[own("positive_nodes")].isna().sum() == patients.loc[patients["excluded"].isna(), "nodes"].isna().sum()


@pytest.mark.parametrize("few", [1, 3, 20])
def test_the_bootstrap_of_a_large_study_with_few_patients_in_one_arm(few):
    """A random part may hold none of them: then the propensity cannot be fitted in it, and that is said."""
    rng, n = np.random.default_rng(few), LARGE + 500
    arm = pd.Categorical(np.repeat(["A", "B", "C"], [n // 2, n - n // 2 - few, few]), ["A", "B", "C"], ordered=True)
    patients = pd.DataFrame({"arm": arm, "time": rng.exponential(3, n) + 2, "event": rng.random(n) < 0.6, "age": rng.normal(60, 9, n)})
    found = weighted_rmst.bootstrap_weighted_rmst(patients, ["age"], "A", 1.9, seed=1)
    assert found["estimate"].notna().all()
    assert (found["n_resamples"] < weighted_rmst.N_SUBSAMPLES).all()
    assert (found["ci_low"].isna() == (found["n_resamples"] < 0.9 * weighted_rmst.N_SUBSAMPLES)).all()
    assert found["note"].str.contains("resamples only|because there are more than").all()


def test_what_is_said_of_the_pictures_is_what_the_pictures_do():
    data = load("efficacy", study="data/rair_dtc")
    course = efficacy_course.analyse_course(data, [6.0])
    for size in (len(data.patients), len(data.patients) - 1):
        with pytest.MonkeyPatch.context() as patch:
            set_size(patch, size)
            drawn = not isinstance(plot_course.plot_waterfall(course), Block)
            assert ("drawn" in say_course.sentence_undrawn(course)) == drawn
