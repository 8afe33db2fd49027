"""Run the notebooks with the shipped study and keep what they show: `make notebooks`.

Whoever opens a notebook on a forge or in JupyterLab sees its figures and tables at once: an SVG, and a PNG for where no
SVG is shown. What changed shows in git; a number that moved is named in the commit. What depends on the day or the
machine (versions, commit, the last digit of the self-check) is not kept.
"""

import base64

import nbformat
from nbclient import NotebookClient
from notebook_cells import CHECK, EVERY, IGNORE, NOTEBOOKS, read_notebook

from lib.publish.paper.typeset import figure_png
from lib.study.study import ROOT

DPI = 96  # enough for a screen; the notebook stays small


def main() -> None:
    """Rewrite the notebooks in place."""
    for name in EVERY:
        notebook = read_notebook(name)
        executed = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
        for cell in executed.cells:
            cell.metadata.pop("execution", None)
            if cell.cell_type == "code":
                tags = set(cell.metadata.get("tags", []))
                keep = IGNORE not in tags if name in NOTEBOOKS else CHECK in tags
                # nbval takes a cell without a number for one that was never run
                cell.execution_count, cell.outputs = (1, _kept(cell.outputs)) if keep else (None, [])
        executed.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        path = ROOT / "notebooks" / f"{name}.ipynb"
        path.write_text(nbformat.writes(executed, indent=1) + "\n", encoding="utf-8", newline="\n")


def _kept(outputs: list) -> list:
    """Outputs as they are stored: without the records for the runner, pictures as PNG too."""
    for output in outputs:
        if output.output_type == "execute_result":
            output.execution_count = 1
        record = output.metadata.pop("cohort_report", {}) if "metadata" in output else {}
        if record.get("kind") == "figure":
            png = figure_png(output.data["image/svg+xml"], record["title"], record["alt"], DPI)
            output.data["image/png"] = base64.b64encode(png).decode()
    return outputs


if __name__ == "__main__":
    main()
