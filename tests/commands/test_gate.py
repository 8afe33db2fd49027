"""Whatever goes wrong ends in one sentence and a documented exit code, and what was there before is as it was."""

import ast
import errno
import os
import signal
import subprocess
import sys
import time
import warnings

import demo_notebooks as demo
import psutil
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.__main__ import COMMANDS, main
from lib.study.study import ROOT

CODES = {0, 1, 2, 130}
DRAWN = int(os.environ.get("FUZZ", "0")) or 60


def _run(*words):
    """End as the command does; what is not a documented end is a failure here."""
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code in CODES, result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "some/file"), 1, "some/file: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 1, "x: Permission denied"),
        (OSError("of a library"), 1, "of a library"),
        (MemoryError(), 1, "not enough memory"),
        (KeyboardInterrupt(), 130, "stopped"),
        (RuntimeError("first\nsecond"), 1, "this was not expected: RuntimeError: first second"),
        (RecursionError("deep"), 1, "this was not expected: RecursionError"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates"), 1, "this was not expected"),
        (KeyError("\x1b[31m"), 1, "\\x1b[31m"),
    ],
)
def test_every_error_is_a_sentence(error, code, said, monkeypatch):
    def fails(*_):
        raise error

    monkeypatch.setattr("lib.commands.compare.read_outputs", fails)
    result = _run("compare", "old", "new")
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_where_it_came_from_is_told_to_who_asks(monkeypatch):
    monkeypatch.setenv("COHORT_DEBUG", "1")
    monkeypatch.setattr("lib.commands.compare.read_outputs", lambda *_: 1 / 0)
    assert isinstance(CliRunner().invoke(main, ["compare", "old", "new"]).exception, ZeroDivisionError)


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (MemoryError(), 1), (ImportError("cannot map"), 1)])
def test_what_goes_wrong_while_a_command_is_imported(error, code, monkeypatch):
    def fails(_):
        raise error

    monkeypatch.setattr("lib.__main__.importlib.import_module", fails)
    assert _run("check").exit_code == code


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", ".", "..", "/", "//", "/dev/null", "/dev/stdin", "/proc/self/mem", "~", "a\0b", "\udcff", "x" * 300, "é" * 200, "nowhere://a/b",
         "file:///x", "-", "--", "a=b=c", "=", "level=1e999", "level=nan", "cutoff=1706659200", "arms=" + "A," * 5000, "$(id)", "{{7*7}}", "%s%n", "\x1b[31m"]
    ),
)  # fmt: skip
OPTIONS = st.sampled_from(["--study", "--output", "-p", "-f", "--name", "--format", "--notebooks", "--jobs", "--from", "--tolerance", "--notebook-folder", "-h"])
FILES = st.dictionaries(
    st.sampled_from(["study.yml", "patients.csv", "run.json", "results.csv", "published.yml", "lesions.xlsx", "x.parquet", "cohort.ipynb", "plan.yml"]),
    st.one_of(st.binary(max_size=60), st.sampled_from([b"{}", b"[]", b"a: 1\n", b"patient_id,arm\n", b"!!int x", b"PK\x03\x04", b"PAR1", b"\xff\xfe", b"9" * 5000])),
    max_size=4,
)  # fmt: skip


@settings(max_examples=DRAWN, deadline=None)
@given(
    command=st.sampled_from([name for name in COMMANDS if name not in ("lab", "explore")]),
    words=st.lists(st.one_of(HOSTILE, OPTIONS, st.just("TREE"), st.just("TREE/study.yml"), st.just("TREE/x.parquet")), max_size=6),
    files=FILES,
)
def test_hostile_command_lines_and_trees(tmp_path_factory, command, words, files):
    tree = tmp_path_factory.mktemp("tree")
    for name, content in files.items():
        (tree / name).write_bytes(content)
    before = {path.name: path.read_bytes() for path in tree.iterdir()}
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tree)
        for module in ("check", "report"):
            patched.setattr(f"lib.commands.{module}.OUTPUTS", tree / "outputs")
        patched.setattr("lib.commands.making.prepare", lambda *_: None)
        patched.setattr("lib.run.one_report.execute", lambda *_, **__: pytest.fail("a kernel was started"))
        # A place to write is one of the test's own, whatever else is drawn.
        _run(command, *[word.replace("TREE", str(tree)).replace("/dev/", "dev_").replace("//", "") for word in words])
    assert {name: (tree / name).read_bytes() for name in before} == before


def _on_a_full_disk(size: int, *commands) -> list[tuple[int, bool]]:
    """Run commands where no file can grow beyond `size` bytes: (exit code, whether it is one sentence) of each."""
    resource = pytest.importorskip("resource")
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            ends = [CliRunner().invoke(main, list(map(str, words))) for words in commands]
            said = [(end.exit_code, end.stderr.count("\nError: ") + end.stderr.startswith("Error: ") == 1 and isinstance(end.exception, SystemExit | None)) for end in ends]
            os.write(theirs, repr(said).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return ast.literal_eval(said)


def _tree(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 100, 3_000, 8_000])
def test_a_full_disk(tmp_path, size, monkeypatch):
    monkeypatch.setattr("lib.commands.making.prepare", lambda *_: None)
    monkeypatch.setattr("lib.run.one_report.execute", lambda _, routed, **__: {name: demo.executed(name) for name in routed})
    base = ["report", "--study", ROOT / "data" / "colon", "--notebooks", "cohort"]
    for level in ("0.9", "0.8"):
        assert _run(*base, "-p", f"level={level}", "--output", tmp_path / level).exit_code == 0
    compared = ["compare", tmp_path / "0.9", tmp_path / "0.8", "--output", tmp_path]
    assert _run(*compared).exit_code == 0
    before = _tree(tmp_path)
    report = [*base, "-p", "level=0.7", "--output", tmp_path / "0.8"]
    ends = _on_a_full_disk(size, report, compared, ["template", tmp_path / "new.xlsx"])
    assert ends == [(1, True), (2, True), (1, True)]
    assert _tree(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


def test_compare_and_batch_leave_files_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setattr("lib.commands.making.prepare", lambda *_: None)
    monkeypatch.setattr("lib.run.one_report.execute", lambda _, routed, **__: {name: demo.executed(name) for name in routed})
    assert _run("report", "--study", ROOT / "data" / "colon", "--notebooks", "cohort", "--output", tmp_path / "r").exit_code == 0
    (tmp_path / "plan.yml").write_text("title: T\nruns:\n  - {study: data/colon, notebooks: [cohort]}\n")
    for name, words in {
        "compare.csv": ["compare", tmp_path / "r", tmp_path / "r"],
        "compare.html": ["compare", tmp_path / "r", tmp_path / "r"],
        "batch.csv": ["batch", tmp_path / "plan.yml", "--output", tmp_path],
        "batch.html": ["batch", tmp_path / "plan.yml", "--output", tmp_path],
        "colon/cohort/mine.txt": ["batch", tmp_path / "plan.yml", "--output", tmp_path],
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine\n")
        before = _tree(tmp_path)
        result = _run(*words)
        assert result.exit_code == 2, (name, result.output)
        assert name.rpartition("/")[2] in result.stderr
        assert _tree(tmp_path) == before
        (tmp_path / name).unlink()


@pytest.mark.notebook
@pytest.mark.parametrize("wait", [0.5, None])
def test_no_process_outlives_a_kill(tmp_path, wait):
    """Killed while the server imports (after half a second), or while a kernel is at work."""
    began = tmp_path / "began"
    code = f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(300)"
    notebooks = demo.write(tmp_path, cohort=code)
    words = ["report", "--study", "data/colon", "--notebooks", "cohort", "--notebook-folder", notebooks, "--output", tmp_path / "r"]
    running = subprocess.Popen([sys.executable, "-m", "lib", *map(str, words)], cwd=ROOT, stderr=subprocess.DEVNULL)
    family = psutil.Process(running.pid)
    end = time.monotonic() + 60
    while not (began.exists() if wait is None else family.children()) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(wait or 0)
    left = family.children(recursive=True)
    assert left
    running.send_signal(signal.SIGKILL)
    running.wait()
    _, alive = psutil.wait_procs(left, timeout=20)  # five seconds on a machine of its own
    for process in alive:
        process.kill()
    assert not alive
