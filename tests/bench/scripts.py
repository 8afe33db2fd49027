"""The floor of a batch: code cells of the notebooks run as plain scripts, report after report, in two processes.

    python tests/bench/scripts.py STUDY COUNT FOLDER

Everything is imported once. No kernel, no page: what each cell shows is made and written as text.
"""

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ |= {"MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from lib import dataset, figures, report, robustness, tables, time_to_event  # noqa: F401  imported before the fork
from lib.study import ROOT


def run(task: tuple[str, int, str]) -> None:
    """One report: the code cells of the three notebooks."""
    study, number, folder = task
    shown = []
    DisplayPublisher.publish = lambda self, data, metadata=None, **_: shown.append(str(data))
    for name in ("cohort", "efficacy", "safety"):
        shell = InteractiveShell()
        for cell in json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                given = f"\nstudy, level = {study!r}, {0.90 + 0.001 * number}" if "parameters" in cell["metadata"].get("tags", []) else ""
                done = shell.run_cell("".join(cell["source"]) + given, silent=True)
                done.raise_error()
                if done.result is not None:
                    shown.append(str(shell.display_formatter.format(done.result)[0]))
    Path(folder, f"{number}.txt").write_text("\n".join(shown), encoding="utf-8")


if __name__ == "__main__":
    study, count, folder = sys.argv[1:]
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        list(pool.map(run, [(study, i, folder) for i in range(int(count))]))
