"""A report that is there already is not made again; one that is not the same, in whatever way, is."""

import json
import shutil
import subprocess
import sys

import demo_notebooks as demo
import pytest
from click.testing import CliRunner

from lib.__main__ import main
from lib.show.disclosure import register
from lib.study.provenance import package_versions
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.thorough


@pytest.fixture
def study(tmp_path):
    """A copy of a study of one table."""
    shutil.copytree(ROOT / "data" / "colon", tmp_path / "colon")
    return tmp_path / "colon"


@pytest.fixture
def report(tmp_path, study, monkeypatch):
    """Ask for the report: exit code, what was said, and how often notebooks were executed; no kernel is started."""
    demo.write(tmp_path, cohort="", safety="")
    executed = []

    def execute(_, routed, **__):
        executed.append(list(routed))
        return {name: demo.executed(name) for name in routed}

    monkeypatch.setattr("lib.run.one_report.execute", execute)
    monkeypatch.setattr("lib.commands.making.prepare", lambda *_: None)
    monkeypatch.setattr("lib.commands.progress.TIMES", tmp_path / "times.json")

    def run(*words):
        place = ["--output", tmp_path / "out", "--notebook-folder", tmp_path / "notebooks"]
        notebooks = [] if "--notebooks" in words else ["--notebooks", "cohort,safety"]
        executed.clear()
        done = CliRunner().invoke(main, list(map(str, ["report", "--study", study, *place, *notebooks, *words])))
        assert done.exit_code == 0 or "Traceback" not in done.output
        return done.exit_code, done.stderr, len(executed)

    return run


def _tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_is_not_made_again(report, tmp_path):
    assert report()[::2] == (0, 1)
    before = _tree(tmp_path / "out")
    code, said, executed = report()
    assert (code, executed) == (0, 0)
    assert "is there already, made on 20" in said and said.endswith("--again makes it anew.\n") and said.count("\n") == 1
    # How it is made is no part of it.
    assert report("--jobs", "1", "--fresh", "--steps")[::2] == (0, 0)
    assert _tree(tmp_path / "out") == before
    assert report("--again")[::2] == (0, 1)
    assert report("--strict")[::2] == (0, 1)


def _append(path, text):
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _notebook(path):
    text = path.read_text("utf-8")
    path.write_text(text.replace('"nbformat_minor"', ' "nbformat_minor"'), "utf-8")


CLAIMS = """claims:
  - id: P01
    claim: Patients
    printed: "929"
    checks:
      - {rule: equals, output: median, variable: death, group: [A], statistic: n, value: [310]}
"""
# Name -> what is done to the folder of the test, what the command has to say of it.
CHANGED = {
    "a table": (lambda at: _append(at / "colon" / "patients.csv", "\n"), "patients.csv"),
    "study.yml": (lambda at: _append(at / "colon" / "study.yml", "# a word\n"), "study.yml"),
    "claims that were not there": (lambda at: (at / "colon" / "published.yml").write_text(CLAIMS), "published.yml"),
    "a notebook": (lambda at: _notebook(at / "notebooks" / "safety.ipynb"), "notebooks/safety.ipynb"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_another_input_is_another_report(report, tmp_path, what):
    change, said = CHANGED[what]
    report()
    change(tmp_path)
    code, told, executed = report()
    assert (code, executed) == (0, 1), told
    assert f"since this is not as it was: {said}.\n" in told
    assert report()[2] == 0


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("code_commit", "0" * 40, "commit"),
        ("code_commit", "0" * 40 + "+changes", "commit"),
        ("code_commit", "unknown", "commit"),
        ("report_version", "99.0", "version"),
        ("package_versions", package_versions() | {"pandas": "0.1"}, "since this is not as it was: pandas.\n"),
    ],
)
def test_other_code_is_another_report(report, monkeypatch, name, other, said):
    report()
    monkeypatch.setattr(f"lib.run.one_report.{name}", lambda: other)
    _, told, executed = report()
    assert executed == 1
    assert said in told
    assert report()[2] == 0


@pytest.mark.parametrize("change", ["edited", "added", "removed"])
def test_another_file_of_the_library_is_another_report(report, monkeypatch, change):
    report()
    from lib.study import provenance  # noqa: PLC0415

    files, sha = provenance.library_files(), provenance._sha256
    here = files if change == "edited" else files[:-1] if change == "removed" else [*files, ROOT / "pyproject.toml"]
    monkeypatch.setattr(provenance, "library_files", lambda: here)
    monkeypatch.setattr(provenance, "_sha256", lambda path: "0" * 64 if change == "edited" and path == files[3] else sha(path))
    assert report()[2] == 1
    assert report()[2] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["-p", "level=0.9"],
        ["-p", "cutoff=2100-01-01"],
        ["--format", "html,figures"],
        ["--notebooks", "cohort"],
        ["--notebooks", "safety"],
        ["--name", "mine"],
        ["-p", "audience=share"],
    ],
    ids=" ".join,
)
def test_another_request_is_another_report(report, words):
    report()
    code, said, executed = report(*words)
    if code == 0:
        assert executed == 1
        assert report(*words)[2] == 0
        assert report()[2] == 1
    else:  # a request that is refused must not find the other report either
        assert executed == 0 and "is there already" not in said


def _edit_run(folder, change):
    run = json.loads((folder / "run.json").read_text("utf-8"))
    change(run)
    (folder / "run.json").write_text(json.dumps(run, indent=2), "utf-8")


# What somebody or something did to the report -> exit code: 2 where a file of somebody's own would be lost.
DAMAGED = {
    "a page edited": (lambda out: _append(out / "cohort.html", "x"), 2),
    "a table edited": (lambda out: _append(out / "results.csv", "x\n"), 2),
    "a file added": (lambda out: (out / "notes.txt").write_text("mine"), 2),
    "a page replaced by a link": (lambda out: _to_link(out / "index.html"), 2),
    "a page removed": (lambda out: (out / "cohort.html").unlink(), 0),
    "a folder removed": (lambda out: shutil.rmtree(out / "figures"), 0),
    "run.json removed, as if unfinished": (lambda out: (out / "run.json").unlink(), 2),
    "run.json cut": (lambda out: (out / "run.json").write_text((out / "run.json").read_text("utf-8")[:-200], "utf-8"), 2),
    "run.json empty": (lambda out: (out / "run.json").write_text(""), 2),
    "run.json with another result": (lambda out: _edit_run(out, lambda run: run["reports"]["cohort"].update(key_results=["Cured."])), 0),
    "run.json without a file": (lambda out: (_edit_run(out, lambda run: run["files"].pop("cohort.html")), (out / "cohort.html").unlink()), 0),
    "run.json without its seal": (lambda out: _edit_run(out, lambda run: run.pop("sha256")), 0),
    "run.json that tells no time": (lambda out: _edit_run(out, lambda run: run.update(created="soon")), 0),
    "everything removed": (lambda out: [shutil.rmtree(p) if p.is_dir() else p.unlink() for p in out.iterdir()], 0),
    "the folder removed": (shutil.rmtree, 0),
}


def _to_link(path):
    path.rename(path.with_name("elsewhere"))
    other = path.parents[1] / "elsewhere"
    shutil.move(path.with_name("elsewhere"), other)
    path.symlink_to(other)


@pytest.mark.parametrize("what", DAMAGED)
def test_a_report_that_is_not_as_it_was_written_is_not_trusted(report, tmp_path, what):
    change, expected = DAMAGED[what]
    report()
    whole = {name for name in _tree(tmp_path / "out")}
    change(tmp_path / "out")
    code, said, executed = report()
    assert (code, executed) == (expected, int(expected == 0)), said
    assert "is there already" not in said
    if code == 0:
        assert set(_tree(tmp_path / "out")) == whole
        assert report()[2] == 0


def test_what_an_operating_system_puts_there_is_no_change(report, tmp_path):
    report()
    (tmp_path / "out" / ".DS_Store").write_text("x")
    assert report()[2] == 0


def test_a_shared_report_that_was_withdrawn_is_made_and_registered_again(report, study):
    words = ["-p", "audience=share"]
    code, said, executed = report(*words)
    assert (code, executed) == (0, 1), said
    assert report(*words)[2] == 0
    name = read_study(study).study.id
    assert register.withdraw(name, register.read(name)[0].name)
    _, said, executed = report(*words)
    assert executed == 1 and "the register of shared reports" in said
    assert len(register.read(name)) == 1
    assert report(*words)[2] == 0


def test_to_see_it_takes_a_blink(report, tmp_path, study):
    """Nothing that reads tables or executes notebooks is imported: that is what takes the time."""
    report()
    words = ["report", "--study", study, "--output", tmp_path / "out", "--notebook-folder", tmp_path / "notebooks", "--notebooks", "cohort,safety"]
    code = f"import sys\nfrom lib.__main__ import main\ntry:\n    main({list(map(str, words))!r})\nfinally:\n    print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "is there already" in done.stderr
    assert not {"pandas", "numpy", "nbformat", "nbclient", "papermill", "zmq"} & set(done.stdout.split())
