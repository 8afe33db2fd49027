"""What cannot become a report is refused before a kernel starts: in one go, in sentences, with exit code 2, by check too."""

import json
import re

import pandas as pd
import pytest
from click.testing import CliRunner
from random_study import Design, write_random

from lib.__main__ import main
from lib.batch.plan import read_plan
from lib.dataset.dataset import load, restrict
from lib.report.page import start
from lib.study.parameters import NOTEBOOKS
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

CLAIM = "{id: p1, claim: c, printed: '1', checks: [{rule: equals, output: flow, variable: all, group: [A], statistic: n, value: [1]}]}"


@pytest.fixture
def folder(tmp_path):
    """A study of two arms, twelve patients and seven, who started in 2019 and after."""
    return write_random(tmp_path / "study", Design((12, 7)))


@pytest.fixture
def say(tmp_path, monkeypatch):
    """What a command says, as one line, and its exit code; no notebook may be executed."""

    def executed(*_, **__):
        raise AssertionError("a notebook was executed")

    for name in ("check", "report"):
        monkeypatch.setattr(f"lib.commands.{name}.OUTPUTS", tmp_path / "outputs")
    monkeypatch.setattr("lib.commands.making.make_report", executed)
    monkeypatch.setattr("lib.commands.making.prepare", lambda _: None)

    def said(*words):
        done = CliRunner().invoke(main, [*map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, " ".join(done.output.split())

    return said


def edit(folder, name, change):
    frame = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    change(frame).to_csv(folder / f"{name}.csv", index=False)


def everybody_excluded(folder):
    edit(folder, "patients", lambda frame: frame.assign(excluded="withdrew consent"))


def claims(text):
    return lambda folder: (folder / "published.yml").write_text(text, encoding="utf-8")


def label(text):
    def change(folder):
        study = json.loads((folder / "study.yml").read_text(encoding="utf-8"))
        study["arms"][0]["label"] = text
        (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")

    return change


def broken_date(folder):
    edit(folder, "patients", lambda frame: frame.assign(time_zero=["0001-01-01", *frame["time_zero"][1:]]))


REFUSED = {
    "cut-off before everybody": (None, {"cutoff": "2018-12-31"}, "E111 no patient of study0 is left with cutoff = 2018-12-31"),
    "subgroup of nobody": (
        lambda folder: edit(folder, "patients", lambda frame: frame.assign(sex="M")),
        {"subgroup": "sex", "subgroup_values": "F"},
        "E111 no patient of study0 is left with subgroup = sex; subgroup_values = F",
    ),
    "arm that began later": (
        None, {"arms": "B", "cutoff": "2019-06-30"}, "E111 no patient of study0 is left with cutoff = 2019-06-30; arms = B",
    ),
    "shared arm that is a small cell": (
        None, {"audience": "share", "cutoff": "2019-06-30"}, "E110 audience: cannot be shared: fewer than 5 patients in arm",
    ),
    "shared subgroup that leaves a few out": (
        lambda folder: edit(folder, "patients", lambda frame: frame.assign(sex=["F", *["M"] * 18])),
        {"audience": "share", "subgroup": "sex", "subgroup_values": "M"},
        "E110 audience: cannot be shared: all but fewer than 5 patients of arm A, who follow by subtraction",
    ),
    "everybody excluded": (everybody_excluded, {}, "E013 arm: arm A has no patient"),
    "claims that are no list": (claims("claims: none"), {}, "claims: Input should be a valid tuple"),
    "claims with a wrong rule": (claims(f"claims: [{CLAIM.replace('equals', 'roughly')}]"), {}, "claims.0.checks.0.rule"),
    "claims with an unknown key": (claims(f"claims: [{CLAIM.replace('printed', 'print')}]"), {}, "unknown key (did you mean printed?)"),
    "claims that run code": (claims("!!python/object/apply:os.system [x]"), {}, "a YAML tag is refused: nothing in a study is run"),
    "claims that are no text": (lambda folder: (folder / "published.yml").write_bytes(b"\xff\xfe\x00"), {}, "not readable as YAML"),
    "date that pandas cannot hold": (broken_date, {}, "must be an ISO date such as 2023-02-28, from 1920 to 2199 (found 0001-01-01)"),
    "cut-off that pandas cannot hold": (None, {"cutoff": "0001-01-01"}, "E110 cutoff: must be a date such as 2023-06-30, from 1920 to 2199"),
    "claims behind a dead link": (lambda folder: (folder / "published.yml").symlink_to("nowhere"), {}, "a symbolic link is refused"),
    "half of a pair in a label": (label("\ud800"), {}, "which no file can hold"),
    "no character in a label": (label("\ufffe"), {}, "without control or direction marks"),
    "end of a line in a label": (label("a\u2028b"), {}, "without control or direction marks"),
    "label that no legend shows": (label("_arm"), {}, "must not begin with _"),
    "unknown parameter": (None, {"endpoimt": "os"}, "unknown parameter endpoimt"),
}  # fmt: skip


@pytest.mark.parametrize("command", ["check", "report"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_command_line(name, command, folder, say):
    change, parameters, words = REFUSED[name]
    if change:
        change(folder)
    pairs = [part for key, value in parameters.items() for part in ("-p", f"{key}={value}")]
    code, text = say(command, "--study", folder, *pairs)
    assert code == 2
    assert words in text
    assert text.endswith("to correct first; no notebook was started.")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_notebook_itself(name, folder):
    """Whoever executes it: a sentence for each problem, and no line of code."""
    change, parameters, words = REFUSED[name]
    if change:
        change(folder)
    for notebook in NOTEBOOKS:
        with pytest.raises(ProblemsFound) as found:
            start(notebook, {"study": str(folder)} | parameters)
        shown = "\n".join(found.value._render_traceback_())
        assert "Traceback" not in shown
        said = re.sub(r"^E\d+ (\w+: )?", "", words)
        assert said in shown.replace("'", "")


def test_everybody_excluded_is_nobody_left(folder):
    """Intake asks for a patient in each arm; where a caller does not, the data set does."""
    data = load("cohort", study=str(folder))
    nobody = {"patients": data.patients.assign(excluded="withdrew consent")}
    with pytest.raises(ProblemsFound, match=r"E111 patients: no patient of study0 is left after exclusions"):
        restrict(data.study, data.parameters, nobody, data.queries)


@pytest.mark.parametrize("command", ["check", "report"])
def test_all_at_once(command, folder, say):
    """Parameters, claims and tables, whichever of them is read first."""
    broken_date(folder)
    claims("claims: none")(folder)
    wrong = ["endpoimt=os", "cutoff=9999-12-31", "arms=A,Z", "level=high", "nothing"]
    code, text = say(command, "--study", folder, *[part for pair in wrong for part in ("-p", pair)])
    assert code == 2
    expected = ["endpoimt", "cutoff: must be", "allowed: A, B (found Z)", "level: must be", "write a parameter as name=value",
                "published.yml", "0001-01-01"]  # fmt: skip
    assert [words for words in expected if words not in text] == []


def test_nobody_left_is_said_beside_an_unknown_parameter(folder, say):
    code, text = say("check", "--study", folder, "-p", "endpoimt=os", "-p", "cutoff=2018-01-01")
    assert code == 2
    assert "endpoimt" in text
    assert "no patient of study0 is left" in text


@pytest.mark.parametrize("text", ["$x_{1$", "\\frac{", "^_%&#", "<b>&amp;", "中文"])
def test_a_label_that_can_be_drawn_is_not_refused(text, folder, say):
    label(text)(folder)
    assert say("check", "--study", folder)[0] == 0


def test_parameters_are_named_beside_a_study_that_cannot_be_read(folder, say):
    (folder / "study.yml").write_text("study: nothing", encoding="utf-8")
    code, text = say("check", "--study", folder, "-p", "endpoimt=os")
    assert code == 2
    assert "endpoimt" in text
    assert "study.yml" in text


def test_check_reads_the_file_of_a_saved_report(folder, tmp_path, say):
    file = tmp_path / "saved.yml"
    file.write_text(json.dumps({"study": str(folder), "cutoff": "2020-12-31"}), encoding="utf-8")
    code, text = say("check", "-f", file)
    assert code == 0
    assert "nothing that blocks a report" in text
    code, text = say("check", "-f", file, "-p", "cutoff=2018-12-31")
    assert code == 2
    assert "no patient of study0 is left with cutoff = 2018-12-31" in text
    assert say("check")[0] == 2


def test_a_plan_is_refused_for_the_same_reasons(folder, tmp_path):
    claims("claims: none")(folder)
    plan = tmp_path / "plan.yml"
    grid = {"cutoff": ["2018-12-31", "2019-06-30", "default"], "audience": ["share", "internal"]}
    plan.write_text(json.dumps({"runs": [{"study": str(folder), "grid": grid}]}), encoding="utf-8")
    with pytest.raises(ProblemsFound) as found:
        read_plan(plan)
    text = "\n".join(map(str, found.value.problems))
    assert "published.yml" in text
    assert text.count("no patient of study0 is left with cutoff = 2018-12-31") == 1
    assert text.count("cannot be shared: fewer than 5 patients") == 1
