"""Run the notebooks and keep the outputs of their check cells, nothing else: `make notebooks`.

What changed shows in git; a number that moved is named in the commit.
"""

import nbformat
from nbclient import NotebookClient
from notebook_cells import EVERY, read_notebook

from lib.study.study import ROOT

CHECK = "nbval-check-output"


def main() -> None:
    """Rewrite the notebooks in place."""
    for name in EVERY:
        notebook = read_notebook(name)
        executed = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
        for cell in executed.cells:
            cell.metadata.pop("execution", None)
            if cell.cell_type == "code":
                checked = CHECK in cell.metadata.get("tags", [])
                # nbval takes a cell without a number for one that was never run
                cell.execution_count, cell.outputs = (1, cell.outputs) if checked else (None, [])
        executed.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        path = ROOT / "notebooks" / f"{name}.ipynb"
        path.write_text(nbformat.writes(executed, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
