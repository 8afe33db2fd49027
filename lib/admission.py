"""Whether a report can be made of these patients for this audience: asked before any kernel starts, of whole plans too.

What a notebook would refuse as it starts (dataset, sharing) is found here from the table of patients alone.
"""

from __future__ import annotations

__all__ = ["admit", "request_of"]

from pydantic import TypeAdapter

from lib.dataset import restrict
from lib.intake import Tables
from lib.parameters import Parameters
from lib.sharing import check_audience
from lib.study import Study

# What decides who is in a report, and who may see it.
DECIDE = ("cutoff", "arms", "subgroup", "subgroup_values", "audience")


def request_of(routed: dict[str, dict]) -> Parameters:
    """Parameters that decide whether a report can be made, the same for all its notebooks.

    Parameters
    ----------
    routed : dict of dict
        Notebook -> parameters, as `lib.run.route_parameters` returns it.
    """
    given = next(iter(routed.values()))
    return TypeAdapter(Parameters).validate_python({name: given[name] for name in DECIDE if name in given})


def admit(study: Study, request: Parameters, tables: Tables) -> None:
    """Refuse a report that leaves no patient, or that must not be shared.

    Raises
    ------
    lib.yamlfile.ProblemsFound
        E110, E111.
    """
    check_audience(restrict(study, request, {"patients": tables["patients"]}, tables.queries))
