"""Batches end to end: small notebooks, real workers, real schedulers, real kills."""

import csv
import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import demo_notebooks as demo
import psutil
import pytest
from click.testing import CliRunner

from lib.__main__ import main
from lib.batch import workers
from lib.batch.index import write_index, write_table
from lib.batch.places import UPLOADING
from lib.batch.plan import read_plan
from lib.batch.workers import MADE, Outcome, is_up_to_date, make_all, make_run, outcome_of
from lib.run import kernels
from lib.run.one_report import inputs_of
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.notebook
PLAN = """
title: Levels <&>
runs:
  - study: data/colon
    notebooks: [cohort]
    grid: {level: [default, 0.9, 0.8]}
"""
# The run at 0.8 fails, with a text that must not become markup.
CODE = "assert level != 0.8, '<script>alert(1)</script>'"
FAILS = "colon/cohort,level=0.8"
RUNS = ["colon/cohort", "colon/cohort,level=0.9", FAILS]


@pytest.fixture(autouse=True)
def _no_server_left():
    yield
    kernels.shut_down()


@pytest.fixture
def asked(tmp_path):
    """Plan, notebooks and output of a test, as words of the command line."""

    def words(code=CODE, plan=PLAN):
        (tmp_path / "plan.yml").write_text(plan)
        notebooks = demo.write(tmp_path, cohort=code)
        words = ["batch", tmp_path / "plan.yml", "--output", tmp_path / "out", "--notebook-folder", notebooks]
        return list(map(str, words))

    return words


def _rows(output) -> list[dict]:
    with (output / "batch.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _whole(output) -> dict[str, int]:
    """Reports that have a run.json, each of which must be whole, and when they were written; nothing else lies there."""
    found = {}
    for folder in (output / "colon").iterdir():
        assert not folder.name.startswith("."), folder
        assert {"index.html", "cohort.html", "results.csv", "run.json"} <= {path.name for path in folder.iterdir()}
        found[folder.name] = (folder / "run.json").stat().st_mtime_ns
    return found


def test_batch_and_resume(asked, tmp_path):
    """One bad run stops no other; it stands in the index with its error; --resume makes what is missing, no more."""
    result = CliRunner().invoke(main, asked())
    assert result.exit_code == 1, result.output
    assert "2 made, 0 kept, 1 failed" in result.stderr
    rows = _rows(tmp_path / "out")
    assert [(row["run"], row["status"]) for row in rows] == list(zip(RUNS, ["made", "made", "failed"], strict=True))
    assert [row["parameter_level"] for row in rows] == ["", "0.9", "0.8"]
    assert [row["n"] for row in rows] == ["39.0", "39.0", ""]
    assert [row["self_check"] for row in rows] == ["agrees", "agrees", ""]
    assert "cell 4: AssertionError: <script>" in rows[2]["error"]
    assert all(float(row["seconds"]) > 0 for row in rows)
    page = (tmp_path / "out" / "batch.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "AssertionError: &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Levels &lt;&amp;&gt;" in page
    assert 'href="colon/cohort%2Clevel%3D0.9/index.html"' in page
    assert "http" not in page.replace("http-equiv", "")
    first = _whole(tmp_path / "out")
    assert set(first) == {"cohort", "cohort,level=0.9"}
    run = json.loads((tmp_path / "out" / "colon" / "cohort" / "run.json").read_text("utf-8"))
    assert run["command"] == "python -m lib report --study data/colon --notebooks cohort"

    again = CliRunner().invoke(main, [*asked("1"), "--resume"])
    assert "3 made, 0 kept, 0 failed" in again.stderr, "another notebook: nothing may stay"
    second = _whole(tmp_path / "out")
    assert not set(second.values()) & set(first.values())
    more = PLAN.replace("0.8]", "0.8, 0.7]")
    third = CliRunner().invoke(main, [*asked("1", more), "--resume"])
    assert third.exit_code == 0
    assert "1 made, 3 kept, 0 failed" in third.stderr
    assert {name: when for name, when in _whole(tmp_path / "out").items() if name in second} == second
    rows = _rows(tmp_path / "out")
    assert [row["status"] for row in rows] == ["kept", "kept", "kept", "made"]
    assert all(float(row["seconds"]) > 0 for row in rows)


def test_what_is_wrong_is_told_before_anything_starts(asked, tmp_path):
    result = CliRunner().invoke(main, asked(plan=PLAN.replace("0.9", "2")))
    assert result.exit_code == 2
    assert "E110  row 4, level" in result.stderr
    missing = CliRunner().invoke(main, [*asked(plan=PLAN.replace("[cohort]", "[safety]"))])
    assert missing.exit_code == 1
    assert "no safety.ipynb" in missing.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def started():
    """Start processes that end with the test."""
    processes = []

    def start(*words, **options):
        processes.append(subprocess.Popen([sys.executable, "-m", *map(str, words)], cwd=ROOT, **options))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_who_is_done_early_takes_the_next(tmp_path, monkeypatch):
    """The first run ends when all others have; they can only if the other worker makes every one of them."""
    _, (run, *_) = read_plan(_plan(tmp_path, "data/colon", "[death]"))
    names = [f"colon/{number}" for number in range(6)]

    def make(run, output, *_):
        done = {path.name for path in Path(output).iterdir()}
        until = time.monotonic() + 60
        while run.name.endswith("/0") and len(done) < len(names) - 1 and time.monotonic() < until:
            time.sleep(0.1)
            done = {path.name for path in Path(output).iterdir()}
        Path(output, run.name[-1]).touch()
        return Outcome(run.name, "colon", error=os.environ.get("MALLOC_TRIM_THRESHOLD_", ""), n=len(done))

    monkeypatch.setattr(workers, "make_run", make)
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    folder, found = tmp_path / "done", []
    folder.mkdir()
    make_all([(replace(run, name=name), {}) for name in names], str(folder), found.append)
    assert {outcome.run: outcome.n for outcome in found}["colon/0"] == len(names) - 1
    assert {outcome.error for outcome in found} == {""}, "dask asks for each page back at once, which slows all kernels by a tenth"


def test_killed_at_any_moment_and_resumed(asked, tmp_path, started):
    """SIGKILL again and again: what is there is whole, what is missing is made, no process stays."""
    (output := tmp_path / "out").mkdir()
    slow = "import time\ntime.sleep(0.3)"
    plan = PLAN.replace("[default, 0.9, 0.8]", str([round(0.6 + i / 100, 2) for i in range(8)]))
    moments = random.Random(20250228)
    kept: dict[str, int] = {}
    for _ in range(2):
        with (tmp_path / "said").open("wb") as said:
            batch = started("lib", *asked(slow, plan), "--resume", stderr=said, stdout=said)
        _until(partial(_one_more, output, len(kept), batch), 120)
        time.sleep(moments.random())
        family = [batch, *psutil.Process(batch.pid).children(recursive=True)] if batch.poll() is None else []
        batch.kill()
        batch.wait()
        psutil.wait_procs([process for process in family if isinstance(process, psutil.Process)], timeout=30)
        assert not [p for p in family if isinstance(p, psutil.Process) and p.is_running()]
        found = {path.parent.name: path.stat().st_mtime_ns for path in output.glob("colon/*/run.json")}
        assert {name: when for name, when in found.items() if name in kept} == kept
        kept = found
    result = CliRunner().invoke(main, [*asked(slow, plan), "--resume"])
    assert result.exit_code == 0, result.output
    assert f"{8 - len(kept)} made, {len(kept)} kept" in result.stderr
    whole = _whole(output)
    assert len(whole) == 8
    assert {name: when for name, when in whole.items() if name in kept} == kept
    assert len(_rows(output)) == 8


def _one_more(output, than: int, batch) -> bool:
    return len(list(output.glob("colon/*/run.json"))) > than or batch.poll() is not None


def test_worker_killed_on_a_cluster(asked, tmp_path, started):
    """A real scheduler and two workers: the runs of the one that dies are made again, each row stands once."""
    log = tmp_path / "made"
    code = f"import os, time\nwith open({str(log)!r}, 'a') as file:\n    file.write(f'{{level}} {{os.getppid()}}\\n')\ntime.sleep(1)"
    words = asked(code, PLAN.replace("[default, 0.9, 0.8]", str([round(0.6 + i / 100, 2) for i in range(6)])))
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", file, **quiet)  # fmt: skip
    _until(lambda: file.exists() and file.stat().st_size, 60)
    workers = [
        started("distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1", "--no-nanny",
                "--no-dashboard", "--local-directory", tmp_path / f"worker{i}", **quiet)
        for i in range(2)
    ]  # fmt: skip
    address = json.loads(file.read_text())["address"]
    with (tmp_path / "said").open("wb") as said:
        batch = started("lib", *words, "--scheduler", address, stdout=said, stderr=said)
    # Kernels of two servers: both workers are at work.
    _until(lambda: log.exists() and len({line.split()[1] for line in log.read_text().splitlines()}) == 2, 120)
    servers = [psutil.Process(int(line.split()[1])) for line in log.read_text().splitlines()]
    victim = workers[0]
    orphans = [server for server in servers if server.ppid() == victim.pid]
    victim.kill()
    assert batch.wait(180) == 0, (tmp_path / "said").read_text()
    assert b"6 made, 0 kept, 0 failed" in (tmp_path / "said").read_bytes()
    rows = _rows(tmp_path / "out")
    assert len(rows) == len({row["run"] for row in rows}) == len(_whole(tmp_path / "out")) == 6
    assert orphans
    assert not psutil.wait_procs(orphans, timeout=10)[1]


def test_a_worker_with_other_files_makes_nothing(asked, tmp_path):
    asked()
    _, (run, *_) = read_plan(tmp_path / "plan.yml")
    notebooks = tmp_path / "notebooks"
    expected = inputs_of(run.study, run.routed, notebooks)
    expected["inputs"]["code"]["lib/run/execute.py"] = "another"
    outcome = make_run(run, str(tmp_path / "out"), expected, notebooks)
    assert outcome.error == "ValueError: not as it was when the plan was checked: lib/run/execute.py"
    assert not (tmp_path / "out").exists()


def test_remote_study_and_output(asked, tmp_path, monkeypatch):
    """Study and reports on S3 (moto's server): the same report, complete when its run.json is there."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setattr("lib.batch.places.FETCHED", tmp_path / "fetched")
        import s3fs  # noqa: PLC0415  reads the environment

        s3fs.S3FileSystem.clear_instance_cache()
        bucket = s3fs.S3FileSystem()
        bucket.mkdir("trials")
        bucket.put(str(ROOT / "data" / "colon") + "/", "trials/colon/", recursive=True)
        bucket.pipe("trials/out/colon/cohort/left_over.html", b"of an earlier version")
        words = asked(plan=PLAN.replace("data/colon", "s3://trials/colon").replace(", 0.8", ""))
        words[words.index("--output") + 1] = "s3://trials/out"
        refused = CliRunner().invoke(main, words)
        assert refused.exit_code == 2
        assert "s3://trials/out/colon/cohort holds what no report wrote: left_over.html" in refused.stderr
        bucket.rm_file("trials/out/colon/cohort/left_over.html")
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        assert "s3://trials/out/batch.html" in result.stdout
        bucket.invalidate_cache()
        found = {path.removeprefix("trials/out/") for path in bucket.find("trials/out")}
        assert {"batch.html", "batch.csv", "colon/cohort/run.json", "colon/cohort,level=0.9/index.html"} <= found
        assert not any(name.endswith(UPLOADING) for name in found)
        # As an upload that is killed leaves it.
        bucket.rm_file("trials/out/colon/cohort/run.json")
        bucket.pipe("trials/out/colon/cohort/left_over.html", b"of the earlier report")
        names = [name.removeprefix("colon/cohort/") for name in {*found, "colon/cohort/left_over.html"}]
        bucket.pipe(f"trials/out/colon/cohort/{UPLOADING}", "\n".join(names).encode())
        again = CliRunner().invoke(main, [*words, "--resume"])
        assert "1 made, 1 kept, 0 failed" in again.stderr, again.output
        bucket.invalidate_cache()
        assert {path.removeprefix("trials/out/") for path in bucket.find("trials/out")} == found
    finally:
        server.stop()


def test_headline_is_that_of_the_arm_that_carries_the_question(tmp_path):
    """From a results.csv of the real form: the focus arm against the reference, p and events of the log-rank test."""
    _, (run, *_) = read_plan(_plan(tmp_path, "data/rair_dtc", "[os]"))
    folder = tmp_path / "out" / run.name
    folder.mkdir(parents=True)
    verdicts = [{"id": "self_check", "ok": False}, {"id": "counts", "ok": True}]
    (folder / "run.json").write_text(json.dumps({"about": {}, "reports": {"efficacy": {"verdicts": verdicts}}}))
    rows = [
        "efficacy,cox,os,B vs A,,hr,2,x", "efficacy,cox,os,C vs A,,hr,0.5,x", "efficacy,cox,os,C vs A,,ci_low,0.25,x",
        "efficacy,cox,os,C vs A,,ci_high,,x", "efficacy,cox,lpfs,C vs A,,hr,9,x", "efficacy,logrank,os,overall,,n,52,x",
        "efficacy,logrank,os,overall,,n_events,27,x", "efficacy,logrank,os,overall,,p_value,0.04,x",
    ]  # fmt: skip
    (folder / "results.csv").write_text("\n".join([demo.COLUMNS, *rows]) + "\n")
    found = outcome_of(run, str(tmp_path / "out"), MADE, 1.5)
    assert (found.endpoint, found.group, found.statistic, found.estimate) == ("os", "C vs A", "hr", 0.5)
    assert (found.ci_low, found.ci_high, found.p_value) == (0.25, None, 0.04)
    assert (found.n, found.n_events, found.self_check, found.seconds) == (52, 27, "differs", 1.5)
    withheld = ["efficacy,logrank_pairwise,os,C vs A,,p_value,,x", "efficacy,logrank_pairwise,os,B vs A,,p_value,0.01,x"]
    (folder / "results.csv").write_text("\n".join([demo.COLUMNS, *rows, *withheld]) + "\n")
    assert outcome_of(run, str(tmp_path / "out"), MADE).p_value is None
    (folder / "results.csv").write_text(
        f"{demo.COLUMNS}\nefficacy,median,os,A,,median,,x\nefficacy,median,os,A,,n,14,x\n"
    )
    alone = outcome_of(run, str(tmp_path / "out"), MADE)
    assert (alone.statistic, alone.group, alone.estimate, alone.n) == ("median", "A", None, 14)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"self_check": True, "counts": True}, "agrees"),
        ({"self_check": True, "counts": False}, "differs"),
        ({"self_check": None, "counts": True}, "nothing checked"),
        ({"counts": True}, "nothing checked"),
        ({"self_check": True, "published": False}, "agrees"),
    ],
)
def test_a_run_agrees_where_something_was_checked(verdicts, said, tmp_path):
    """Denominators that agree are no second computation, and a publication is no check of this one."""
    _, (run, *_) = read_plan(_plan(tmp_path, "data/rair_dtc", "[os]"))
    folder = tmp_path / "out" / run.name
    folder.mkdir(parents=True)
    found = [{"id": name, "ok": ok} for name, ok in verdicts.items()]
    (folder / "run.json").write_text(json.dumps({"about": {}, "reports": {"efficacy": {"verdicts": found}}}))
    (folder / "results.csv").write_text(f"{demo.COLUMNS}\n")
    assert outcome_of(run, str(tmp_path / "out"), MADE).self_check == said


@pytest.mark.parametrize(
    ("checks", "mark", "said"),
    [
        (["agrees", "agrees"], "✓", "No self-check found a difference."),
        (["agrees", "nothing checked"], "✓", "No self-check found a difference. In 1 run nothing was checked."),
        (["nothing checked", ""], "–", "Self-check: nothing was checked."),
        (["differs", "agrees"], "✗", "A self-check differs in 1 of the runs: sort the table by it."),
    ],
)
def test_the_index_gives_a_tick_only_for_what_was_checked(checks, mark, said, tmp_path):
    _, runs = read_plan(_plan(tmp_path, "data/rair_dtc", "[lpfs, os]"))
    outcomes = [Outcome(run.name, "rair_dtc", {}, self_check=check, status=MADE) for run, check in zip(runs, checks, strict=True)]
    write_index("A plan", outcomes, {run.name: run.study for run in runs}, str(tmp_path))
    last = re.findall(r'<li class="verdict.*?</li>', (tmp_path / "batch.html").read_text("utf-8"), re.DOTALL)[-1]
    assert re.search(r'aria-hidden="true">(.)<', last)[1] == mark
    assert " ".join(re.sub(r"<[^>]*>", "", last).split()) == f"{mark} {said}"


def _plan(tmp_path, study, endpoints) -> Path:
    path = tmp_path / "plan.yml"
    path.write_text(f"runs:\n  - study: {study}\n    notebooks: [efficacy]\n    grid: {{endpoint: {endpoints}}}\n")
    return path


def test_index_shows_every_run_where_it_belongs(tmp_path):
    """A limit beyond the scale ends at its edge, an estimate that is missing says so, a formula stays text."""
    _, runs = read_plan(_plan(tmp_path, "data/rair_dtc", "[lpfs, os]"))
    first = {"endpoint": "lpfs", "group": "C vs A", "statistic": "hr", "status": MADE, "self_check": "agrees"}
    outcomes = [
        Outcome(runs[0].name, "rair_dtc", {"level": 0.9}, estimate=1.0, ci_low=0.5, ci_high=2.0, **first),
        Outcome(f"{runs[0].name}2", "rair_dtc", {}, estimate=0.5, ci_low=0.0, ci_high=99.0, **first),
        Outcome(f"{runs[0].name}3", "rair_dtc", {}, **first),
        Outcome(runs[1].name, "rair_dtc", {}, error="=HYPERLINK(1)"),
    ]
    studies = {outcome.run: runs[0].study for outcome in outcomes}
    write_table(outcomes, str(tmp_path))
    write_index("A plan", outcomes, studies, str(tmp_path))
    assert _rows(tmp_path)[3]["error"] == "'=HYPERLINK(1)"
    page = (tmp_path / "batch.html").read_text("utf-8")
    assert page.count('<figure class="panel">') == 1
    assert "Hazard ratio, Anlotinib + seeds against Anlotinib" in page
    assert "1.00 (0.50 to 2.00)" in page
    assert page.count('<path class="reach"') == page.count("<circle") == 2
    assert "not estimable" in page
    assert 'd="M0 10H220"' in page
    assert "1 run failed" in page
    assert "4 runs: 3 made, 0 kept, 1 failed</p>" in page


def test_the_index_is_in_the_language_of_the_studies(tmp_path):
    _, runs = read_plan(_plan(tmp_path, "data/rair_dtc", "[lpfs, os]"))
    said = {"endpoint": "lpfs", "group": "C vs A", "statistic": "hr", "self_check": "agrees"}
    outcomes = [
        Outcome(runs[0].name, "rair_dtc", {"level": 0.9, "reference": "A", "cutoff": "2023-06-30"}, estimate=1.0, ci_low=0.5, ci_high=2.0, status=MADE, **said),
        Outcome(runs[1].name, "rair_dtc", {}, error="boom"),
    ]
    chinese = read_study(ROOT / "data" / "rair_dtc", "zh").model_copy(update={"language": "zh"})
    for second, lang in ((chinese, "zh"), (runs[1].study, "en")):
        write_index("P", outcomes, {runs[0].name: chinese, runs[1].name: second}, str(tmp_path))
        page = (tmp_path / "batch.html").read_text("utf-8")
        assert f'<html lang="{lang}' in page
        if lang == "zh":
            text = " ".join(re.findall(r">([^<>]+)<", page.partition("<body")[2]))
            assert "2次运行：生成1次，保留0次，失败1次" in text
            assert "对照安罗替尼、数据截止日2023-06-30" in text
            left = set(re.findall(r"[A-Za-z]{4,}", text)) - {"boom", "rank", "batch", "RAIR", "rair", "LPFS", "endpoint", "efficacy"}
            assert not left


def test_index_of_a_batch_that_still_runs(tmp_path):
    _, runs = read_plan(_plan(tmp_path, "data/rair_dtc", "[lpfs, os]"))
    write_index("A plan", [Outcome(runs[0].name, "rair_dtc", {}, status=MADE)], {run.name: run.study for run in runs}, str(tmp_path))
    page = (tmp_path / "batch.html").read_text("utf-8")
    assert "2 runs: 1 made, 0 kept, 0 failed, 1 still to be made</p>" in page
    assert "Every run has a report" not in page


def test_everything_is_made_by_plain_workers(asked, tmp_path):
    """`make_all` as a library: outcomes come as they are ready."""
    asked("1")
    _, runs = read_plan(tmp_path / "plan.yml")
    notebooks, seen = tmp_path / "notebooks", []
    expected = [(run, inputs_of(run.study, run.routed, notebooks)) for run in runs]
    make_all(expected, str(tmp_path / "out"), seen.append, notebooks=notebooks, jobs=1)
    assert {outcome.run for outcome in seen} == set(RUNS)
    assert {outcome.status for outcome in seen} == {MADE}
    assert not [p for p in psutil.Process().children(recursive=True) if "kernel_server" in " ".join(p.cmdline())]


def _until(holds, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"study": "another"}'])
def test_a_damaged_report_is_not_up_to_date(tmp_path, text):
    """What cannot be told from a whole report is made again."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "run.json").write_text(text)
    assert not is_up_to_date(SimpleNamespace(name="mine"), str(tmp_path), {"study": "mine", "parameters": {}, "versions": {}, "inputs": {}})
