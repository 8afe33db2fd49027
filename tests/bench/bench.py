"""Speed and memory: `make bench`. Each section is kept in results.json as soon as it is done, and goes into docs/benchmarks.md.

    python tests/bench/bench.py [--quick] [--only report,again,start,explore,batch,survival,large,growth,tables] [--repeats 5]

Ways that are compared take turns, so that other load falls on all of them alike; shown are medians and their ratios.
What is not installed (R, a peer) is skipped with a sentence. Peers go into a folder of their own, versions pinned here.
"""

import argparse
import contextlib
import datetime as dt
import itertools
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
from large_study import make_patients, repeat_study, write_study
from write_up import compose, draw, insert

from lib.study.provenance import code_commit
from lib.study.study import ROOT

HERE, BIN = Path(__file__).parent, Path(sys.executable).parent
PAGE = ROOT / "docs" / "benchmarks.md"
STUDY, NOTEBOOKS = "data/colon", ("cohort", "efficacy", "robustness", "models", "safety")
PEERS = {"lifelines": "lifelines==0.30.3", "scikit_survival": "scikit-survival==0.28.0",
         "greenwood": "greenwood==0.8.0", "rust_survival": "survival==2.0.0"}  # fmt: skip
SIZES, REPORTS, LARGE = (100, 1_000, 10_000, 100_000, 1_000_000), 50, 1_000_000
GROWTH, TABLES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000), (2_700, 27_000, 270_000)
# Rounds of the sections that take long, at most.
FEW = 3
# An engine that needs longer at one size (seconds, all repeats) is not asked at the larger ones.
LIMIT = 180
# Numbers of our report and of the R report may differ by this much (relative); what is drawn by chance is not compared.
TOLERANCE, CHANCE = 1e-6, ("power", "permutation")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COHORT_REPORT_KEPT": ""}


def measure(*command, cwd: Path = ROOT, env: dict[str, str] = ENVIRONMENT, **options) -> tuple[float, float]:
    """Run a command; seconds, and the largest memory of it and its children together in MB. Fails as it fails."""
    start, peak, done = time.perf_counter(), 0.0, threading.Event()
    process = psutil.Popen(
        [str(part) for part in command], cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )

    def watch() -> None:
        nonlocal peak
        pause = 0.1
        while not done.wait(pause):
            total, began = 0, time.perf_counter()
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                for each in [process, *process.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        total += each.memory_full_info().pss
            peak = max(peak, total / 2**20)
            # Looking costs time where many processes share memory: at most a twentieth, or it would slow what it measures.
            pause = max(0.1, 20 * (time.perf_counter() - began))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        said = process.communicate()[1]
    finally:
        done.set()
        watcher.join()
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {said.decode()[-500:]}")
    return time.perf_counter() - start, peak


def naive(folder: Path, study: str = STUDY) -> tuple[float, float]:
    """A papermill command for each page and nbconvert: the usual way, a cold kernel for each notebook."""
    found = [
        measure(BIN / "papermill", f"notebooks/{name}.ipynb", folder / f"{name}.ipynb", "-p", "study", study)
        for name in NOTEBOOKS
    ]
    pages = [folder / f"{name}.ipynb" for name in NOTEBOOKS]
    found.append(measure(BIN / "jupyter", "nbconvert", "--to", "html", "--no-input", *pages))
    return sum(seconds for seconds, _ in found), max(peak for _, peak in found)


def report(folder: Path, study: str = STUDY, *options: str) -> tuple[float, float]:
    """Our command: the same notebooks, and checks, tables, figures, index."""
    return measure(sys.executable, "-m", "lib", "report", "--study", study, "--output", folder / "ours", "--again", *options)


def markdown(folder: Path, results: Path) -> tuple[float, float]:
    """Render the R Markdown counterpart of the pages on the cohort, efficacy and robustness, its numbers into `results`."""
    given = f"list(file = '{ROOT / STUDY / 'patients.csv'}', results = '{results}')"
    code = f"rmarkdown::render('{HERE / 'report.Rmd'}', output_dir = '{folder}', intermediates_dir = '{folder}', params = {given}, quiet = TRUE)"
    return measure("Rscript", "-e", code)


def scripts(folder: Path, count: int) -> tuple[float, float]:
    """The floor: the code cells of the notebooks as plain scripts, in two processes that have imported everything."""
    return measure(sys.executable, HERE / "scripts.py", STUDY, count, folder)


def has_r(*packages: str) -> bool:
    """Whether R and these packages are installed."""
    asked = " && ".join(f'requireNamespace("{name}", quietly = TRUE)' for name in packages)
    return bool(shutil.which("Rscript")) and not subprocess.run(["Rscript", "-e", f"stopifnot({asked})"], capture_output=True, check=False).returncode


def in_turn(ways: dict, repeats: int) -> dict[str, dict[str, list[float]]]:
    """Seconds and largest memory (MB) of each way; one after the other, round after round."""
    taken = {name: {"seconds": [], "mb": []} for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                seconds, peak = way(Path(folder))
            taken[name]["seconds"].append(round(seconds, 3))
            taken[name]["mb"].append(round(peak, 1))
            print(f"  {name}: {seconds:.1f} s", flush=True)
    return taken


def bench_report(repeats: int) -> dict:
    """(a) and (b): one report, all pages against papermill and the three that R makes against R Markdown."""
    found = {"ways": in_turn({"`papermill` five times, `nbconvert`": naive, "`python -m lib report`": report}, repeats), "markdown": {}}
    if not has_r("rmarkdown", "survminer", "coin", "ggplot2", "gridExtra", "MASS"):
        return found
    with tempfile.TemporaryDirectory() as held:
        theirs, ours = Path(held, "theirs.csv"), Path(held, "ours.csv")

        def same_pages(folder: Path, *options: str) -> tuple[float, float]:
            taken = report(folder, STUDY, "--notebooks", "cohort,efficacy,robustness", *options)
            shutil.copy(folder / "ours" / "results.csv", ours)
            return taken

        ways = {
            "R Markdown (survival, survminer, coin, ggplot2, knitr)": lambda folder: markdown(folder, theirs),
            "`python -m lib report` (two processes)": same_pages,
            "`python -m lib report --jobs 1`": lambda folder: same_pages(folder, "--jobs", "1"),
        }
        return found | {"markdown": in_turn(ways, repeats), "same": compare(ours, theirs)}


def compare(ours: Path, theirs: Path) -> dict:
    """How many numbers both reports hold, and the largest relative difference; two that differ are not compared in speed."""
    key = ["output", "variable", "group", "time", "statistic"]
    frames = [pd.read_csv(path).drop_duplicates(key).dropna(subset="value") for path in (ours, theirs)]
    both = frames[0].merge(frames[1], on=key, how="right", suffixes=("", "_r"))
    both = both[~both["output"].isin(CHANCE) & ~both["variable"].str.endswith(CHANCE)]
    scale = both[["value", "value_r"]].abs().max(axis=1)
    apart = ((both["value"] - both["value_r"]).abs() / scale.where(scale > 0, 1)).fillna(np.inf)
    if not len(both) or apart.max() > TOLERANCE:
        raise RuntimeError(f"the R report is not ours:\n{both[apart > TOLERANCE].to_string()}")
    return {"compared": len(both), "largest": float(apart.max())}


def bench_again(repeats: int) -> dict:
    """A second report: anew, with a parameter changed on which little or much depends, and one that is there already."""
    with tempfile.TemporaryDirectory() as held:
        clone, rounds = Path(held, "clone"), {"landmarks": itertools.count(13), "level": itertools.count(901)}
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        # What is kept is kept here alone, from the first report on, which is not measured.
        environment = ENVIRONMENT | {"PYTHONPATH": str(clone), "COHORT_REPORT_KEPT": str(Path(held, "kept"))}

        def made(*options: str) -> tuple[float, float]:
            command = [sys.executable, "-m", "lib", "report", "--study", STUDY, *options]
            return measure(*command, cwd=clone, env=environment)

        made()
        ways = {
            "a whole report (`--again`)": lambda _: made("--again"),
            "`landmarks` changed": lambda _: made("-p", f"landmarks={next(rounds['landmarks'])}"),
            "`level` changed": lambda _: made("-p", f"level=0.{next(rounds['level'])}"),
            "there already": lambda _: made(),
        }
        return {"ways": in_turn(ways, repeats)}


def bench_start(repeats: int) -> dict:
    """CPU seconds of commands that compute little, against an interpreter that does nothing and one that imports pandas."""
    python = [sys.executable, "-c"]
    ways = {
        "`python -c pass`": lambda _: worked(*python, "pass"),
        "`python -c 'import pandas'`": lambda _: worked(*python, "import pandas"),
        "`python -m lib --help`": lambda _: worked(sys.executable, "-m", "lib", "--help"),
        "`python -m lib check`": lambda _: worked(sys.executable, "-m", "lib", "check", "--study", STUDY),
    }
    return {"ways": in_turn(ways, repeats), "fresh": in_turn({"`make report` in a fresh clone": fresh}, min(repeats, FEW))}


def worked(*command) -> tuple[float, float]:
    """CPU seconds of a command, and the largest memory of a child so far in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(part) for part in command], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024


def fresh(folder: Path) -> tuple[float, float]:
    """Set-up and the first report where only the packages are in the local cache."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "clone"], check=True)
    return measure("make", "report", cwd=folder / "clone")


def bench_explore(repeats: int) -> dict:
    """The interactive page: CPU seconds of each thing that can be asked of it, for two studies, and what a visitor waits."""
    asked = {"data/rair_dtc": ["data/rair_dtc"], STUDY: [STUDY], "a visitor": ["--visit"]}
    found: dict[str, dict[str, dict[str, list[float]]]] = {name: {} for name in asked}
    for _, (name, words) in itertools.product(range(repeats), asked.items()):
        done = subprocess.run([sys.executable, HERE / "explore_times.py", *words], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
        for kind, taken in json.loads(done.stdout.splitlines()[-1]).items():
            for what, seconds in taken.items():
                found[name].setdefault(kind, {}).setdefault(what, []).append(round(seconds, 3))
        print(f"  {name}", flush=True)
    return {"studies": found}


def bench_batch(repeats: int, count: int) -> dict:
    """(c): many reports; the naive way is measured for one (it does not get faster)."""
    levels = [round(0.90 + 0.001 * i, 3) for i in range(count)]

    def batch(folder: Path) -> tuple[float, float]:
        plan = {"title": "bench", "runs": [{"study": STUDY, "grid": {"level": levels}}]}
        (folder / "plan.yml").write_text(json.dumps(plan), encoding="utf-8")
        return measure(sys.executable, "-m", "lib", "batch", folder / "plan.yml", "--output", folder / "all")

    ways = {"plain scripts": lambda folder: scripts(folder, count), "`python -m lib batch`": batch, "`papermill` and `nbconvert`": naive}
    return {"count": count, "ways": in_turn(ways, repeats)}


def _peer(command: list, paths: str) -> dict | None:
    environment, command = ENVIRONMENT | {"PYTHONPATH": paths}, [str(part) for part in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True, env=environment)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        print(f"  {command[1:3]}: {type(error).__name__} {str(error.stderr or '')[-300:]}", flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def bench_survival(repeats: int, sizes: tuple[int, ...]) -> dict:
    """(d): Kaplan-Meier by arm, log-rank and arm-only Cox by every engine; times in whole days."""
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        engines = ["ours", *_installed(folder / "peers")]
        found, given_up = {name: {} for name in engines}, set()
        for n in sizes:
            patients = make_patients(n).to_pandas()
            frame = patients[["death_days", "death_status"]].set_axis(["time", "event"], axis=1)
            frame["arm"] = patients["rx"].astype("category").cat.codes
            np.savez(folder / "d.npz", **{name: frame[name].to_numpy() for name in frame})
            frame.to_csv(folder / "d.csv", index=False)
            for name in (name for name in engines if name not in given_up):
                command = [sys.executable, HERE / "peers.py", name, folder / "d.npz", repeats]
                if name == "R":
                    command = ["Rscript", HERE / "peers.R", folder / "d.csv", repeats]
                result = _peer(command, str(ROOT if name == "ours" else folder / "peers"))
                print(f"  {n} {name} {result}", flush=True)
                if result is None:
                    given_up.add(name)
                else:
                    found[name][str(n)] = result
    return {"sizes": list(sizes), "limit": LIMIT, "engines": found, "missing": [name for name in (*PEERS, "R") if name not in engines]}


def _installed(folder: Path) -> list[str]:
    """Peers that could be installed into `folder`, and R where it is there."""
    engines = []
    for name, pin in PEERS.items():
        command = [BIN / "uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, pin, "pandas<3"]
        if subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode == 0:
            engines.append(name)
        else:
            print(f"  {pin} could not be installed: skipped", flush=True)
    return [*engines, *(["R"] if has_r("survival") else [])]


def bench_large(repeats: int, n: int) -> dict:
    """A registry: three calls of R for both endpoints, and the cohort and efficacy reports of the same patients."""
    with tempfile.TemporaryDirectory() as held:
        folder, ways = write_study(Path(held) / "study", n), {}
        if has_r("survival"):
            make_patients(n).to_pandas().to_csv(Path(held) / "patients.csv", index=False)
            ways["R: reading, survfit + survdiff + coxph of both endpoints"] = lambda _: measure("Rscript", HERE / "large.R", Path(held) / "patients.csv")
        for processes, jobs in (("two processes", "2"), ("one process", "1")):
            ways[f"cohort and efficacy reports (Parquet), {processes}"] = lambda out, jobs=jobs: report(
                out, str(folder), "--notebooks", "cohort,efficacy", "--jobs", jobs
            )
        return {"n": n, "ways": in_turn(ways, repeats)}


def bench_growth(repeats: int, sizes: tuple[int, ...], write=write_study, *options: str) -> dict:
    """How time and memory of the same reports grow with the number of patients."""
    found = {}
    for n in sizes:
        with tempfile.TemporaryDirectory() as held:
            folder = write(Path(held) / "study", n)
            rows = sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet"))
            ways = {f"{n:,} patients, {rows:,} rows": lambda out, of=folder: report(out, str(of), *options)}
            found |= in_turn(ways, repeats)
    return {"ways": found}


def keep(path: Path, section: str, found: dict, repeats: int) -> dict[str, dict]:
    """Add a section to what was kept; everything that is kept."""
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GB"
    machine = f"{os.cpu_count()} cores, {memory}, {platform.system()}, Python {platform.python_version()}"
    made = {"date": str(dt.date.today()), "commit": code_commit()[:7], "machine": machine, "repeats": repeats}
    kept = (json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}) | {section: made | found}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8", newline="\n")
    return kept


def main() -> int:
    """Measure what is asked for; keep and write down each section when it is done. Exit code 1: one failed."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--only", default="report,again,start,explore,batch,survival,large,growth,tables")
    asked.add_argument("--repeats", type=int, default=5)
    asked.add_argument("--reports", type=int, default=REPORTS, help="how many a batch makes")
    asked.add_argument("--quick", action="store_true", help="small sizes, one repeat; into outputs/bench, not into docs/")
    given = asked.parse_args()
    quick, repeats = given.quick, 1 if given.quick else given.repeats
    few, folder, failed = min(repeats, FEW), ROOT / "outputs" / "bench" if quick else HERE, []
    sections = {
        "report": (bench_report, repeats, ()),
        "again": (bench_again, repeats, ()),
        "start": (bench_start, repeats, ()),
        "explore": (bench_explore, few, ()),
        "batch": (bench_batch, 1, (4 if quick else given.reports,)),
        "survival": (bench_survival, repeats, (SIZES[:3] if quick else SIZES,)),
        "large": (bench_large, few, (10_000 if quick else LARGE,)),
        "growth": (bench_growth, 1, (GROWTH[:2] if quick else GROWTH, write_study, "--notebooks", "cohort,efficacy", "--jobs", "1")),
        "tables": (bench_growth, 1, (TABLES[:1] if quick else TABLES, partial(repeat_study, ROOT / "data" / "rair_dtc"), "--notebooks", "cohort,efficacy,safety")),
    }
    for name in given.only.split(","):
        bench, rounds, size = sections[name]
        print(name, flush=True)
        try:
            kept = keep(folder / "results.json", name, bench(rounds, *size), rounds)
        except RuntimeError as error:  # the other sections are worth their hour all the same
            failed.append(f"{name}: {error}")
            continue
        if name == "survival":
            draw(kept[name], folder / "survival.svg")
        lines = compose(kept, f"../{(folder / 'survival.svg').relative_to(ROOT).as_posix()}")
        if not quick:
            insert(PAGE, lines)
        print("\n".join(lines), flush=True)
    print(*failed, sep="\n", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
