"""The command line from end to end: all or nothing, the same bytes, exit codes, and what it says."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import demo_notebooks as demo
import nbformat
import pytest
from click.testing import CliRunner

from lib.__main__ import main
from lib.study.study import ROOT

COLON = ROOT / "data" / "colon"
PARTS = ["cohort", "efficacy", "robustness", "models", "safety"]


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Run the command line on notebooks of the test; outputs go to `tmp_path`."""
    for name in ("check", "report"):
        monkeypatch.setattr(f"lib.commands.{name}.OUTPUTS", tmp_path / "outputs")

    def run(*words, study=COLON, **codes):
        notebooks = demo.write(tmp_path, **dict.fromkeys(PARTS, "") | codes)
        extra = ["--notebook-folder", notebooks] if words[0] == "report" else []
        return CliRunner().invoke(main, [*map(str, [words[0], "--study", study, *extra, *words[1:]])])

    return run


@pytest.fixture
def report(tmp_path):
    return tmp_path / "outputs" / "colon" / "default"


def _contents(folder) -> dict:
    """Every file, except the line of run.json that says when."""
    files = {str(p.relative_to(folder)): p.read_text("utf-8", errors="surrogateescape") for p in folder.rglob("*") if p.is_file()}
    if "run.json" in files:
        lines = files["run.json"].splitlines()
        assert sum('"created"' in line for line in lines) == 1
        files["run.json"] = "\n".join(line for line in lines if '"created"' not in line)
    return files


@pytest.mark.notebook
def test_report(command, report):
    result = command("report")
    assert result.exit_code == 0, result.output
    assert str(report / "index.html") in result.stdout
    files = _contents(report)
    assert {"index.html", "results.csv", "run.json", *[f"{part}.html" for part in PARTS]} <= set(files)
    run = json.loads((report / "run.json").read_text("utf-8"))
    assert run["study"] == "colon"
    assert run["command"].startswith("python -m lib report --study data/colon --notebook-folder ../")
    assert run["parameters"]["efficacy"]["level"] == 0.95
    assert set(run["inputs"]["data"]) >= {"study.yml", "patients.csv"}
    assert {"notebooks/cohort.ipynb", "lib/run/execute.py", "lib/publish/templates/report/report.css"} <= set(
        run["inputs"]["code"]
    )
    assert all(len(digest) == 64 for group in run["inputs"].values() for digest in group.values())
    assert run["versions"]["papermill"] != "not installed"
    text = "".join(files.values())
    assert str(ROOT) not in text
    assert os.path.expanduser("~") + "/" not in text


@pytest.mark.notebook
def test_same_input_gives_same_bytes(command, report, tmp_path, monkeypatch):
    """Also elsewhere, at another time of day, in another language, one notebook at a time."""
    assert command("report").exit_code == 0
    first = _contents(report)
    shutil.move(report, tmp_path / "first")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert command("report", "--jobs", "1").exit_code == 0
    assert _contents(report) == first


@pytest.mark.notebook
def test_word_pdf_and_figures_have_the_same_bytes(command, report, tmp_path, monkeypatch):
    """They are written with the pages, named in the command and linked; in another zone and language too."""
    result = command("report", "--format", "docx,pdf,figures", "--notebooks", "cohort,safety", "--name", "default")
    assert result.exit_code == 0, result.output
    first = {
        str(p.relative_to(report)): p.read_bytes() for p in report.rglob("*") if p.suffix in (".docx", ".pdf", ".png")
    }
    assert {"cohort.docx", "safety.pdf", "report.docx", "report.pdf", "figures/cohort_curve.png"} <= set(first)
    assert "--format docx,pdf,figures" in json.loads((report / "run.json").read_text("utf-8"))["command"]
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    result = command("report", "--format", "figures,pdf,docx", "--notebooks", "cohort,safety", "--name", "default")
    assert result.exit_code == 0, result.output
    assert {name: (report / name).read_bytes() for name in first} == first


@pytest.mark.notebook
def test_figure_that_cannot_be_converted_leaves_the_earlier_report(command, report):
    assert command("report", "--notebooks", "safety", "--name", "default").exit_code == 0
    before = _contents(report)
    record = {"cohort_report": {"kind": "figure", "id": "broken", "title": "B", "alt": "b"}}
    code = f"from IPython.display import display\ndisplay({{'image/svg+xml': '<svg'}}, raw=True, metadata={record!r})"
    words = ["report", "--notebooks", "safety", "--name", "default", "--format", "html,figures"]
    result = command(*words, safety=code)
    assert result.exit_code == 1
    assert "Typst cannot set figure.typ" in result.stderr
    assert _contents(report) == before


@pytest.mark.notebook
def test_parameters_name_the_folder_and_the_command(command, report, tmp_path):
    given = tmp_path / "given.yml"
    given.write_text("level: 0.9\nendpoint: death\n")
    result = command("report", "-f", given, "-p", "level=0.8", "--notebooks", "efficacy")
    assert result.exit_code == 0, result.output
    folder = report.with_name("efficacy,endpoint=death,level=0.8")
    run = json.loads((folder / "run.json").read_text("utf-8"))
    assert run["parameters"]["efficacy"]["level"] == 0.8
    assert "--study data/colon -p level=0.8 -p endpoint=death --notebooks efficacy" in run["command"]
    assert not (folder / "cohort.html").exists()


@pytest.mark.notebook
def test_failing_notebook_leaves_the_earlier_report(command, report):
    assert command("report").exit_code == 0
    before = _contents(report)
    result = command("report", "-p", "level=0.9", "--name", "default", efficacy="text = '\x1b[31m'\n1 / 0")
    assert result.exit_code == 1
    assert "efficacy.ipynb failed in cell 4" in result.stderr
    assert "    1 / 0\n  ZeroDivisionError: division by zero" in result.stderr
    assert "level = 0.9" in result.stderr
    assert _contents(report) == before
    assert sorted(path.name for path in report.parent.iterdir()) == ["default"]


@pytest.mark.notebook
def test_report_that_cannot_be_published_leaves_the_earlier_one(command, report, tmp_path):
    assert command("report").exit_code == 0
    before = _contents(report)
    notebook = nbformat.read(tmp_path / "notebooks" / "safety.ipynb", as_version=4)
    notebook.cells[-1].source = "1"
    nbformat.write(notebook, tmp_path / "notebooks" / "safety.ipynb")
    arguments = ["report", "--study", COLON, "--notebook-folder", tmp_path / "notebooks"]
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 1
    assert "safety: 0 outputs of kind results" in result.stderr
    assert _contents(report) == before


@pytest.mark.notebook
def test_warnings_are_told_and_never_shown(command, report):
    code = "import warnings; warnings.warn('careful now')"
    result = command("report", "--notebooks", "safety", "--name", "default", safety=code)
    assert result.exit_code == 0
    assert "safety.ipynb, cell 5: " in result.stderr
    assert "careful now" in result.stderr
    assert "UserWarning" not in "".join(_contents(report).values())
    strict = command("report", "--notebooks", "safety", "--strict", safety=code)
    assert strict.exit_code == 1
    assert not report.with_name("safety").exists()


@pytest.mark.notebook
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(tmp_path, sent, code):
    """As a user does it: in a process of its own, while a cell is at work."""
    began = tmp_path / "began"
    sleep = f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(300)"
    notebooks = demo.write(tmp_path, cohort=sleep)
    target = tmp_path / "outputs" / "default"
    words = ["report", "--study", COLON, "--notebooks", "cohort", "--notebook-folder", notebooks, "--output", target]
    line = [sys.executable, "-m", "lib", *map(str, words)]
    running = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        until = time.monotonic() + 90
        while not began.exists() and time.monotonic() < until:
            time.sleep(0.1)
        running.send_signal(sent)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == code, said
    assert "Traceback" not in said
    assert not target.parent.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "endpont=os"], "unknown parameter endpont (did you mean endpoint?)"),
        (["-p", "level=2"], "level"),
        (["-p", "endpoint"], "write a parameter as name=value"),
        (["--notebooks", "efficiency"], "no notebook efficiency; there are cohort, efficacy,"),
        (["--format", "doc,pdf"], "no format doc; there are html, docx, pdf, figures, plain"),
        (["-f", "no/such.yml"], "file not found"),
        (["--name", "../elsewhere"], "one plain word"),
    ],
)
def test_wrong_request_ends_before_a_kernel_starts(command, words, said, monkeypatch):
    monkeypatch.setattr("lib.run.one_report.execute", lambda *_, **__: pytest.fail("a kernel was started"))
    result = command("report", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_missing_notebook(command, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    result = CliRunner().invoke(
        main, ["report", "--study", str(COLON), "--notebook-folder", str(empty), "--output", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert "no cohort.ipynb, efficacy.ipynb, robustness.ipynb, models.ipynb, safety.ipynb in" in result.stderr
    assert not (tmp_path / "out").exists()


def test_output_that_cannot_be_written(command, tmp_path, monkeypatch):
    monkeypatch.setattr("lib.run.one_report.execute", lambda *_, **__: pytest.fail("a kernel was started"))
    (tmp_path / "file").write_text("")
    result = command("report", "--output", tmp_path / "file" / "default")
    assert result.exit_code == 1
    assert "cannot write into" in result.stderr
    assert "Traceback" not in result.output


def test_no_study(command, tmp_path):
    for words in (["report"], ["check"]):
        result = command(*words, study=tmp_path / "nowhere")
        assert result.exit_code == 2
        assert "E001" in result.stderr


@pytest.fixture
def spoilt(tmp_path):
    """A copy of the study in which two cells are wrong, one of them trying to act on the terminal."""
    folder = tmp_path / "spoilt"
    shutil.copytree(COLON, folder)
    lines = (folder / "patients.csv").read_text("utf-8").splitlines()
    arm = lines[0].split(",").index("rx")
    for row, value in ((1, "\x1b[31mno such arm"), (4, "none")):
        cells = lines[row].split(",")
        cells[arm] = value
        lines[row] = ",".join(cells)
    (folder / "patients.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.mark.parametrize("verb", ["report", "check"])
def test_wrong_tables_end_before_a_kernel_starts(command, report, spoilt, verb, monkeypatch):
    monkeypatch.setattr("lib.run.one_report.execute", lambda *_, **__: pytest.fail("a kernel was started"))
    report.mkdir(parents=True)
    (report / "run.json").write_text("{}")
    result = command(verb, study=spoilt)
    assert result.exit_code == 2
    assert "\npatients.csv\n" in result.stderr
    assert "E107  row 2, rx" in result.stderr
    assert "E012  row 5, rx, 4: must be one of Obs, Lev, Lev+5FU (found none)" in result.stderr
    assert "\x1b" not in result.stderr
    assert {"E107", "E012"} <= set((report.parent / "queries.csv").read_text("utf-8").replace("\n", ",").split(","))
    assert [path.read_text("utf-8") for path in report.iterdir()] == ["{}"]


def test_check_of_clean_tables(command):
    result = command("check")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Adjuvant colon cancer trial: ")
    assert "1 table read" in result.stdout
    assert "nothing that blocks a report" in result.stdout


def test_the_file_of_parameters_may_name_the_study(tmp_path):
    """As the interactive page writes it; without a study anywhere there is a sentence."""
    file = tmp_path / "mine.yml"
    file.write_text("study: data/colon\nlevel: 2\n")
    result = CliRunner().invoke(main, ["report", "-f", str(file)])
    assert result.exit_code == 2
    assert "level" in result.stderr
    assert "study" not in result.stderr
    file.write_text("level: 0.9\n")
    for words in (["report"], ["report", "-f", str(file)]):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2
        assert "name a study" in result.stderr
