"""Plants errors in a copy of the repository, one at a time, runs the tests that should notice, and says which do not.

    make mutants                                     the designed errors (designed.py) and MUTANTS=300 drawn ones (drawn.py)
    python tests/mutants/run.py --drawn 0 --only pairs

mutmut and cosmic-ray are not used: the one rewrites every function of the library, which the tests of its own source
(lengths, layers, fingerprints) refuse, the other runs one fixed command per error, and a suite for each takes days. Here
an error meets the tests that mirror its file, then the golden texts from the smallest study on, and the first that
fails ends it.
"""

from __future__ import annotations

__all__ = ["Copy", "main", "selections"]

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
from designed import DESIGNED, Mutant  # noqa: E402
from drawn import draw  # noqa: E402

LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "outputs", "bench", "images")
# Seconds after which an error that hangs the tests counts as found.
LONGEST = 900
# What makes a mistake known soon runs before what takes long.
QUICK = "not (thorough or notebook or browser)"
GOLDEN = "tests/whole/test_golden.py"
# Small studies first; the golden texts of all are the last word.
SMALL = "apart or one_arm or three_arms or masked or withheld or no_event or competing or not_reached or confounded"
# Tests of a file that do not lie where its own would; the beginnings of paths below lib/.
ELSEWHERE = {
    "show/verdict.py": ["tests/show/test_verdict.py"],
    "show/sentences/": ["tests/show/sentences", "tests/show/test_verdict.py"],
    "show/plots/": ["tests/show/plots/test_figures.py", "tests/show/plots/test_drawn.py"],
    "show/tables/": ["tests/show/test_tables.py", "tests/show/sentences"],
    "show/disclosure/": ["tests/show/disclosure", "tests/analyses/test_policy.py"],
    "show/": ["tests/show/test_display.py", "tests/show/test_formats.py", "tests/show/test_labels.py", "tests/show/sentences"],
    "intake/": ["tests/intake/test_files.py", "tests/intake/test_tables.py", "tests/intake/test_bad_input.py", "tests/intake/test_recist.py", "tests/whole/test_boundaries.py", "tests/intake/new_study"],
    "dataset/": ["tests/dataset", "tests/whole/test_boundaries.py", "tests/whole/test_endpoints.py"],
    "analyses/": ["tests/analyses/test_policy.py", "tests/whole/test_boundaries.py", "tests/analyses/test_outputs.py"],
    "study/": ["tests/study/test_study.py", "tests/whole/test_boundaries.py"],
    "statistics/second_engine/": ["tests/statistics/second_engine", "tests/report/test_recheck.py"],
    "statistics/": ["tests/statistics/test_large_reference.py", "tests/report/test_recheck.py"],
    "publish/": ["tests/publish/test_folder.py"],
    "run/": ["tests/run/test_target.py"],
    "explore/": ["tests/explore/test_ward.py", "tests/explore/test_siege.py"],
    "batch/": ["tests/batch/test_plan.py", "tests/batch/test_kept.py"],
}


def selections(file: str) -> list[list[str]]:
    """What to run for an error in a file below lib/, one call of pytest after the other until one fails."""
    path = Path(file)
    own = ROOT / "tests" / path.parent / f"test_{path.stem}.py"
    runs = [[str(own.relative_to(ROOT))]] if own.exists() else []
    near = [test for start, tests in ELSEWHERE.items() if file.startswith(start) for test in tests if (ROOT / test).exists()]
    runs += [list(dict.fromkeys(near))] if near else []
    if path.parts[0] == "analyses" or (path.parts[0] == "statistics" and not own.exists()):
        runs.append([f"tests/{path.parent}"])
    seen = path.parts[0] in ("show", "analyses", "statistics", "dataset", "study")
    golden = [[GOLDEN, "-k", SMALL], [GOLDEN, "-k", f"not ({SMALL})"]] if seen else []
    return [*([*run, "-m", which] for which in (QUICK, f"not ({QUICK})") for run in runs), *golden]


class Copy:
    """The repository in a folder of its own, which is thrown away."""

    def __enter__(self) -> Copy:
        self.place = Path(tempfile.mkdtemp())
        # What passes as long as nothing is planted.
        self.sound: set[tuple[str, ...]] = set()
        self.root = self.place / "repository"
        shutil.copytree(ROOT, self.root, ignore=LEFT_BEHIND)
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.place)

    def notices(self, mutant: Mutant, runs: list[list[str]] | None = None) -> str:
        """The test that notices an error, or ""."""
        path = self.root / "lib" / mutant.file
        source, times = path.read_text(encoding="utf-8"), path.stat()
        path.write_text(mutant.planted(source), encoding="utf-8")
        try:
            run, by = next(((run, by) for run in runs or selections(mutant.file) if (by := self.fails(run))), ((), ""))
        finally:
            path.write_text(source, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # so that bytecode of the error is not taken for its own
        if by and tuple(run) not in self.sound:
            if without := self.fails(run):
                raise RuntimeError(f"fails without any error planted: {without}")
            self.sound.add(tuple(run))
        return by

    def fails(self, run: list[str]) -> str:
        """Run tests of the copy until the first fails; its name, or ""."""
        line = [sys.executable, "-m", "pytest", *run, "-q", "-x", "-p", "no:cacheprovider", "--tb=line"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("REFRESH_", "FUZZ"))}
        variables = inherited | {"PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(line, cwd=self.root, env=variables, capture_output=True, text=True, errors="replace", check=False, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return f"hangs: {run[0]}"
        if done.returncode in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            return ""
        if done.returncode not in (1, 2) or not re.search(r"^(FAILED|ERROR) ", done.stdout, re.MULTILINE):
            raise RuntimeError(f"pytest ended with {done.returncode}: {' '.join(run)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return next(line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR ")))


def main(words: list[str] | None = None) -> int:
    """Plant, run, print what survives; 1 where a designed error does."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--drawn", type=int, default=30, help="how many drawn errors beside the designed ones")
    options.add_argument("--seed", type=int, default=20250228)
    options.add_argument("--only", nargs="*", default=[""], help="errors whose words or file hold one of these")
    options.add_argument("--sample", type=int, default=0, help="so many of all these, chosen by the seed")
    options.add_argument("--part", default="1/1", help="2/4: the second of four parts, for several machines")
    given = options.parse_args(words)
    chosen = [m for m in [*DESIGNED, *draw(ROOT / "lib", given.drawn, given.seed)] if any(text in f"{m.what} {m.file}" for text in given.only)]
    if given.sample:
        chosen = random.Random(given.seed).sample(chosen, min(given.sample, len(chosen)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy is thrown away
    part, parts = map(int, given.part.split("/"))
    tally, survivors = defaultdict(lambda: [0, 0]), []
    with Copy() as copy:
        for mutant in chosen[part - 1 :: parts]:
            started = time.monotonic()
            by = copy.notices(mutant)
            room = str(Path(mutant.file).parent)
            tally[room][0] += bool(by)
            tally[room][1] += 1
            survivors += [] if by else [mutant]
            print(f"{'found   ' if by else 'SURVIVES'} {mutant.file}: {mutant.what}  [{time.monotonic() - started:.0f} s] {by}", flush=True)
    for room, (found, planted) in sorted(tally.items()):
        print(f"{room}: {found} of {planted} found")
        for mutant in survivors:
            if str(Path(mutant.file).parent) == room:
                print(f"    {mutant.file}: {mutant.what}: {mutant.old!r} -> {mutant.new!r}")
    n = sum(planted for _, planted in tally.values())
    print(f"{n - len(survivors)} of {n} found")
    return int(any(mutant in DESIGNED for mutant in survivors))


if __name__ == "__main__":
    sys.exit(main())
