"""What a reader sees, word for word and coordinate for coordinate: every sentence, table and picture of both studies
and of a small study per case, against texts that were read. `make golden` writes them anew; read the difference.
"""

import functools
from pathlib import Path

import pytest
from designed_studies import CASES, write_case
from golden import GOLDEN, compare, said, watch_pictures
from notebook_cells import NOTEBOOKS, run_notebook, shipped, without_drawing
from random_study import Design, write_random

pytestmark = pytest.mark.thorough

# A whole small clinic: lesions, markers, treatments, adverse events.
CLINIC = Design((9, 8), seed=7, hazard=0.04)
# Of the designed studies only the notebooks in which the case shows.
WHERE = dict.fromkeys(CASES, ("efficacy",)) | {
    "just_apart": ("efficacy", "robustness"), "not_apart": ("efficacy", "robustness"), "one_arm": ("cohort", "efficacy", "robustness", "models"),
    "confounded": ("efficacy", "robustness", "models"), "withheld": ("efficacy", "robustness", "models"), "no_event": ("efficacy", "robustness", "models"),
}  # fmt: skip
REPORTS = [
    *((study, audience, name) for study in ("rair_dtc", "colon") for audience in ("internal", "share") for name in NOTEBOOKS),
    *((case, "share" if case == "masked" else "internal", name) for case, names in WHERE.items() for name in names),
    ("six_arms", "internal", "efficacy"),
    *(("clinic", "internal", name) for name in ("efficacy", "safety")),
]
# Those whose pictures are written down too; the others draw the same things.
PICTURES = {("rair_dtc", "internal"), ("six_arms", "internal"), ("one_arm", "internal"), ("masked", "share"), ("competing", "internal"), ("rair_dtc", "share")}


@functools.cache
def folder_of(study: str, where: Path) -> str:
    """The folder of a study that is shipped, kept for tests, or written now."""
    if study == "clinic":
        return str(write_random(where / study, CLINIC))
    if study in CASES:
        return str(write_case(where / study, study))
    return f"tests/cases/{study}" if study == "six_arms" else f"data/{study}"


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    return tmp_path_factory.mktemp("golden")


def as_cases() -> list:
    """Each report with its name; those of the shipped studies take longest."""
    slow = {"rair_dtc": pytest.mark.notebook, "colon": pytest.mark.notebook}
    return [pytest.param(*report, id=".".join(report), marks=slow.get(report[0], ())) for report in REPORTS]


@pytest.mark.parametrize(("study", "audience", "name"), as_cases())
def test_a_report_reads_as_it_was_read(study, audience, name, where, monkeypatch):
    if study in ("rair_dtc", "colon"):  # other tests read the same pages
        shown = shipped(name, f"data/{study}", audience)
        pictures = shown.pictures
    else:
        pictures = watch_pictures(monkeypatch)
        without_drawing(monkeypatch)
        shown = run_notebook(name, monkeypatch, study=folder_of(study, where), audience=audience)
    if (study, audience) not in PICTURES:
        pictures = {}
    # One profile stands for all.
    profiles = [figure_id for figure_id in pictures if figure_id.startswith("profile_")]
    told = [text for figure_id, text in pictures.items() if figure_id not in profiles[1:]]
    if told:
        compare(f"{study}.{audience}.{name}.pictures", "\n".join(told))
    compare(f"{study}.{audience}.{name}", said(shown))


def test_no_golden_text_is_left_over():
    """Texts of reports that nobody makes any more are taken out."""
    reports = {".".join(report) for report in REPORTS}
    reports |= {f"plain.{page}" for page in ("rair_dtc", "rair_dtc_share", "colon", "rair_dtc.zh", "rair_dtc_share.zh")}  # tests/publish/test_plain*.py
    reports |= {f"rair_dtc.zh.{name}" for name in NOTEBOOKS}  # tests/languages/test_pages.py
    assert {path.name.removesuffix(".txt").removesuffix(".pictures") for path in GOLDEN.iterdir()} == reports


def test_a_difference_is_shown_with_the_command_that_renews(tmp_path, monkeypatch):
    monkeypatch.setattr("golden.GOLDEN", tmp_path)
    monkeypatch.delenv("REFRESH_GOLDEN", raising=False)
    (tmp_path / "report.txt").write_text("The arms differ.\nThe rest.\n")
    compare("report", "The arms differ.\nThe rest.\n")
    with pytest.raises(AssertionError, match=r"(?s)make golden.*-The arms differ\.\n\+The arms are alike\.\n The rest"):
        compare("report", "The arms are alike.\nThe rest.\n")
    monkeypatch.setenv("REFRESH_GOLDEN", "1")
    compare("report", "The arms are alike.\n")
    assert (tmp_path / "report.txt").read_text() == "The arms are alike.\n"
