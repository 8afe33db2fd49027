"""Killed at any step that writes, renames or removes: what was there before or what is new, whole, every time.

A kill is a real one (SIGKILL), of a process that does what the command does; the kernels alone are left out, since what
they make is nowhere on the disk. `make siege` kills at every step, `make test` at some of each command.
"""

import csv
import io
import os
import shutil
import signal
import sys
import warnings

import demo_notebooks as demo
import pytest
from click.testing import CliRunner

from lib.__main__ import main
from lib.batch.workers import make_run
from lib.run import target
from lib.study.study import ROOT

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")]
SIEGE = bool(os.environ.get("SIEGE"))
# So many kills of each command are enough to see that it holds; a siege makes all.
SOME = 8
CHANGING = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate")
PLAN = "title: Levels\nruns:\n  - {study: data/colon, name: one, notebooks: [cohort], parameters: {level: LEVEL}}\n"
CLINIC = "Subject,Arm,Time zero,Last contact,Death date,Sex\n"


def _rows(n: int, day: str) -> str:
    lines = [f"P{i:02},{'AB'[i % 2]},2020-01-{i % 28 + 1:02},{day},{day if i % 3 else ''},{'mf'[i % 2]}" for i in range(n)]
    return CLINIC + "\n".join(lines) + "\n"


class _Report:
    def before(self, folder):
        assert self.act(folder, "0.95") == 0

    def act(self, folder, level="0.9"):
        words = ["report", "--study", ROOT / "data" / "colon", "--notebooks", "cohort", "--output", folder / "out" / "r"]
        return _ended([*words, "-p", f"level={level}"])


class _Batch:
    def before(self, folder):
        assert self.act(folder, "0.95") == 0

    def act(self, folder, level="0.9"):
        plan = folder.parent / "plan.yml"
        plan.write_text(PLAN.replace("LEVEL", level))
        return _ended(["batch", plan, "--output", folder / "out"])


class _New:
    def before(self, folder):
        (folder.parent / "clinic.csv").write_text(_rows(30, "2022-05-01"))

    def act(self, folder):
        return _ended(["new", folder / "study", "--from", folder.parent / "clinic.csv"])


class _Update:
    def before(self, folder):
        _New().before(folder)
        assert _New().act(folder) == 0
        (folder / "study" / "more").mkdir()
        (folder / "study" / "more" / "notes.txt").write_text("mine")
        (folder.parent / "clinic.csv").write_text(_rows(40, "2023-06-02"))

    def act(self, folder):
        return _ended(["new", folder / "study", "--from", folder.parent / "clinic.csv", "--update"])


class _Compare:
    def before(self, folder):
        for level in ("0.95", "0.9", "0.8"):
            words = ["report", "--study", ROOT / "data" / "colon", "--notebooks", "cohort", "-p", f"level={level}"]
            assert _ended([*words, "--output", folder.parent / level]) == 0
        assert self.act(folder, "0.95") == 0

    def act(self, folder, level="0.9"):
        return _ended(["compare", folder.parent / level, folder.parent / "0.8", "--output", folder])


CASES = {"report": _Report, "batch": _Batch, "new": _New, "new --update": _Update, "compare": _Compare}


def _ended(words) -> int:
    return CliRunner().invoke(main, list(map(str, words))).exit_code


@pytest.fixture(autouse=True)
def _no_kernels(monkeypatch):
    def executed(_, routed, **__):
        return {name: demo.executed(name, []) for name in routed}

    def in_turn(runs, output, done, *, notebooks, **_):
        for run, expected in runs:
            done(make_run(run, output, expected, notebooks))

    monkeypatch.setattr("lib.run.one_report.execute", executed)
    monkeypatch.setattr("lib.commands.batch.make_all", in_turn)
    for room in ("commands.making", "batch.workers"):
        monkeypatch.setattr(f"lib.{room}.prepare", lambda *_: None)


def _changes(event: str, arguments: tuple, folder: str) -> bool:
    """Whether something below the folder is about to change; a tree is removed by names within it, as seen from a folder."""
    if event == "open":
        path, _, flags = arguments
        return str(path).startswith(folder) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if event in CHANGING:
        return any(str(one).startswith(folder) for one in arguments[:2]) or (event in CHANGING[1:3] and arguments[-1] != -1)
    return False


def _killed(case, folder, at: int) -> int:
    """Do it in a process of its own that is killed before its change number `at`; how many it made where it was not."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child does nothing with the threads of this process
        child = os.fork()
    if child == 0:
        made = 0

        def hook(event, arguments):
            nonlocal made
            if _changes(event, arguments, str(folder)):
                made += 1
                if made == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            case.act(folder)
            os.write(theirs, b"%d" % made)
        finally:
            os._exit(0)
    os.close(theirs)
    _, status = os.waitpid(child, 0)
    with os.fdopen(ours, "rb") as pipe:
        told = int(pipe.read() or 0)
    assert os.WIFSIGNALED(status) == (not told), status
    return told


def _found(folder) -> dict[str, str]:
    """What a reader finds: every file, without the line that tells when, and what a run is about to put there."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".cohort-") for part in name.split("/")):
            lines = path.read_text("utf-8", errors="surrogateescape").splitlines()
            files[name] = "\n".join(line for line in lines if '"created"' not in line)
            if path.name.startswith("batch."):  # how long a run took; whether it is whole is asked below
                files[name] = ""
    return files


def _whole(found, before, after, name):
    """Whether it is old or new; files that stand side by side and are no set are so each by itself."""
    if name == "compare":
        return found.keys() <= after.keys() and all(text in (before.get(file), after[file]) for file, text in found.items())
    return found in (before, after)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("exchange", [True, False] if SIEGE else [True])
def test_old_or_new_and_nothing_left(tmp_path, name, exchange, monkeypatch):
    case = CASES[name]()
    trial = tmp_path / "trial"
    trial.mkdir()
    if not exchange:
        monkeypatch.setattr(target, "_exchange", lambda *_: False)
    case.before(trial)
    shutil.copytree(trial, saved := tmp_path / "saved")
    before = _found(trial)
    of_all = _killed(case, trial, -1)
    after = _found(trial)
    assert before != after
    assert of_all > 3
    for at in range(1, of_all + 1) if SIEGE else sorted({1 + round(i * (of_all - 1) / (SOME - 1)) for i in range(SOME)}):
        shutil.rmtree(trial)
        shutil.copytree(saved, trial)
        _killed(case, trial, at)
        found = _found(trial)
        if exchange:
            assert _whole(found, before, after, name), (at, found.keys())
        if name == "batch":
            _index_is_whole(trial / "out")
        assert case.act(trial) in ((0, 2) if name == "new" else (0, 1) if name == "compare" else (0,)), at
        assert _found(trial) == after
        assert [path for path in trial.rglob(".*")] == [], at


def _index_is_whole(folder):
    rows = list(csv.DictReader(io.StringIO((folder / "batch.csv").read_text("utf-8"))))
    assert [(row["run"], row["status"], row["link"]) for row in rows] == [("colon/one", "made", "colon/one/index.html")]
    assert (folder / "batch.html").read_text("utf-8").endswith("</html>\n")


def test_the_kills_find_a_planted_hole(tmp_path, monkeypatch):
    """A folder that is emptied and then filled is found by them."""
    monkeypatch.setattr(target, "_exchange", lambda *_: False)
    case, trial = _Report(), tmp_path / "trial"
    trial.mkdir()
    case.before(trial)
    before = _found(trial)
    shutil.copytree(trial, saved := tmp_path / "saved")
    of_all = _killed(case, trial, -1)
    after = _found(trial)
    seen = []
    for at in range(1 + round(0.3 * of_all), 1 + round(0.7 * of_all)):
        shutil.rmtree(trial)
        shutil.copytree(saved, trial)
        _killed(case, trial, at)
        seen.append(_found(trial))
    assert [found for found in seen if found not in (before, after)] == [{}]
