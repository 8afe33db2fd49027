"""The floor of a batch: code cells of the notebooks run as plain scripts, report after report, in two processes.

    python tests/bench/scripts.py STUDY COUNT FOLDER

Everything is imported once, before the processes start. No kernel, no page: every table, figure and sentence that a
cell shows is rendered as the page would show it, and written into one file per report.
"""

import ast
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ |= {"MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}
from lib.report import page
from lib.study.study import ROOT

NOTEBOOKS = ("cohort", "efficacy", "robustness", "models", "safety")


def cells(name: str) -> list[dict]:
    """Code cells of a notebook."""
    found = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def import_all() -> None:
    """Import what the notebooks import."""
    for cell in (cell for name in NOTEBOOKS for cell in cells(name)):
        tree = ast.parse("".join(cell["source"]))
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(tree, "imports", "exec"), {})


def run(task: tuple[str, int, str]) -> None:
    """One report: the code cells of its notebooks."""
    study, number, folder = task
    shown = []

    def show(*items, **_) -> None:
        shown.extend("\n".join(map(str, item._repr_mimebundle_()[0].values())) for item in items if item is not None)

    page.display = show
    for name in NOTEBOOKS:
        names = {}
        for cell in cells(name):
            tree = ast.parse("".join(cell["source"]))
            *before, last = tree.body
            shows = isinstance(last, ast.Expr)
            tree.body = before if shows else tree.body
            exec(compile(tree, name, "exec"), names)
            if shows:
                show(eval(compile(ast.Expression(last.value), name, "eval"), names))
            if "parameters" in cell["metadata"].get("tags", []):
                names |= {"study": study, "level": round(0.90 + 0.001 * number, 3)}
    Path(folder, f"{number}.txt").write_text("\n".join(shown), encoding="utf-8")


if __name__ == "__main__":
    study, count, folder = sys.argv[1:]
    import_all()
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        list(pool.map(run, [(study, i, folder) for i in range(int(count))]))
