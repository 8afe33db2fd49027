"""Run R on the reference data and compare with the committed values: `make reference`; `--packages` lists what R needs.

Needs R 4.2 or later with the packages that each script names; a script whose packages are missing is skipped with a
sentence. Exit code 1 when a value differs by more than 1e-6 (relative), or when nothing could be run.
"""

import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "data"
TOLERANCE = 1e-6
SHOWN = 10
# Scripts whose seed or output is not the usual one.
SEEDED = {"reference_small.R": ("1", "small_samples")}
NEEDED = "survival sandwich cmprsk coin exactranktests lme4 lmertest emmeans pbkrtest brglm2 rstatix jsonlite nnet"
PACKAGES = [f"r-cran-{name}" for name in NEEDED.split()]
DEBIAN = f"apt-get install r-base-core {' '.join(PACKAGES)}"


def usage(script: Path) -> list[str]:
    """The arguments that the comment at the top of a script names, filled in."""
    found = re.search(
        rf"Rscript {re.escape(script.name)}[ ]?(.*?)(\s{{2,}}|,|$)", script.read_text(encoding="utf-8"), re.MULTILINE
    )
    seed, name = SEEDED.get(script.name, ("20250228", script.stem))
    values = {"SEED": seed, "DATA_FOLDER": "../../data/rair_dtc", "STUDIES": "../../studies"}
    values |= {"OUT.json": f"expected/{name}.json"}
    return [values.get(word, word) for word in found[1].split()]


def missing_packages(script: Path) -> list[str]:
    """Packages that a script loads and R does not have."""
    names = sorted(set(re.findall(r"library\((\w+)\)", script.read_text(encoding="utf-8"))))
    check = f"cat(setdiff(c({', '.join(repr(n) for n in names)}), rownames(installed.packages())))"
    return subprocess.run(["Rscript", "-e", check], capture_output=True, text=True, check=True).stdout.split()


def differences(old, new, place: str = ""):
    """Yield (place, committed, found) for every value that differs."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key in old:
            yield from differences(old[key], new[key], f"{place}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, pair in enumerate(zip(old, new, strict=True)):
            yield from differences(*pair, f"{place}[{i}]")
    elif isinstance(old, float | int) and isinstance(new, float | int):
        if not math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=1e-9):
            yield place, old, new
    elif old != new:
        yield place, old, new


def main() -> int:
    """Run every script in a copy of this folder, and compare what it writes."""
    if shutil.which("Rscript") is None:
        print(f"R is missing. On Debian: {DEBIAN}")
        return 1
    failed, ran = False, 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tests" / "reference"
        shutil.copytree(HERE, copy)
        shutil.copytree(DATA, Path(folder) / "data")
        subprocess.run([sys.executable, HERE.parent / "other_people" / "tables.py", Path(folder) / "studies"], check=True)
        for script in sorted(copy.glob("*.R")):
            if lacking := missing_packages(script):
                print(f"{script.name}: skipped, R lacks {', '.join(lacking)}. Debian has most: {DEBIAN}")
                continue
            before = {path.name: path.read_bytes() for path in (copy / "expected").glob("*.json")}
            subprocess.run(["Rscript", script.name, *usage(script)], cwd=copy, check=True)
            written = [
                path for path in (copy / "expected").glob("*.json") if path.read_bytes() != before.get(path.name)
            ]
            found = [
                (path.name, *difference)
                for path in written
                for difference in differences(json.loads(before.get(path.name, b"null")), json.loads(path.read_text()))
            ]
            ran, failed = ran + 1, failed or bool(found)
            print(f"{script.name}: {f'{len(found)} values differ' if found else 'equal to the committed values'}")
            for name, place, old, new in found[:SHOWN]:
                print(f"  {name}{place}: committed {str(old)[:60]}, R gives {str(new)[:60]}")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--packages"]:
        sys.exit(print(*PACKAGES))
    sys.exit(main())
