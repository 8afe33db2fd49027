"""Speed and memory, measured in one run: `make bench`. Table and picture go into README.md, between its two marks.

    python tests/bench/bench.py [--quick] [--only report,batch,survival,large] [--repeats 5]

Ways that are compared take turns, so that other load falls on all of them alike; shown are medians and their ratios.
What is not installed (R, a peer) is skipped with a sentence. Peers go into a folder of their own, versions pinned here.
"""

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from large_study import make_patients, write_study
from matplotlib import pyplot as plt

from lib.picture import STYLE
from lib.study import ROOT

HERE, BIN = Path(__file__).parent, Path(sys.executable).parent
BEGIN, END, PICTURE = "<!-- bench -->", "<!-- end bench -->", HERE / "survival.svg"
STUDY, NOTEBOOKS = "data/colon", ("cohort", "efficacy", "safety")
PEERS = {"lifelines": "lifelines==0.30.3", "scikit_survival": "scikit-survival==0.28.0",
         "greenwood": "greenwood==0.8.0", "rust_survival": "survival==2.0.0"}  # fmt: skip
SIZES, REPORTS, LARGE = (100, 1_000, 10_000, 100_000, 1_000_000), 50, 1_000_000
# An engine that needs longer at one size (seconds, all repeats) is not asked at the larger ones.
LIMIT = 120
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure(*command, cwd: Path = ROOT, **options) -> tuple[float, float]:
    """Run a command; seconds, and the largest memory of it and its children together in MB. Fails as it fails."""
    start, peak, done = time.perf_counter(), 0.0, threading.Event()
    process = psutil.Popen(
        [str(part) for part in command], cwd=cwd, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options
    )

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            total = 0
            for each in [process, *process.children(recursive=True)]:
                try:
                    total += each.memory_full_info().pss
                except psutil.Error:  # it has just ended
                    continue
            peak = max(peak, total / 2**20)

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
    """Three papermill commands and nbconvert: the usual way, a cold kernel for each notebook."""
    found = [
        measure(BIN / "papermill", f"notebooks/{name}.ipynb", folder / f"{name}.ipynb", "-p", "study", study)
        for name in NOTEBOOKS
    ]
    pages = [folder / f"{name}.ipynb" for name in NOTEBOOKS]
    found.append(measure(BIN / "jupyter", "nbconvert", "--to", "html", "--no-input", *pages))
    return sum(seconds for seconds, _ in found), max(peak for _, peak in found)


def report(folder: Path, study: str = STUDY, *options: str) -> tuple[float, float]:
    """Our command: the same notebooks, and checks, tables, figures, index."""
    return measure(sys.executable, "-m", "lib", "report", "--study", study, "--output", folder / "ours", *options)


def markdown(folder: Path) -> tuple[float, float]:
    """Render an equivalent R Markdown report (cohort and efficacy; it has no checks and fewer analyses)."""
    file = ROOT / STUDY / "patients.csv"
    code = f"rmarkdown::render('{HERE / 'report.Rmd'}', output_dir='{folder}', intermediates_dir='{folder}', params=list(file='{file}'), quiet=TRUE)"
    return measure("Rscript", "-e", code)


def scripts(folder: Path, count: int) -> tuple[float, float]:
    """The floor: the code cells of the notebooks as plain scripts, in two processes that have imported everything."""
    return measure(sys.executable, HERE / "scripts.py", STUDY, count, folder)


def has_r(*packages: str) -> bool:
    """Whether R and these packages are installed."""
    asked = " && ".join(f'requireNamespace("{name}", quietly = TRUE)' for name in packages)
    return bool(shutil.which("Rscript")) and not subprocess.run(["Rscript", "-e", f"stopifnot({asked})"], capture_output=True, check=False).returncode


def in_turn(ways: dict, repeats: int) -> dict[str, tuple[float, float]]:
    """Median seconds, and the largest memory, of each way; one after the other, round after round."""
    taken = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                taken[name].append(way(Path(folder)))
            print(f"  {name}: {taken[name][-1][0]:.1f} s", flush=True)
    return {name: (statistics.median(s for s, _ in found), max(m for _, m in found)) for name, found in taken.items()}


def table(heading: str, found: dict[str, tuple[float, float]], per: float = 1.0) -> list[str]:
    """Lines of a table: seconds, ratio to the first way, peak memory of all processes together."""
    first = next(iter(found.values()))[0]
    lines = [f"| {heading} | seconds | ratio | memory, MB |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {s / per:.1f} | {s / first:.2f} | {m:.0f} |" for name, (s, m) in found.items()]
    return [*lines, ""]


def bench_report(repeats: int) -> list[str]:
    """(a) and (b): one report."""
    ways = {"`papermill` three times, `nbconvert`": naive, "`python -m lib report`": report}
    said = []
    if has_r("rmarkdown", "survminer"):
        ways["R Markdown (survival, survminer), cohort and efficacy only"] = markdown
        ways["`python -m lib report`, cohort and efficacy only"] = lambda folder: report(folder, STUDY, "--notebooks", "cohort,efficacy")
    else:
        said = ["Not compared with R Markdown: R, rmarkdown or survminer is not installed.", ""]
    return [*table("One report of `data/colon`", in_turn(ways, repeats)), *said]


def bench_batch(repeats: int, count: int) -> list[str]:
    """(c): many reports; the naive way is measured for one and multiplied (it does not get faster)."""
    levels = [round(0.90 + 0.001 * i, 3) for i in range(count)]

    def batch(folder: Path) -> tuple[float, float]:
        plan = {"title": "bench", "runs": [{"study": STUDY, "grid": {"level": levels}}]}
        (folder / "plan.yml").write_text(json.dumps(plan), encoding="utf-8")
        return measure(sys.executable, "-m", "lib", "batch", folder / "plan.yml", "--output", folder / "all")

    found = in_turn({"plain scripts": lambda folder: scripts(folder, count), "batch": batch, "naive": naive}, repeats)
    found["naive"] = found["naive"][0] * count, found["naive"][1]
    names = {"plain scripts": "plain scripts without notebooks, two warm processes (the floor)", "batch": "`python -m lib batch`", "naive": f"`papermill` and `nbconvert` (one, times {count})"}
    lines = table(f"{count} reports of `data/colon`", {names[name]: value for name, value in found.items()})
    rates = ", ".join(f"{name} {60 * count / s:.1f}" for name, (s, _) in found.items())
    return [*lines, f"Reports per minute: {rates}.", ""]


def _peer(command: list, paths: str) -> dict | None:
    environment, command = ENVIRONMENT | {"PYTHONPATH": paths}, [str(part) for part in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True, env=environment)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        print(f"  {command[1:3]}: {type(error).__name__} {str(error.stderr or '')[-300:]}", flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def bench_survival(repeats: int, sizes: tuple[int, ...]) -> list[str]:
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
            for name in engines:
                if name in given_up:
                    continue
                command = [sys.executable, HERE / "peers.py", name, folder / "d.npz", repeats]
                if name == "R":
                    command = ["Rscript", HERE / "peers.R", folder / "d.csv", repeats]
                result = _peer(command, str(ROOT if name == "ours" else folder / "peers"))
                print(f"  {n} {name} {result}", flush=True)
                if result is None:
                    given_up.add(name)
                else:
                    found[name][n] = result
    missing = [name for name in (*PEERS, "R") if name not in engines]
    _draw(found)
    rows = [f"| {_label(name)} | " + " | ".join(_cell(found[name].get(n)) for n in sizes) + " |" for name in engines]
    return [
        "| Kaplan-Meier + log-rank + Cox, seconds (memory, MB) | " + " | ".join(f"{n:,}" for n in sizes) + " |",
        "| --- |" + " ---: |" * len(sizes), *rows, "",
        f"Three arms, times in whole days, one process each, reading left out; nothing: more than {LIMIT} seconds in all, or failed."
        + (f" Not installed: {', '.join(map(_label, missing))}." if missing else ""), "",
        f"![Seconds against patients, both axes logarithmic: each engine a line]({PICTURE.relative_to(ROOT).as_posix()})", "",
    ]  # fmt: skip


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


def _label(name: str) -> str:
    return {"ours": "this repository", "rust_survival": "`survival` (Rust)", "R": "R survival"}.get(name, name.replace("_", "-"))


def _cell(result: dict | None) -> str:
    return "" if result is None else f"{sum(result['seconds']):.3g} ({result['mb']:.0f})"


def _draw(found: dict[str, dict[int, dict]]) -> None:
    with plt.rc_context(STYLE | {"svg.hashsalt": "bench"}):
        figure, axes = plt.subplots(figsize=(7.2, 3.6), layout="constrained")
        for (name, results), marker in zip(found.items(), "osD^vP", strict=False):
            seconds = [sum(result["seconds"]) for result in results.values()]
            axes.loglog(list(results), seconds, marker=marker, markersize=4, linewidth=2.2 if name == "ours" else 1.2, label=_label(name))
        axes.set(xlabel="Patients", ylabel="Seconds")
        axes.legend(fontsize=8)
        figure.savefig(PICTURE, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def bench_large(repeats: int, n: int) -> list[str]:
    """A registry: cohort and efficacy reports against three calls of R on the same table."""
    with tempfile.TemporaryDirectory() as held:
        folder = write_study(Path(held) / "study", n)
        make_patients(n).to_pandas().to_csv(Path(held) / "patients.csv", index=False)
        ways = {f"cohort and efficacy reports of {n:,} patients (Parquet)": lambda out: report(out, str(folder), "--notebooks", "cohort,efficacy", "--jobs", "1")}
        if has_r("survival"):
            ways["R: read.csv, survfit + survdiff + coxph of both endpoints"] = lambda _: measure("Rscript", HERE / "large.R", Path(held) / "patients.csv")
        return table("A large study", in_turn(ways, repeats))


def main() -> None:
    """Measure what is asked for and write it down."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--only", default="report,batch,survival,large")
    asked.add_argument("--repeats", type=int, default=5)
    asked.add_argument("--quick", action="store_true", help="small sizes, one repeat, nothing written")
    given = asked.parse_args()
    quick, only = given.quick, given.only.split(",")
    repeats = 1 if quick else given.repeats
    parts = {
        "report": lambda: bench_report(repeats),
        "batch": lambda: bench_batch(1 if quick else 3, 4 if quick else REPORTS),
        "survival": lambda: bench_survival(repeats, SIZES[:3] if quick else SIZES),
        "large": lambda: bench_large(1 if quick else 3, 10_000 if quick else LARGE),
    }
    made = f"{dt.date.today()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB, {platform.system()}, Python {platform.python_version()}; medians of {repeats}, ratios to the first row."
    lines = [made, ""]
    for name in only:
        print(name, flush=True)
        lines += parts[name]()
    print("\n".join(lines))
    if quick or set(only) != set(parts):
        return
    path = ROOT / "README.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    path.write_text(before + BEGIN + "\n" + "\n".join(lines) + END + rest.split(END)[1], encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
