"""What decides a result and is not certain is asked; nothing is reported before it is answered, and answers are kept."""

import re
import shlex

import hypothesis.strategies as st
import lifelines.datasets
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from ruamel.yaml import YAML

from lib.__main__ import main
from lib.commands import new_study as command
from lib.commands import report as report_command
from lib.commands.terminal import refuse
from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.headers import Headed
from lib.intake.new_study.reading import proposed, read_sheets
from lib.intake.tables import read_tables
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

STATUS = "id,arm,time,status\n" + "".join(f"P{n},{'AB'[n % 2]},{30 * n + 5},{int(n % 3 == 0)}\n" for n in range(1, 19))
ANSWERS = "unit of time: days\nevent of status: 1\n"


def _invoke(*arguments, **more):
    return CliRunner().invoke(main, list(map(str, arguments)), **more)


def _said(run):
    return re.sub(r"\s+", " ", run.output)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(STATUS)
    return path


def test_an_open_question_is_listed_with_what_follows_and_blocks_check_and_report(tmp_path, file):
    run = _invoke("new", tmp_path / "mine", "--from", file)
    assert run.exit_code == 0, run.output
    assert "2 questions decide a result" in run.output
    assert "0: 12 of 18 patients have the event, 6 are censored" in run.output
    for words in (("check",), ("report", "--output", tmp_path / "out")):
        run = _invoke(*words, "--study", tmp_path / "mine")
        assert run.exit_code == 2
        assert _said(run).count("E113") == 2
        assert "1, where 6 of 18 patients have the event, 12 are censored" in _said(run)
    assert not (tmp_path / "out").exists()


def test_without_its_answer_an_endpoint_is_not_there_even_if_the_question_is_deleted(tmp_path, file):
    _invoke("new", tmp_path / "mine", "--from", file)
    text = (tmp_path / "mine" / "study.yml").read_text()
    content = YAML(typ="safe").load(text)
    assert content["endpoints"] == []
    (tmp_path / "mine" / "study.yml").write_text(text[: text.index("\nask:")])
    assert read_study(tmp_path / "mine").endpoints == ()


def test_the_lines_that_are_listed_answered_make_the_study(tmp_path, file):
    """As a user does: copy the lines, write an answer behind each colon, run the command that stands there."""
    run = _invoke("new", tmp_path / "mine", "--from", file)
    lines = run.output[run.output.index("# In which unit") : run.output.index("\nThen:")]
    lines = lines.replace("unit of time:", "unit of time: weeks").replace("event of status:", "event of status: 1")
    (tmp_path / "mine" / "answers.yml").write_text(lines)
    run = _invoke("new", tmp_path / "mine", "--from", file, "--update")
    assert "data queries have to be answered" not in run.output
    (endpoint,) = read_study(tmp_path / "mine").endpoints
    assert (endpoint.time.unit, endpoint.event.event, endpoint.event.censored) == ("weeks", "1", "0")
    assert (tmp_path / "mine" / "study_before.yml").is_file()


def test_the_command_that_is_listed_can_be_typed_whatever_the_file_is_called(tmp_path, file):
    spaced = file.rename(tmp_path / f"{'lang ' * 12}Studie Süd 2.csv")
    run = _invoke("new", tmp_path / "my study", "--from", spaced)
    typed = run.output[run.output.index("\nThen:") :].splitlines()[2]
    assert shlex.split(typed) == ["python", "-m", "lib", "new", str(tmp_path / "my study"), "--from", str(spaced), "--update"]


def test_answers_are_kept_with_the_study_and_used_again(tmp_path, file):
    (tmp_path / "given.yml").write_text(ANSWERS)
    _invoke("new", tmp_path / "mine", "--from", file, "--answers", tmp_path / "given.yml")
    (tmp_path / "given.yml").unlink()
    first = read_study(tmp_path / "mine")
    edited = (tmp_path / "mine" / "study.yml").read_text().replace("label: Time\n", "label: Mine\n")
    (tmp_path / "mine" / "study.yml").write_text(edited)
    file.write_text(STATUS + "P99,A,77,1\n")
    run = _invoke("new", tmp_path / "mine", "--from", file, "--update")
    assert run.exit_code == 0, run.output
    assert (tmp_path / "mine" / "study.yml").read_text() == edited
    tables = read_tables(read_study(tmp_path / "mine"))
    assert tables["patients"][first.endpoints[0].event_column].eq("1").sum() == 7


def test_at_a_terminal_each_is_asked(tmp_path, file, monkeypatch):
    monkeypatch.setattr(command, "at_a_terminal", lambda: True)
    run = _invoke("new", tmp_path / "mine", "--from", file, input="parsecs\nMonths\n0\n")
    assert run.exit_code == 0, run.output
    assert "is not one of" in run.output
    (endpoint,) = read_study(tmp_path / "mine").endpoints
    assert (endpoint.time.unit, endpoint.event.event) == ("months", "0")
    assert YAML(typ="safe").load((tmp_path / "mine" / "answers.yml").read_text()) == {"unit of time": "months", "event of status": "0"}


def test_ended_at_the_terminal_nothing_is_left(tmp_path, file, monkeypatch):
    monkeypatch.setattr(command, "at_a_terminal", lambda: True)
    run = _invoke("new", tmp_path / "mine", "--from", file, input="days\n")  # and then the input ends
    assert run.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.fixture
def reported(tmp_path, monkeypatch):
    """Studies are begun below here; of a report no more is made than which study it is of."""
    seen = []
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(report_command, "asked_for", lambda _, folder, *rest: seen.append(folder) or refuse([]))
    return seen


def test_a_report_of_a_file_asks_makes_the_study_and_goes_on(tmp_path, file, reported):
    """One command, before and after the answer; the same file again is the same study; another one is not taken silently."""
    folder = tmp_path / "data" / "in"
    run = _invoke("report", file)
    assert run.exit_code == 2
    assert "event of status:" in run.output
    assert "no report is made on an open question" in _said(run)
    assert not reported
    (folder / "answers.yml").write_text("unit of time: days\nevent of status: 1\n")
    for word in ("report", "report --study"):
        _invoke(*word.split(), file)
        assert reported.pop() == folder
    assert read_study(folder).endpoints
    file.write_text(STATUS + "P99,A,77,1\n")
    run = _invoke("report", file)
    assert run.exit_code == 2
    assert "its tables (patients) are not what in.csv gives" in _said(run)
    assert not reported
    _invoke("report", folder)
    assert reported == [folder]


def test_a_report_of_a_folder_of_files_takes_answers_from_anywhere(tmp_path, file, reported):
    (tmp_path / "Export 2026").mkdir()
    file.rename(tmp_path / "Export 2026" / "patients.csv")
    (tmp_path / "mine.yml").write_text("unit of time: months\nevent of status: 0\n")
    _invoke("report", tmp_path / "Export 2026", "--answers", tmp_path / "mine.yml")
    (study,) = map(read_study, reported)
    assert study.folder.name == "Export_2026"
    assert (study.endpoints[0].time.unit, study.endpoints[0].event.event) == ("months", "0")


@pytest.mark.parametrize("words", [["report", "no_such.sav"], ["report", "--study", "no_such"], ["report", "a", "--study", "b"]])
def test_a_report_of_nothing_is_refused(words):
    run = _invoke(*words)
    assert run.exit_code == 2
    assert "Traceback" not in _said(run)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ("event of status: dead\n", "E114"),
        ("- 1\n", "E100"),
        ("event of status: !!python/name:os.system 1\n", "E101"),
        ("unit of time: days\nevnt of status: 1\n", "answers no question; event of status was meant?"),
    ],
)
def test_an_answer_that_is_none_is_said(tmp_path, file, answers, says):
    (tmp_path / "given.yml").write_text(answers)
    run = _invoke("new", tmp_path / "mine", "--from", file, "--answers", tmp_path / "given.yml")
    assert says in _said(run)
    assert run.exit_code == (0 if "meant" in says else 2)
    assert (tmp_path / "mine").exists() == ("meant" in says)


NAMES = ("status", "cens", "censored", "event", "death", "os_status", "OS", "relapse", "alive", "no_death", "event_free", "vital status")
CODINGS = (("0", "1"), ("1", "2"), ("no", "yes"), ("alive", "dead"), ("N", "Y"), ("0:LIVING", "1:DECEASED"), ("0", "1", "2"),
           ("FALSE", "TRUE"), ("Living", "Died of disease", "Died of other causes"), ("否", "是"), ("生存", "死亡"))  # fmt: skip
# What the two words say of themselves, or under a name of which yes is plain.
PLAIN = {"alive": "dead", "0:LIVING": "1:DECEASED", "生存": "死亡"}


@settings(max_examples=60)  # a proposal takes a tenth of a second
@given(
    st.sampled_from(NAMES),
    st.sampled_from(CODINGS),
    st.lists(st.integers(0, 2), min_size=8, max_size=40),
    st.sampled_from(("event", "censored")),
    st.integers(0, 1),
)
def test_the_number_of_events_is_what_was_confirmed(name, coding, drawn, said, which):
    """Whatever the name and the coding: certain by the words, or as answered; else there is no endpoint."""
    cells = [coding[n % len(coding)] for n in drawn]
    frame = pd.DataFrame({"id": [f"P{n}" for n in range(len(cells))], "follow_up_months": [str(n + 1) for n in range(len(cells))], name: cells})
    sheets = {"s": Headed(frame.set_axis(range(2, len(cells) + 2)), [])}
    new, answers = proposed("x", sheets), {}
    columns = {"outcome": name, f"time column of {name}": "follow_up_months"}
    while sought := set(new.proposal.questions.open) & set(columns):
        answers |= {key: columns[key] for key in sought}
        new = proposed("x", sheets, answers)
    asked = new.proposal.questions.open
    if not asked and name == "no_death" and len(set(cells)) == 1:  # no name of an event, and one that does not vary
        assert new.proposal.study["endpoints"] == []
        return
    if not asked:
        ((endpoint,), values) = new.proposal.study["endpoints"], set(cells)
        certain = name in {"event", "death", "relapse"} and (len(coding) == 2 or "0" in values)
        words = values <= set(PLAIN) | set(PLAIN.values()) | {"Living", "Died of disease"} or values <= {"Living", "Died of other causes"}
        assert (certain and not values & {"2"} and values != {"1"}) or words
        happened = [cell for cell in cells if cell in {"1", "yes", "dead", "Y", "1:DECEASED", "TRUE", "Died of disease", "是", "死亡", "Died of other causes"}]
        assert _events(new, endpoint) == len(happened)
        return
    assert new.proposal.study["endpoints"] == []
    confirmed = 0
    for key, question in asked.items():
        answers[key] = said if " = " in key else list(question.options)[which]
        value = key.partition(" = ")[2] or answers[key]
        confirmed += cells.count(value) if answers[key] in (value, "event") else 0
        if answers[key] in question.options and answers[key] != "censored":
            assert f"{cells.count(value)} of {len(cells)} patients have the event" in question.options[answers[key]]
    new = proposed("x", sheets, answers)
    assert not new.proposal.questions.open
    assert _events(new, new.proposal.study["endpoints"][0]) == confirmed


def _events(new, endpoint):
    patients = new.tables["patients"]
    return patients.frame[patients.columns[endpoint["event"]["column"]]].eq(endpoint["event"]["event"]).sum()


def _eyes():
    """Two rows of each of 30 patients, numbered, the patient in a column of a name that nobody knows."""
    rows = [(n // 2 + 1, "LR"[n % 2], (n // 2 * 7) % 11 + 60, 10 * (n * 7 % 23) + 3, n % 3 % 2) for n in range(60)]
    return pd.DataFrame(rows, columns=["klave", "lado", "age", "time", "status"]).rename_axis("").reset_index()


SEVERAL = {
    "paired eyes": (_eyes, "klave", 30),
    "intervals until a transplant": (lambda: lifelines.datasets.load_stanford_heart_transplants().rename(columns={"id": "qx"}), "qx", 103),
    "recurrences": (lambda: lifelines.datasets.load_recur().rename(columns={"ID": "qx"}), "qx", 400),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_rows_of_one_patient_under_a_name_that_is_not_known_are_asked_about(name, tmp_path):
    """Taken as patients, each would count several times, and all intervals would be too narrow."""
    frame, column, patients = SEVERAL[name]
    frame().to_csv(tmp_path / "in.csv", index=False)
    run = _invoke("new", tmp_path / "mine", "--from", tmp_path / "in.csv")
    assert run.exit_code == 0, run.output
    assert "numbered as patients" not in _said(run), "nobody knows yet"
    asked = {one["key"]: one for one in YAML(typ="safe").load((tmp_path / "mine" / "study.yml").read_text())["ask"]}
    assert asked["id"]["options"] == {
        column: f"{patients} patients with several rows", "each row": f"{len(frame())} patients, each row is one"
    }  # fmt: skip
    (tmp_path / "answers.yml").write_text(f"id: {column}\n")
    run = _invoke("new", tmp_path / "again", "--from", tmp_path / "in.csv", "--answers", tmp_path / "answers.yml")
    assert f"are of {patients} patients, told by {column}" in _said(run)


@pytest.mark.parametrize("header", ["MRN", "hospital number", "住院号", "Fallnummer"])
def test_rows_of_one_person_stay_together_without_what_names_them(header, tmp_path):
    """The column is not copied, and had told whose the rows are."""
    frame = _eyes().drop(columns="").assign(klave=lambda f: 7_000_000 + 13 * f["klave"]).rename(columns={"klave": header})
    frame.to_csv(tmp_path / "in.csv", index=False)
    run = _invoke("new", tmp_path / "mine", "--from", tmp_path / "in.csv")
    assert "60 rows are of 30 patients, told by patient id" in _said(run)
    assert "70000" not in "".join(path.read_text("utf-8") for path in (tmp_path / "mine").rglob("*.*"))
    (tmp_path / "answers.yml").write_text("rows: each\n")
    _invoke("new", tmp_path / "each", "--from", tmp_path / "in.csv", "--answers", tmp_path / "answers.yml")
    assert len((tmp_path / "each" / "patients.csv").read_text("utf-8").splitlines()) == 61


@pytest.mark.parametrize("header", ["paciente", "Sujeto", "ID_Paziente", "Numéro patient", "Patiëntnummer", "Пациент", "환자번호", "患者"])
def test_an_id_is_known_in_other_languages(header, tmp_path):
    _eyes().drop(columns="").rename(columns={"klave": header}).to_csv(tmp_path / "in.csv", index=False)
    run = _invoke("new", tmp_path / "mine", "--from", tmp_path / "in.csv")
    assert f"60 rows are of 30 patients, told by {header}" in _said(run)


def test_sorted_rows_with_ties_are_no_rows_of_one_patient(tmp_path):
    """Ages in their order, with the group that follows from them, and times of whole weeks."""
    rows = [(60 + n // 4, "old" if n > 40 else "young", n // 3 + 1, n * 7 % 5 % 2, "AB"[n * 3 % 7 % 2]) for n in range(80)]
    pd.DataFrame(rows, columns=["age", "age group", "time", "status", "arm"]).iloc[2:].to_csv(tmp_path / "in.csv", index=False)
    run = _invoke("new", tmp_path / "mine", "--from", tmp_path / "in.csv")
    assert run.exit_code == 0, run.output
    assert "id" not in {one["key"] for one in YAML(typ="safe").load((tmp_path / "mine" / "study.yml").read_text())["ask"]}


def test_questions_and_keys_of_hostile_columns_are_harmless(tmp_path):
    (tmp_path / "in.csv").write_text('id,time,"status: [!!x\x1b[31m\n]"\na,1,0\nb,2,1\nc,3,0\nd,4,1\n')
    new = proposed("x", read_sheets([tmp_path / "in.csv"]))
    (tmp_path / "mine").mkdir()
    write_new_study(new, tmp_path / "mine")
    with pytest.raises(ProblemsFound) as found:
        read_study(tmp_path / "mine")
    assert {problem.code for problem in found.value.problems} == {"E113"}
    assert "\x1b" not in (tmp_path / "mine" / "study.yml").read_text()
