"""Pages that show the heads of the notebooks and the first curve: what a summary and the page for patients need.

    quick("data/colon", audience="share")
"""

from __future__ import annotations

__all__ = ["LONG", "quick", "six_arms"]

import json

from nbformat.v4 import new_code_cell, new_notebook, new_output
from random_study import Design, write_random

from lib import analyse
from lib.report import start
from lib.show import plot, summary

LONG = (
    "Standard care by the physician's choice (drug or surgery)", "Drug one, 20 mg once daily", "Drug two, 400 mg twice daily",
    "Drug one, 20 mg once daily, with implant", "Drug two with implant & radiotherapy", "Implant alone <b>no drug</b>",
)  # fmt: skip


def _notebook(name, items):
    """What a page shows, as an executed notebook."""
    outputs = [new_output("display_data", data, metadata=metadata) for data, metadata in (i._repr_mimebundle_() for i in items)]
    return new_notebook(cells=[new_code_cell("show()", outputs=outputs, id=name)])


def quick(study, pages=("efficacy", "robustness", "safety"), **parameters):
    """Pages that show the heads of the notebooks and the first curve: what a summary needs."""
    made = {}
    for name in pages:
        page = start(name, {"study": str(study), **parameters})
        curve = []
        if name == "safety":
            given = summary.safety(page.analyse(analyse.adverse_events))
        else:
            survival = page.analyse(analyse.survival, page.endpoint)
            weights = page.analyse(analyse.weights, survival)
            if name == "efficacy":
                response = page.analyse(analyse.response, page.response_visits)
                others = page.analyse_each(analyse.survival, page.other_endpoints)
                given, curve = summary.efficacy(survival, weights, response, others[:1]), [plot.survival(survival)]
            else:
                given = summary.robustness(survival, page.analyse(analyse.robustness, survival), weights)
        made[name] = _notebook(name, [page.header(), page.key_results("Said at length.", summary=given), *curve, page.colophon()])
    return made


def six_arms(folder, labels):
    """Six arms; that of Drug one with the implant carries the question."""
    folder = write_random(folder, Design(sizes=(34, 31, 36, 30, 33, 29), seed=4, hazard=0.05))
    study = json.loads((folder / "study.yml").read_text("utf-8"))
    for arm, label in zip(study["arms"], labels, strict=False):
        arm["label"] = label
    study["focus_arm"] = "D"
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    return folder
