"""Whether a report can be made of these patients for this audience: asked before any kernel starts, of whole plans too.

What a notebook would refuse as it starts (dataset, sharing) is found here from the table of patients alone.
"""

from __future__ import annotations

__all__ = ["admit", "request_of"]

from lib.dataset.dataset import restrict
from lib.intake.tables import Tables
from lib.show.disclosure.audience import check_audience
from lib.study.parameters import NOTEBOOKS, Parameters, check_parameters
from lib.study.study import Study

# What decides who is in a report, and who may see it.
DECIDE = ("cutoff", "arms", "population", "subgroup", "subgroup_values", "audience")


def request_of(study: Study, given: dict) -> Parameters:
    """Check those of the given parameters that decide whether a report can be made, whatever the others are.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        E110.
    """
    return check_parameters(study, next(iter(NOTEBOOKS)), {name: given[name] for name in DECIDE if name in given})


def admit(study: Study, request: Parameters, tables: Tables) -> None:
    """Refuse a report that leaves no patient, or that must not be shared.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        E110, E111.
    """
    check_audience(restrict(study, request, {"patients": tables["patients"]}, tables.queries))
