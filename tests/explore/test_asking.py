"""Open questions as a form on the interactive page: what is chosen is what is counted, and nothing is written before."""

import os

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from explored import TABS, shown

from lib.__main__ import main
from lib.explore import asking
from lib.explore import page as explore_page
from lib.explore.asking import CHANGED, NOT_HERE
from lib.intake.tables import read_tables
from lib.study.questions import read_answers
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.notebook

STATUS = "id,arm,time,status\n" + "".join(f"P{n},{'AB'[n % 2]},{30 * n + 5},{int(n % 3 == 0)}\n" for n in range(1, 19))
CHINESE = "编号,分组,随访时间（月）,状态\n" + "".join(f"{n},{'对照治疗'[2 * (n % 2):][:2]},{n + 2},{1 + (n % 4 == 0)}\n" for n in range(1, 25))
GERMAN = "Patient;Arm;Zeit (Monate);Status\n" + "".join(f"P{n};{'AB'[n % 2]};{n},5;{int(n % 5 != 0)}\n" for n in range(1, 21))
THREE = "id,arm,os_months,status\n" + "".join(f"P{n},{'AB'[n % 2]},{n + 1},{n % 3}\n" for n in range(1, 22))


def _csv(text, encoding="utf-8"):
    return lambda path: path.write_bytes(text.encode(encoding))


def _workbook(path):
    book = openpyxl.Workbook()
    for row in STATUS.split():
        book.active.append(row.split(","))
    book.save(path)


def _statistical(write):
    def written(path):
        frame = pd.DataFrame([row.split(",") for row in STATUS.split()[1:]], columns=["id", "arm", "time", "status"])
        write(frame.astype({"time": float, "status": float}), path)

    return written


def _sav(frame, path):
    import pyreadstat  # noqa: PLC0415

    pyreadstat.write_sav(frame, path)


INPUTS = {
    "plain.csv": _csv(STATUS),
    "semicolon.csv": _csv(GERMAN),
    "chinese.csv": _csv(CHINESE, "gb18030"),
    "tabs.txt": _csv(STATUS.replace(",", "\t")),
    "utf16.csv": _csv(STATUS, "utf-16"),
    "three.csv": _csv(THREE),
    "book.xlsx": _workbook,
    "spss.sav": _statistical(_sav),
    "stata.dta": _statistical(lambda frame, path: frame.to_stata(path, write_index=False)),
    "cens.csv": _csv(STATUS.replace("status", "cens")),
}


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """Studies are begun below here."""
    monkeypatch.setattr(asking, "DATA", tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(STATUS)
    return path


def ask(page):
    """The form, which stands in the place of the results."""
    assert page.box.children[-1] is page.asker.view
    return page.asker.view


def press(view, choice=-1):
    view.given = {"turn": view.turn, "choice": choice}


def answer(page, *answers):
    for one in answers:
        view = ask(page)
        press(view, [option for option, _ in view.options].index(one))
        assert view.problems == []


def results(page):
    """The page as it is for a study that waits for nothing."""
    assert page.box.children[-1] is page.view
    assert page.view.problems == []
    return page.view.blocks


def events(folder):
    """Patients with the event of the first endpoint, in the checked tables that a report is made of."""
    study = read_study(folder)
    endpoint = study.endpoints[0]
    return int(read_tables(study)["patients"][endpoint.event_column].eq(endpoint.event.event).sum())


@pytest.mark.parametrize("which", [0, 1, -1])
@pytest.mark.parametrize("name", INPUTS)
def test_the_number_of_events_is_what_the_choice_said(tmp_path, data, name, which):
    """Whatever the format, the language and the answers: as many events as stood beside those that were chosen."""
    INPUTS[name](tmp_path / name)
    done, said, keys = [], 0, 0
    asker = asking.Asker(done.append)
    asker.ask(tmp_path / name)
    while not done:
        assert asker.view.problems == []
        option, follows = asker.view.options[which]
        if "have the event" in follows and option not in ("censored", "competing"):
            said += int(follows.split(" of ")[0].split()[-1])
        keys += 1
        press(asker.view, which % len(asker.view.options))
    folder = data / name.partition(".")[0]
    assert done == [os.path.relpath(folder, ROOT)]
    assert keys >= 1
    assert (events(folder) if read_study(folder).endpoints else 0) == said
    assert len(read_answers(folder / "answers.yml")) == keys


def test_nothing_is_chosen_and_nothing_written_before_the_button(file, data):
    page = explore_page.Explorer(str(file))
    view = ask(page)
    assert page.form._pick.options[0][0] == "mine.csv (not a study yet)"
    assert "mine.csv does not say everything that decides a result: 2 questions are open." in view.says
    assert view.button == "Answer"
    assert not data.exists()
    press(view)
    assert view.problems == ["Choose one of the answers first."]
    assert not data.exists()
    answer(page, "months")
    assert read_answers(data / "mine" / "answers.yml") == {"unit of time": "months"}
    assert dict(view.options)["1"].startswith("6 of 18 patients have the event")
    assert view.answered == ["unit of time: months"]


@pytest.mark.parametrize("choice", [2, -1, 10**30, True, "1", None, [0], {"a": 1}])
def test_a_choice_that_is_none_is_a_sentence(file, data, choice):
    page = explore_page.Explorer(str(file))
    answer(page, "days")
    press(ask(page), choice)
    assert ask(page).problems == ["Choose one of the answers first."]
    assert read_answers(data / "mine" / "answers.yml") == {"unit of time": "days"}


def test_a_second_press_answers_nothing(file, data):
    page = explore_page.Explorer(str(file))
    view = ask(page)
    turn = view.turn
    view.given = {"turn": turn, "choice": 0}
    view.given = {"turn": turn, "choice": 1}
    assert len(read_answers(data / "mine" / "answers.yml")) == 1


def test_a_study_that_waits_goes_on_as_if_the_command_had_asked(tmp_path, file):
    """The same files, byte for byte, as answers.yml and the command make of it."""
    for name in ("mine", "theirs"):
        run = CliRunner().invoke(main, ["new", str(tmp_path / name / "study"), "--from", str(file)])
        assert run.exit_code == 0, run.output
    page = explore_page.Explorer(str(tmp_path / "mine" / "study"))
    assert page.form._pick.options[0][0] == "study (waits for answers)"
    answer(page, "days", "1")
    results(page)
    (tmp_path / "theirs" / "study" / "answers.yml").write_text("unit of time: days\nevent of status: 1\n")
    CliRunner().invoke(main, ["new", str(tmp_path / "theirs" / "study"), "--from", str(file), "--update"])
    both = [{path.name: path.read_bytes() for path in (tmp_path / name / "study").iterdir()} for name in ("mine", "theirs")]
    assert both[1].pop("study_before.yml")
    assert both[0] == both[1]
    assert "made_from" not in both[0]["study.yml"].decode()
    assert events(tmp_path / "mine" / "study") == 6


def test_what_somebody_wrote_into_study_yml_is_kept(file, data):
    page = explore_page.Explorer(str(file))
    answer(page, "days")
    yml = data / "mine" / "study.yml"
    edited = yml.read_text("utf-8").replace("short_title: mine", "short_title: My own")
    yml.write_text(edited, "utf-8")
    page = explore_page.Explorer(str(data / "mine"))
    answer(page, "0")
    assert (data / "mine" / "study_before.yml").read_text("utf-8") == edited


def test_files_that_changed_meanwhile_are_read_again_and_asked_anew(file, data):
    page = explore_page.Explorer(str(file))
    answer(page, "days")
    file.write_text(STATUS + "P99,A,77,1\n")
    view = ask(page)
    press(view, 1)
    assert view.problems == [CHANGED]
    assert "7 of 19 patients have the event" in dict(view.options)["1"]
    answer(page, "1")
    assert events(data / "mine") == 7


def test_an_answer_that_came_from_elsewhere_meanwhile_counts(file, data):
    page, other = (explore_page.Explorer(str(file)) for _ in range(2))
    answer(other, "weeks")
    press(ask(page), 0)
    assert ask(page).problems == [CHANGED]
    assert ask(page).answered == ["unit of time: weeks"]


def test_a_file_that_is_gone_is_said_and_can_be_named_anew(tmp_path, file, data):
    page = explore_page.Explorer(str(file))
    answer(page, "days")
    file.rename(tmp_path / "elsewhere.csv")
    view = ask(explore_page.Explorer(str(data / "mine")))
    assert view.question == ""
    assert view.button == "Read again"
    assert "file not found: mine.csv" in view.problems[0]
    assert "write its place as study" in view.problems[-1]
    (tmp_path / "elsewhere.csv").rename(file)
    press(view)
    assert view.problems == []
    assert view.question


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "the file has 0 bytes"), ("a.xlsx", b"PK\x03\x04 broken", "a.xlsx"), ("a.sav", b"$FL2 broken", "a.sav"),
        ("a.csv", b"colour,number\nred,1\n", "no sheet is a table of patients"), ("a.pdf", b"%PDF-1.4", "a.pdf"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_patients_is_a_sentence(tmp_path, data, name, content, says):
    (tmp_path / name).write_bytes(content)
    view = ask(explore_page.Explorer(str(tmp_path / name)))
    assert says in " ".join(view.problems)
    assert "cannot be taken in" not in " ".join(view.problems)
    assert view.question == ""
    assert not data.exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(file, data):
    data.write_text("a file where the folder should be")
    page = explore_page.Explorer(str(file))
    view = ask(page)
    asked = view.question
    press(view, 0)
    assert len(view.problems) == 1
    assert view.problems[0].startswith("Nothing was written: ")
    assert "Errno" not in view.problems[0]
    assert view.question == asked
    data.unlink()
    answer(page, "days", "1")
    results(page)


def test_a_file_that_leaves_nothing_open_becomes_a_study_at_the_button(tmp_path, data):
    plain = tmp_path / "plain.csv"
    plain.write_text(STATUS.replace("time,status", "os_months,death"))
    page = explore_page.Explorer(str(plain))
    view = ask(page)
    assert "plain.csv leaves nothing open. Its 18 patients become the study" in view.says
    assert (view.question, view.button, data.exists()) == ("", "Make the study", False)
    press(view)
    assert any("svg" in block for block in results(page))
    assert events(data / "plain") == 6

    again = explore_page.Explorer(str(plain))  # the same file is the same study
    assert results(again)
    plain.write_text(plain.read_text() + "P99,A,77,1\n")
    view = ask(explore_page.Explorer(str(plain)))
    assert "its tables (patients) are not what plain.csv gives" in view.problems[0]
    assert events(data / "plain") == 6


def test_where_pages_are_shared_nobody_answers(file, data, monkeypatch):
    answer(explore_page.Explorer(str(file)), "days")
    monkeypatch.setenv("COHORT_AUDIENCE", "share")
    before = {path.name: path.stat().st_mtime_ns for path in (data / "mine").iterdir()}
    for study in (file, data / "mine"):
        page = explore_page.start({"study": str(study)})
        for tab in range(len(TABS) + 1):
            page.view.tab = tab
            assert page.box.children[-1] is page.view
            assert page.view.problems == [NOT_HERE]
            assert page.view.blocks == []
        assert page.asker.view.question == ""
        assert "18 patients" not in shown(page)
        press(page.asker.view, 0)
        page.saver.save()
        assert "Nothing was saved" in page.saver.said.value
    assert before == {path.name: path.stat().st_mtime_ns for path in (data / "mine").iterdir()}


def test_another_study_can_be_looked_at_meanwhile(file):
    page = explore_page.Explorer(str(file))
    page.form._pick.value = "data/colon"
    assert results(page)
    page.form._pick.value = os.path.relpath(file, ROOT)
    assert len(ask(page).options) == 3
