"""What an endpoint does not show: counts equal a recount of the tables; declared results of others stand beside ours."""

import pytest
from lesion_studies import FOLDER, Lesion, Patient, study_of, write_lesions

from lib.analyses.efficacy.other_events import (
    OTHER_EVENTS,
    analyse_first_progression,
    analyse_other_events,
    analyse_sites,
)
from lib.analyses.result import Absent, where
from lib.dataset.dataset import load
from lib.dataset.progression import progression_dates
from lib.show.display import EMPTY
from lib.show.sentences.survival import sentence_other_events, sentence_progression
from lib.show.tables.course import table_first_progression, table_other_events, table_sites
from lib.study.study import ROOT


@pytest.fixture(scope="module")
def cohort():
    data = load("efficacy", study=str(ROOT / "data/rair_dtc"))
    return data, analyse_other_events(data), analyse_sites(data)


def test_counts_equal_a_recount(cohort):
    data, counted, sites = cohort
    frame, patients = counted["other_events"], data.patients
    later = set(data.tables["treatments"].query("line > 1")["patient_id"])
    for arm in "ABC":
        own = patients[patients["arm"] == arm]
        seen = where(frame, group=arm).set_index("variable")["count"]
        assert seen["distant_progression"] == own["distant_progression_date"].notna().sum()
        assert seen["later_line"] == sum(p in later for p in own["patient_id"])
        assert seen["death_without"] <= seen["death"]
    lesions = data.tables["lesions"].query("target")
    for site, part in sites["lesion_sites"].groupby("variable"):
        total = where(part, group="overall")["count"].item()
        assert total == lesions[lesions["site"] == site]["patient_id"].nunique()


def test_page_shows_them(cohort):
    data, counted, sites = cohort
    row = where(counted["other_events"], variable="later_line", group="C").iloc[0]
    assert f"{row['count']}/{row['n']}" in sentence_other_events(counted)
    text = table_other_events(counted).to_text()
    assert all(label in text for label in OTHER_EVENTS.values())
    assert "Lung" in table_sites(sites).to_text()
    assert "at least 20% and 5 mm above" in sentence_progression(data, data.study.primary)
    assert sentence_progression(data, data.study.endpoint("os")) == ""


def test_a_study_without_dates_says_so():
    data = load("efficacy", study=str(ROOT / "data/colon"))
    assert isinstance(analyse_other_events(data), Absent)
    assert "no dates" in sentence_other_events(analyse_other_events(data))
    assert table_sites(analyse_sites(data)) is EMPTY
    assert sentence_progression(data, data.study.primary) == ""


def counts_of(data):
    """Count by variable, of all patients."""
    frame = analyse_first_progression(data)["first_progression"]
    return frame[frame["group"] == ("overall" if len(data.arms) > 1 else data.arms[0].id)].set_index("variable")["count"].to_dict()


def test_where_it_progressed_first(tmp_path):
    """One patient for each kind and way of showing, one with two on one day, one with none."""
    patients = [Patient(f"P{i}", "AB"[i % 2], distant=30 if i == 4 else None) for i in range(9)]
    grows, stays = {0: 20, 2: 30, 4: 40}, {0: 20, 2: 20, 4: 20}
    treated = [Lesion(p.id, "neck", grows if i in (0, 6) else stays, treated=True) for i, p in enumerate(patients)]
    others = [
        Lesion("P1", "neck", grows), Lesion("P2", "node", {2: 9}, False), Lesion("P3", "lung", {4: 9}, False), Lesion("P3", "node", {2: 20}, False),
        Lesion("P6", "lung", {2: 9}, False), Lesion("P7", "hip", {4: 9}, False),
        Lesion("P8", "lung", {0: 20, 2: 24, 4: 24.5}), Lesion("P8", "node", {0: 20, 2: 24, 4: 24.5}),
    ]  # fmt: skip
    study = study_of(patients)
    study |= {"sites": [*study["sites"], {"value": "hip", "label": "Hip"}]}
    eight = [lesion if lesion.patient != "P8" else Lesion("P8", "neck", {0: 20, 2: 24, 4: 24.5}, treated=True) for lesion in treated]
    data = load("efficacy", study=str(write_lesions(tmp_path, patients, [*eight, *others], study)))
    assert counts_of(data) == {
        "any": 8, "in_field growth": 2, "local_untreated growth": 1, "regional new": 2, "distant new": 1, "distant recorded": 1,
        "elsewhere new": 1, "target_growth growth": 1,
    }  # fmt: skip
    text = table_first_progression(analyse_first_progression(data)).to_text()
    assert "The sum of the targets grew, no single lesion did" in text
    assert "lesions marked as treated locally, and every target of a patient who has none" in text


@pytest.mark.parametrize("study", [FOLDER / "large", ROOT / "data/rair_dtc"])
def test_everybody_who_progressed_is_counted_once(study):
    data = load("efficacy", study=str(study))
    dates = progression_dates(data)
    assert counts_of(data)["any"] == dates.notna().any(axis=1).sum()
    first = dates.min(axis=1)
    assert counts_of(data)["in_field growth"] == (dates["progression.in_field"].eq(first) & first.notna()).sum()


def test_a_study_without_progression_shows_no_table(tmp_path):
    patients = [Patient("P1"), Patient("P2")]
    data = load("efficacy", study=str(write_lesions(tmp_path, patients, [Lesion(p.id, "neck", {0: 20, 2: 20}) for p in patients])))
    assert table_first_progression(analyse_first_progression(data)) is EMPTY


def test_a_definition_of_kinds_says_what_they_are():
    data = load("efficacy", study=str(FOLDER / "small"))
    said = sentence_progression(data, data.study.endpoint("lc"))
    assert "its own diameter is at least 20% and 5 mm above the smallest before" in said
    assert "treated are the targets treated locally; with Drug, without a local component, every target" in said
    assert "named by its region" in said
