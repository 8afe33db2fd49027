"""What else an endpoint could have meant by progression, and which of these meanings the published numbers fit.

Each meaning is the endpoint with other events: what its arm treats, or growth alone with new lesions that censor, compete
or do not count.
"""

from __future__ import annotations

__all__ = ["CENSORED", "COMPETING", "DECLARED", "FIELD", "IGNORED", "PUBLISHED", "Definitions", "analyse_definitions", "claims_about", "redefine", "why_no_field"]

from collections.abc import Sequence

import pandas as pd

from lib.analyses.efficacy.survival import Survival, estimates
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.dataset.dataset import Dataset
from lib.dataset.derived import time_to_event_frame
from lib.dataset.progression import IN_FIELD, growth_alone, new_lesions_alone, without_field
from lib.study.claims import Claim
from lib.study.endpoints import Endpoint
from lib.study.words import KINDS

DECLARED, FIELD, CENSORED, COMPETING, IGNORED = "declared", "in_field", "new_censored", "new_competing", "new_ignored"
# Output of an endpoint about which a publication may claim something -> the statistics in which definitions can differ.
PUBLISHED = {
    "median": ("median", "ci_low", "ci_high", "n_events"),
    "landmark": ("estimate", "ci_low", "ci_high"),
    "logrank": ("chisq", "p_value"),
    "cox": ("hr", "ci_low", "ci_high"),
}


def redefine(data: Dataset, endpoint: Endpoint) -> dict[str, Endpoint]:
    """The same endpoint by other meanings of progression.

    Returns
    -------
    dict of str to Endpoint
        `FIELD` (only what the arm treats), `COMPETING` (growth alone; the new lesions that the endpoint counts compete; who
        counts them as censored has the same log-rank test) and `IGNORED` (growth alone). Empty for an endpoint that counts no
        progression which is measured; without what it already is, and without new lesions where it counts none.
    """
    column = data.study.response.progression_column if data.study.response else None
    measured = [event for event in endpoint.events if event in KINDS or event == column]
    if not measured or not data.holds("lesions", "measurements"):
        return {}
    found = {}
    if measured != [IN_FIELD]:
        found[FIELD] = _with(endpoint, [IN_FIELD if event in measured else event for event in endpoint.events])
    new = [part for event in measured if (part := new_lesions_alone(event, column))]
    if new:
        growth = [growth_alone(event, column) for event in endpoint.events]
        found[COMPETING] = _with(endpoint, growth, [*endpoint.competing, *new])
        found[IGNORED] = _with(endpoint, growth)
    return found


def _with(endpoint: Endpoint, events: Sequence[str], competing: Sequence[str] | None = None) -> Endpoint:
    """The endpoint with these events, each once."""
    other = endpoint.competing if competing is None else tuple(dict.fromkeys(competing))
    return endpoint.model_copy(update={"events": tuple(dict.fromkeys(events)), "competing": other})


def why_no_field(data: Dataset) -> str:
    """Why nobody knows what the arms treat; "" where it is known."""
    unknown = without_field(data)
    if not unknown:
        return ""
    if data.study.treatments is None:
        return "the study says neither what its arms are given (treatments) nor which lesions are treated"
    return f"no target is marked as treated in {' and '.join(data.study.arm(arm).label for arm in unknown)}"


def claims_about(endpoint: Endpoint, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Published claims that a definition of this endpoint can make true or false, and nothing else can."""
    return tuple(
        claim for claim in claims
        if all(check.variable == endpoint.id and check.statistic in PUBLISHED.get(check.output, ()) for check in claim.checks)
    )  # fmt: skip


class Definitions(Analysis):
    """What an endpoint comes to by each definition of its events."""


@absent_if_absent
def analyse_definitions(data: Dataset, analysis: Survival, claims: Sequence[Claim]) -> Definitions | Absent:
    """Compute again what a publication claims of an endpoint, by each definition of progression.

    Parameters
    ----------
    data : Dataset
    analysis : Survival
        Of `time_to_event.analyse`.
    claims : sequence of Claim
        Of the publication.

    Returns
    -------
    Definitions
        `definition_median`, `definition_landmark`, and with two arms or more `definition_logrank` and `definition_cox`, as of
        the endpoint itself; `variable` is "endpoint: definition": `DECLARED`, `FIELD`, `CENSORED` and `IGNORED`. Where new lesions
        compete, curve and log-rank test are those of `CENSORED`. `Absent` where progression has no other definition or nothing
        is claimed.
    """
    endpoint = data.study.endpoint(analysis.variable)
    others = redefine(data, endpoint)
    if not others or not claims_about(endpoint, claims):
        return Absent("", endpoint.id)
    asked = {DECLARED: endpoint} | ({} if why_no_field(data) or FIELD not in others else {FIELD: others[FIELD]})
    asked |= {name: others[way] for name, way in ((CENSORED, COMPETING), (IGNORED, IGNORED)) if way in others}
    found = {name: estimates(time_to_event_frame(data, other), data, other) for name, other in asked.items()}
    frames = {
        f"definition_{output}": pd.concat(
            [frames[output].assign(variable=f"{endpoint.id}: {name}") for name, frames in found.items()], ignore_index=True
        ).filter(items=["variable", "group", "time", "n", *PUBLISHED[output], "method", "note"])
        for output in PUBLISHED
        if output in found[DECLARED]
    }
    return Definitions(data, endpoint.id, frames)
