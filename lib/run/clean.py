"""Remove what was made here and can be made again: the environment, caches, and finished reports. Nothing else.

Needs nothing but Python, as it also runs where there is no environment. What somebody wrote or edited (choices saved as
.yml, copies of notebooks in outputs/lab, a list of queries that is being worked off and the report it lies in) stays, and
is named.
"""

from __future__ import annotations

__all__ = ["clean"]

import shutil
from pathlib import Path

from lib.run.manifest import MARK, foreign

ROOT = Path(__file__).resolve().parents[2]
CACHES = (".venv", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis", "outputs/.kept")
OF_A_BATCH = ("batch.html", "batch.csv")


def clean(root: Path = ROOT) -> tuple[list[Path], list[Path]]:
    """Remove the environment, caches and reports below a checkout.

    Parameters
    ----------
    root : Path

    Returns
    -------
    removed, kept : list of Path
        What is gone; files below `outputs` that stay.
    """
    outputs = root / "outputs"
    chosen = [root / name for name in CACHES if (root / name).is_dir()]
    reports = {path.parent for path in outputs.rglob(MARK)} - {outputs, outputs / "lab"}
    chosen += sorted(report for report in reports if not foreign(report))
    chosen += sorted(path for name in OF_A_BATCH for path in outputs.rglob(name))
    for path in chosen:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return chosen, sorted(path for path in outputs.rglob("*") if path.is_file())


def main() -> None:
    """Clean, and say what was removed and what stays."""
    removed, kept = clean()
    for path in removed:
        print(f"removed {path.relative_to(ROOT)}")
    for path in kept:
        print(f"kept    {path.relative_to(ROOT)}")
    print(f"{len(removed)} removed, {len(kept)} files kept below outputs.")


if __name__ == "__main__":
    main()
