"""What an endpoint does not show: counts equal a recount of the tables; declared results of others stand beside ours."""

import pytest
from study_builder import write_study

from lib.analyses.cohort.checklist import count_declared
from lib.analyses.efficacy.course import analyse_course
from lib.analyses.efficacy.other_events import OTHER_EVENTS, analyse_other_events, analyse_sites
from lib.analyses.efficacy.survival import analyse
from lib.analyses.result import Absent, where
from lib.dataset.dataset import load
from lib.show.display import EMPTY
from lib.show.sentences.survival import sentence_other_events, sentence_progression
from lib.show.tables import design as table_design
from lib.show.tables.course import table_other_events, table_sites
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


def test_other_studies_stand_beside_ours(tmp_path):
    data = load("efficacy", study=str(ROOT / "data/rair_dtc"))
    first, course = analyse(data, data.study.primary), analyse_course(data, (6.0, 12.0))
    table = table_design.table_external(count_declared(data), [first], course)
    assert table.rows[0].cells[3].startswith("18.6 (")
    assert table.rows[1].cells[3].startswith("6/14 (43%)")
    only = load("efficacy", study=str(ROOT / "data/rair_dtc"), arms=["B", "C"])
    assert table_design.table_external(count_declared(only), [analyse(only, only.study.primary)], course) is EMPTY
    six = load("efficacy", study=str(write_study(tmp_path / "s")))
    assert len(table_design.table_external(count_declared(six), [analyse(six, six.study.primary)], Absent("no")).rows) == 2
