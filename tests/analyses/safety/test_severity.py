"""Severity scales and outcomes of adverse events: what is counted as severe and as fatal, and in whose words."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from new_studies import new_study, write_book
from study_builder import add, cell, write_study

from lib.analyses.result import where
from lib.analyses.safety import events as safety_events
from lib.analyses.safety import events_in_time, profiles
from lib.dataset.dataset import load
from lib.explore import marks
from lib.explore.queries import check_study
from lib.report.published import compare_published
from lib.report.results import to_rows
from lib.show.disclosure import audience
from lib.show.plots import safety as plot_safety
from lib.show.sentences import safety as say_safety
from lib.show.tables import safety as table_safety
from lib.study.claims import Claim
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

DEAD = "SYN-04"  # row 3 of every table with one row per patient
SCALE = "  severe_grade: 3\n  max_grade: 5\n"
MILD = "  levels: [{value: mild, label: Mild}, {value: moderate, label: Moderate}, {value: severe, label: Severe}]\n  severe_level: severe\n"
NUMBERED = "  levels: [{value: 1, label: Leicht}, {value: 2, label: Schwer}]\n  severe_level: 2\n"
LETTERS = "  levels: [{value: A, label: WHO I}, {value: B, label: WHO II}, {value: C, label: WHO III}, {value: D, label: Tod}]\n  severe_level: C\n  fatal_level: D\n"
CHINESE = "  levels: [{value: 轻度, label: 轻度}, {value: 中度, label: 中度}, {value: 重度, label: 重度}]\n  severe_level: 中度\n"
# scale in study.yml, grades of the six events, outcomes or none -> patients severe, fatal (None: no such row), words
STUDIES = {
    "grades 1-5": (SCALE, "2 3 4 5 1 2", None, 3, 1, "grade 3 or higher"),
    "grades 1-4": ("  max_grade: 4\n", "2 3 4 1 1 2", None, 2, None, "grade 3 or higher"),
    "grades 1-3": ("  max_grade: 3\n", "2 3 3 3 1 2", None, 3, None, "grade 3"),
    "grades 1-2": ("  severe_grade: 2\n  max_grade: 2\n", "2 1 2 1 1 2", None, 3, None, "grade 2"),
    "grades 1-3, outcomes": ("  max_grade: 3\n", "2 3 3 2 1 2", "recovered,unknown,,fatal,recovering,sequelae", 2, 1, "grade 3"),
    "grades 1-5, outcomes": (SCALE, "2 3 4 4 1 2", "recovered,not recovered,,fatal,,unknown", 3, 1, "grade 3 or higher"),
    "words": (MILD, "mild severe mild severe moderate mild", None, 2, None, "severe"),
    "words, outcomes": (MILD, "mild mild mild mild mild mild", "recovered,,,fatal,,", 0, 1, "severe"),
    "numbers with words": (NUMBERED, "1 2 1 1 2 1", None, 2, None, "schwer"),
    "letters with death": (LETTERS, "A B C D A C", None, 3, 1, "WHO III or worse"),
    "Chinese": (CHINESE, "轻度 中度 重度 轻度 轻度 中度", None, 3, None, "中度 or worse"),
}  # fmt: skip


def _of_events(values, outcomes):
    """Six events, one per patient; a fatal one ends with the death, which here comes early."""

    def change(frame):
        frame = frame.assign(grade=values.split())
        return frame if outcomes is None else frame.assign(outcome=outcomes.split(","))

    return change


def _scaled(scale):
    return lambda text: text.replace(SCALE, scale)


def _write(folder, scale, values, outcomes):
    """The built study; SYN-04 dies on the day its event ends."""
    early = {"patients": cell(3, ["death_date", "last_contact_date"], "2020-07-04")}
    lasting = {"measurements": lambda f: f[~((f["lesion_id"] == "SYN-04-1") & (f["visit"] != "0"))]}
    scans = {
        "patients": lambda f: cell(3, "last_tumour_assessment", "2020-05-20")(early["patients"](f)),
        "assessments": lambda f: f[~((f["patient_id"] == DEAD) & (f["visit"] != "0"))],
        "markers": lambda f: f[~((f["patient_id"] == DEAD) & (f["visit"] != "0"))],
    }
    return write_study(folder, _scaled(scale), adverse_events=_of_events(values, outcomes), **(lasting | scans))


@pytest.fixture(scope="module", params=list(STUDIES))
def built(request, tmp_path_factory):
    scale, values, outcomes, *expected = STUDIES[request.param]
    folder = _write(tmp_path_factory.mktemp("severity") / "study", scale, values, outcomes)
    return load("safety", study=str(folder)), values.split(), outcomes, expected


def _patients(analysis, kind):
    return where(analysis["ae_overview"], variable=kind, group="overall")["count"].tolist()


def test_severe_and_fatal_are_counted_where_the_study_can_tell(built):
    data, _, _, (severe, fatal, _) = built
    harms = safety_events.analyse(data)
    assert _patients(harms, "severe") == [severe]
    assert _patients(harms, "fatal") == ([] if fatal is None else [fatal])
    recorded = to_rows("safety", harms)
    assert recorded["variable"].eq("fatal").any() == (fatal is not None)
    assert where(harms["ae_grade"], term="any term")["count"].sum() == 6


@pytest.mark.filterwarnings("ignore:Glyph")
def test_every_page_speaks_the_words_of_the_scale(built):
    """Tables, figures, sentences, profiles: no grade where the study has none, and its own word for severe everywhere."""
    data, values, outcomes, (_, fatal, words) = built
    settings, harms, timed = data.study.adverse_events, safety_events.analyse(data), events_in_time.analyse(data)
    figures = [plot_safety.plot_ae_terms(harms), plot_safety.plot_ae_grades(harms),
               plot_safety.plot_ae_courses(timed), *plot_safety.plot_profiles(profiles.choose_profiles(data, *data.patients["patient_id"]))]  # fmt: skip
    shown = [table_safety.table_ae_overview(harms), table_safety.table_ae_differences(harms),
             table_safety.table_ae_terms(harms), table_safety.table_ae_grades(harms),
             table_safety.table_ae_attribution(harms), table_safety.table_ae_rates(timed),
             table_safety.table_ae_rate_ratios(timed), table_safety.table_ae_listing(timed)]  # fmt: skip
    said = [
        *(table.to_text() + table.title + " ".join(c.label + c.detail for c in table.columns) for table in shown),
        *(figure.svg + figure.alt + figure.title for figure in figures),
        say_safety.sentence_safety(harms),
        *(mark["says"] for mark in marks.marks_terms(harms, figures[0])),
        *to_rows("safety", harms)["variable"],
        *to_rows("safety", harms)["method"],
    ]
    text = "\n".join(said)
    assert bool(re.search(r"\bgrades?\b", text, re.IGNORECASE)) == (not settings.levels)
    assert words.lower() in say_safety.sentence_safety(harms).lower()
    assert words[1:] in shown[0].to_text()
    assert f"{words}: " in text
    assert ("Fatal" in text) == (fatal is not None)
    listed = [row.cells[3] for row in shown[-1].rows]
    labels = {level.value: level.label for level in settings.levels}
    assert sorted(listed) == sorted(labels.get(value, value) for value in values)
    assert any("fatal" in row.cells for row in shown[-1].rows) == bool(outcomes)


def test_the_profiles_of_severe_and_fatal_courses_are_chosen(built):
    data, values, outcomes, _ = built
    settings = data.study.adverse_events
    ranks = {level.value: rank for rank, level in enumerate(settings.levels, 1)} or {str(rank): rank for rank in range(1, 6)}
    grave = {f"SYN-0{i}" for i, value in enumerate(values, 1) if ranks[value] >= settings.severe}
    assert set(profiles.choose_profiles(data)["chosen"]["patient_id"]) == grave | ({DEAD} if outcomes else set())


def test_a_shared_report_hides_fatal_events_with_the_deaths_around_them(built):
    data, _, _, (_, fatal, _) = built
    study = data.study.model_copy(update={"policy": data.study.policy.model_copy(update={"small_cell": 2})})
    masked = audience.mask_analysis(replace(data, study=study), safety_events.analyse(data))
    assert masked["ae_overview"]["variable"].eq("fatal").any() == (fatal is not None)
    assert masked["ae_overview"].query("variable == 'fatal' and count == 1").empty


def test_a_published_claim_about_fatal_events_is_not_available_without_them(built):
    data, _, _, (_, fatal, _) = built
    check = {"rule": "equals", "output": "ae_overview", "variable": "fatal", "group": ["overall"], "statistic": "count", "value": [0]}
    claim = Claim(id="P", claim="Deaths from toxicity", printed="0", checks=[check])
    found = compare_published((claim,), to_rows("safety", safety_events.analyse(data)))
    assert found["verdict"].item() == ("not available" if fatal is None else "differs")


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        ("  severe_grade: 4\n  max_grade: 3\n", "severe_grade 4 is above max_grade 3"),
        ("  max_grade: 2\n", "severe_grade 3 is above max_grade 2"),
        ("  severe_level: severe\n", "belong to levels"),
        (MILD + "  max_grade: 3\n", "either levels"),
        (MILD.replace("severe_level: severe", "severe_level: grave"), "which of mild, moderate, severe"),
        (MILD.replace("  severe_level: severe\n", ""), "which of mild, moderate, severe"),
        (MILD + "  fatal_level: mild\n", "death is the worst of all"),
        ("  levels: [{value: bad, label: Bad}]\n  severe_level: bad\n", "at least two"),
        (MILD.replace("moderate", "mild"), "given twice"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(tmp_path, scale, said):
    with pytest.raises(ProblemsFound, match=said):
        read_study(write_study(tmp_path / "study", _scaled(scale)))


@pytest.mark.parametrize(
    ("scale", "change", "code", "said"),
    [
        (SCALE, add(outcome=["", "fatal", "", "", "", ""]), "E071", "fatal, but the patient has no death_date"),
        (SCALE, add(outcome=["fatal", "", "", "", "", ""]), "E071", "ends with the death on 2021-02-13"),
        (SCALE, add(outcome=["", "", "", "fatal", "", ""], end_date=""), "W076", "not grade 5, which is death"),
        (SCALE, add(outcome="recovered", grade="5"), "E071", "contradicts grade 5, which is death"),
        (SCALE, add(outcome="resolved"), "E016", "recovered, recovering, not recovered, sequelae, fatal, unknown"),
        (LETTERS, add(grade="D"), "E071", "tod is death"),
        (LETTERS, add(grade="D", outcome="sequelae"), "E071", "contradicts tod"),
        (MILD, add(grade="Mild"), "E070", "one of mild, moderate, severe; nearest: mild"),
        (MILD, add(grade="2"), "E070", "one of mild, moderate, severe"),
        ("  max_grade: 3\n", add(grade="4"), "E070", "from 1 to 3"),
    ],
)
def test_severity_outcome_and_death_that_contradict_each_other_are_asked_about(tmp_path, scale, change, code, said):
    found = check_study(write_study(tmp_path / "study", _scaled(scale), adverse_events=change)).queries
    assert any(said in message for message in found.loc[found["code"] == code, "message"]), found["message"].tolist()


def test_what_agrees_is_not_asked_about(tmp_path):
    outcomes = add(outcome=["fatal", "unknown", "", "recovered", "sequelae", "recovering"], end_date=["", *["2020-09-01"] * 5])
    found = check_study(write_study(tmp_path / "study", _scaled("  max_grade: 3\n"), adverse_events=outcomes)).queries
    assert not found["code"].isin(["E071", "W076", "E016", "E070"]).any(), found["message"].tolist()


def test_at_an_earlier_cutoff_nobody_has_died_of_it_yet(tmp_path):
    folder = str(_write(tmp_path / "study", SCALE, "2 2 2 5 2 2", ",,recovered,fatal,,"))
    assert _patients(safety_events.analyse(load("safety", study=folder)), "fatal") == [1]
    early = load("safety", study=folder, cutoff="2020-07-01")
    assert _patients(safety_events.analyse(early), "fatal") == [0]
    events = early.tables["adverse_events"].set_index("patient_id")["outcome"]
    assert pd.isna(events[DEAD])
    assert events["SYN-03"] == "recovered"


GRADES = ["1", "2", "3", "2", "1"]
WORDED = ["Mild", "Severe", "Moderate", "Mild", "Mild"]


@pytest.mark.parametrize(
    ("column", "cells", "scale"),
    [
        ("grade", GRADES, {"severe_grade": 3, "max_grade": 3}),
        ("AETOXGR", GRADES, {}),
        ("CTCAE grade", GRADES, {}),
        ("grade", ["1", "4", "2", "2", "3"], {}),
        ("Grade", ["Grade 1", "Grade 4", "Grade 2", "G2", "gr. III"], {}),
        ("severity", WORDED, {"levels": ["Mild", "Moderate", "Severe"], "severe_level": "Severe"}),
        ("AESEV", ["SEVERE", "MILD", "DEATH", "MILD", "SEVERE"], {"levels": ["MILD", "SEVERE", "DEATH"], "severe_level": "SEVERE", "fatal_level": "DEATH"}),
        ("severity", ["schwer", "leicht", "mittel", "mittel", "leicht"], {"levels": ["leicht", "mittel", "schwer"], "severe_level": "schwer"}),
        ("severity", ["重度", "轻度", "轻度", "中度", "重度"], {"levels": ["轻度", "中度", "重度"], "severe_level": "重度"}),
        ("severity", ["big", "small", "small", "big", "tiny"], {"levels": ["big", "small", "tiny"]}),
        ("severity", ["mild", "moderate", "mild", "mild", "mild"], {"levels": ["mild", "moderate"]}),
    ],
)  # fmt: skip
def test_a_new_study_is_proposed_with_the_scale_of_its_table(tmp_path, column, cells, scale):
    """What is not known is asked: without severe_level the proposal is refused with the question."""
    new, folder = new_study(tmp_path, write_book(tmp_path / "x.xlsx", _clinic(column, cells, ["RECOVERED/RESOLVED"] * 5)))
    proposed = new.proposal.study["adverse_events"]
    levels = [level["value"] for level in proposed.get("levels", [])]
    keys = ("severe_grade", "max_grade", "severe_level", "fatal_level")
    assert {k: proposed[k] for k in keys if k in proposed} | ({"levels": levels} if levels else {}) == scale
    if levels and "severe_level" not in scale:
        with pytest.raises(ProblemsFound, match="mildest that counts as severe"):
            read_study(folder)
    else:
        assert not check_study(folder).queries["code"].eq("E070").any()


def _clinic(column, cells, outcomes):
    patients = [["id", "arm", "os_months", "os_status"], *[[f"P{n}", "AB"[n % 2], n + 5, n % 2] for n in range(10)]]
    events = [["id", "event", column, "onset", "outcome"], *[[f"P{n}", "Nausea", cell, "2020-03-01", outcomes[n]] for n, cell in enumerate(cells)]]
    return {"patients": patients, "events": events}


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["RECOVERED/RESOLVED", "FATAL", "NOT RECOVERED/NOT RESOLVED", "RECOVERING/RESOLVING", "RECOVERED/RESOLVED WITH SEQUELAE"],
         ["recovered", "fatal", "not recovered", "recovering", "sequelae"]),
        (["Resolved", "died", "ongoing", "improving", "with sequelae"], ["recovered", "fatal", "not recovered", "recovering", "sequelae"]),
        (["recovered", "fatal", "unknown", "", "sequelae"], ["recovered", "fatal", None, None, "sequelae"]),
        (["1", "5", "3", "2", "4"], ["1", "5", "3", "2", "4"]),  # numbers mean different things in different forms
        (["resolved", "died", "see letter", "resolved", "resolved"], ["resolved", "died", "see letter", "resolved", "resolved"]),
    ],
)  # fmt: skip
def test_outcomes_are_read_where_each_word_has_one_meaning(tmp_path, words, codes):
    new, folder = new_study(tmp_path, write_book(tmp_path / "x.xlsx", _clinic("grade", GRADES, words)), answers={"event of os_status": "1"})
    read = pd.read_csv(folder / "adverse_events.csv", dtype=str)["outcome"].astype(object)
    assert read.where(read.notna(), None).tolist() == codes
    changed = new.changes[new.changes["column"] == "outcome"]
    assert set(changed["became"]) - {""} == {code for word, code in zip(words, codes, strict=True) if code and word != code}
    refused = check_study(folder).queries
    assert bool((refused["column"] == "outcome").any()) == (codes == words and codes != ["recovered"])
