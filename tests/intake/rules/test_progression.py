"""Endpoints that count where the disease progressed: what the tables must say of each lesion."""

import pytest
from lesion_studies import Lesion, Patient, study_of, treatments, with_kinds, write_lesions, write_treatments

from lib.dataset.dataset import load
from lib.study.yaml_file import ProblemsFound

PATIENTS = [Patient("P1", "A"), Patient("P2", "B")]
GROWS = {0: 20, 2: 30}
RULE = {"visits": [6], "progression_column": "local_progression_date"}


def problems(folder, lesions, *kinds, local=True, changed=None, without=()):
    """What is said of a study whose endpoint names these kinds."""
    study = with_kinds(study_of(PATIENTS), *kinds) | (changed or {})
    study = treatments(study) if local else study
    write_lesions(folder, PATIENTS, lesions, study, without=without)
    if local:
        write_treatments(folder, PATIENTS, study)
    try:
        load("efficacy", study=str(folder))
    except ProblemsFound as error:
        return [(p.code, p.file, p.row, p.column, p.message) for p in error.problems if p.severity == "error"]
    return []


@pytest.mark.parametrize("without", [(), ("treated",)])
def test_an_arm_with_local_therapy_needs_treated_targets(tmp_path, without):
    lesions = [Lesion("P1", "neck", GROWS), Lesion("P2", "neck", GROWS)]
    [(code, file, _, column, message)] = problems(tmp_path, lesions, "progression.in_field", without=without)
    assert (code, file, column) == ("E056", "lesions.csv", "treated")
    assert "no target of arm B is marked as treated, though it gets implant" in message


def test_without_treatments_somebody_must_be_marked(tmp_path):
    lesions = [Lesion("P1", "neck", GROWS), Lesion("P2", "neck", GROWS)]
    [(code, *_, message)] = problems(tmp_path, lesions, "progression.in_field", local=False)
    assert code == "E056"
    assert "mark the lesions that are treated locally, or declare treatments" in message
    assert not problems(tmp_path, [lesions[0], Lesion("P2", "neck", GROWS, treated=True)], "progression.in_field", local=False)


def test_what_is_not_treated_needs_a_region(tmp_path):
    sites = {"sites": [{"value": "neck", "label": "Neck", "region": "local"}, {"value": "hip", "label": "Hip"}], "response": RULE}
    lesions = [
        Lesion("P1", "neck", GROWS), Lesion("P2", "hip", GROWS, treated=True), Lesion("P2", "hip", GROWS), Lesion("P2", "hip", {2: 9}, False),
        Lesion("P2", "hip", {2: 9}, False, region="distant"),
    ]  # fmt: skip
    found = problems(tmp_path, lesions, "progression.distant", changed=sites)
    assert [(code, row, column) for code, _, row, column, _ in found] == [("E057", 4, "site"), ("E057", 5, "site")]
    assert "say in study.yml (sites) or in the column region" in found[0][-1]
    assert not problems(tmp_path, lesions, "progression.in_field", changed=sites)


def test_a_region_is_one_of_three(tmp_path):
    [(code, _, row, column, message)] = problems(tmp_path, [Lesion("P1", "neck", GROWS, region="thorax"), Lesion("P2", "neck", GROWS)], "death_date")
    assert (code, row, column) == ("E016", 2, "region")
    assert "one of local, regional, distant" in message


def test_nothing_progresses_before_time_zero(tmp_path):
    lesions = [Lesion("P1", "neck", {-3: 20, 0: 20, 2: 30}), Lesion("P2", "neck", GROWS, treated=True)]
    assert not problems(tmp_path, lesions, "progression.in_field")
    folder = tmp_path / "early"
    write_lesions(folder, PATIENTS, lesions, study := treatments(with_kinds(study_of(PATIENTS), "progression.in_field")))
    write_treatments(folder, PATIENTS, study)
    patients = (folder / "patients.csv").read_text().replace("2020-01-01", "2020-03-15")
    (folder / "patients.csv").write_text(patients)
    with pytest.raises(ProblemsFound) as found:
        load("efficacy", study=str(folder))
    early = [p for p in found.value.problems if p.code == "E058"]
    assert [(p.file, p.column, p.patient_id) for p in early] == [("measurements.csv", "assessment_date", p) for p in ("P1", "P2")]
    assert "progression before time_zero 2020-03-15, and an endpoint counts progression.in_field" in early[0].message


def test_an_endpoint_without_kinds_asks_for_nothing(tmp_path):
    sites = {"sites": [{"value": "neck", "label": "Neck"}], "response": RULE}
    assert not problems(tmp_path, [Lesion("P1", "neck", GROWS), Lesion("P2", "neck", GROWS)], "death_date", changed=sites)
