"""Whether treated lesions stay controlled, how they respond, and which lesions fail. The unit is the lesion.

Lesions of one patient fare alike, so every interval and test knows which of them share a patient, and a comparison rests
on the patients with an event, not on their lesions.
"""

from __future__ import annotations

__all__ = ["ALL", "FAILURES", "NO_TREATED", "OUTCOMES", "LesionControl", "LesionResponse", "analyse_lesion_control", "analyse_lesion_response"]

from collections.abc import Sequence

import pandas as pd

from lib.analyses.efficacy.response import CATEGORIES
from lib.analyses.policy import withhold
from lib.analyses.result import Absent, Analysis, requires
from lib.analyses.scale import common_ticks
from lib.dataset.dataset import Dataset
from lib.dataset.derived import response_frame
from lib.dataset.lesions import lesions_as_patients, treated_frame
from lib.dataset.progression import lesion_progression
from lib.statistics.comparisons import adjust_holm, arm_pairs, name_pair
from lib.statistics.models import clustered as models
from lib.statistics.survival import clustered, kaplan_meier
from lib.statistics.survival.event_table import OVERALL

NO_TREATED = "No target lesion is marked as treated."
ALL = "all"
# Variable -> label: every treated lesion is one of these.
OUTCOMES = {
    "progressed": "Progressed",
    "died": "Patient died without it",
    "controlled": "Without progression when last assessed",
    "not_followed": "Not assessed after the baseline",
}
REGIONS = {"local": "local", "regional": "regional", "distant": "distant", "": "region not stated"}
# Variable -> label of what grew or appeared, the treated lesions first.
FAILURES = {
    "in_field": "Treated lesion, grew",
    **{f"untreated: {region}".strip(" :"): f"Untreated target, {name}, grew" for region, name in REGIONS.items()},
    **{f"new: {region}".strip(" :"): f"New lesion, {name}" for region, name in REGIONS.items()},
}
COUNTED, LESIONS = "count of lesions", "lesions"


class LesionControl(Analysis):
    """How long treated lesions stay without progression."""


@requires("lesions", "measurements")
def analyse_lesion_control(data: Dataset) -> LesionControl | Absent:
    """Cumulative incidence of progression of treated lesions, the patient's death competing, in the arms that treat any.

    Parameters
    ----------
    data : Dataset

    Returns
    -------
    LesionControl
        `lesion_outcome` (`variable` of `OUTCOMES` and all: `count` of `n` lesions, `n_patients` with such a lesion),
        `lesion_control` (cumulative incidence at the landmarks of the first endpoint, else at the response visits),
        `lesion_control_at_risk` (lesions, and patients with one), with two arms or more `lesion_control_cox`
        (cause-specific, every pair) and `lesion_control_test` (all arms); `lesion_failure` (`variable` of `FAILURES`:
        `count` of lesions that grew or appeared, of `n` that could grow). Data: `curve`, `lesions`. `Absent` where no
        lesion is treated.
        R: ``residuals(survfit(Surv(time, factor(cause)) ~ arm, id = lesion), type = "pstate")`` added up per patient,
        ``coxph(..., cluster = patient)``
    """
    lesions = treated_frame(data)
    if lesions.empty:
        return Absent(NO_TREATED)
    level = data.parameters.level
    curve = _enough(data, lesions, clustered.estimate_clustered_curve(lesions, "patient_id", level=level))
    times = data.landmarks(data.study.primary) if data.study.primary else data.response_visits
    incidence = clustered.estimate_clustered_incidence(lesions, times, "patient_id", level=level)
    frames = {
        "lesion_outcome": _outcomes(lesions),
        "lesion_control": _enough(data, lesions, incidence),
        "lesion_control_at_risk": _at_risk(data, lesions),
    }
    if len(lesions["arm"].cat.categories) > 1:
        frames |= _comparisons(data, lesions)
    frames["lesion_failure"] = _failures(data, list(lesions["arm"].cat.categories))
    frames = {name: frame.assign(unit=LESIONS) for name, frame in frames.items()}
    return LesionControl(data, "lesion_control", frames, {"curve": curve, "lesions": lesions})


def _enough(data: Dataset, lesions: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The same without the interval of an arm with too few patients: between few patients no variance is known."""
    least = data.study.policy.min_at_risk
    patients = lesions.groupby("arm", observed=False)["patient_id"].nunique()
    few = found["group"].map(patients.rename(index=str)).astype(int) < least
    hidden = few & found["ci_low"].notna()
    left = found.astype({"std_err": float})
    left.loc[few, ["std_err", "ci_low", "ci_high"]] = float("nan")
    left.loc[hidden, "note"] = f"no interval: fewer than {least} patients"
    return left


def _by_patient(lesions: pd.DataFrame) -> pd.DataFrame:
    """One row per patient, with the event if one of his lesions had it."""
    return lesions.groupby("patient_id", sort=False).agg(arm=("arm", "first"), event=("event", "any")).reset_index()


def _with_all(counts: pd.DataFrame, lesions: pd.DataFrame) -> pd.DataFrame:
    """Lesions stacked once more as a group of all, where there are two arms or more."""
    if lesions["arm"].nunique() < 2:
        return counts.assign(group=counts["arm"].astype(str))
    return pd.concat([counts.assign(group=counts["arm"].astype(str)), counts.assign(group=OVERALL)], ignore_index=True)


def _counted(rows: pd.DataFrame, variables: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
    """Rows of lesions (`group`, `variable`) -> `count` and `n_patients` of each group and variable, zeros too."""
    found = rows.groupby(["group", "variable"])["patient_id"].agg(count="size", n_patients="nunique")
    places = pd.MultiIndex.from_product([groups, variables], names=["group", "variable"])
    return found.reindex(places, fill_value=0).reset_index()


def _groups(lesions: pd.DataFrame) -> list[str]:
    arms = [str(arm) for arm in lesions["arm"].cat.categories]
    return [*arms, *([OVERALL] if len(arms) > 1 else [])]


def _outcomes(lesions: pd.DataFrame) -> pd.DataFrame:
    """What became of every treated lesion."""
    state = lesions["cause"].map({0: "controlled", 1: "progressed", 2: "died"})
    state = state.where(lesions["followed"] | (lesions["cause"] > 0), "not_followed")
    rows = _with_all(lesions.assign(variable=state), lesions)
    rows = pd.concat([rows, rows.assign(variable=ALL)], ignore_index=True)
    found = _counted(rows, [*OUTCOMES, ALL], _groups(lesions))
    n = found[found["variable"] == ALL].set_index("group")["count"]
    return found.assign(n=found["group"].map(n), method=COUNTED, note="")


def _at_risk(data: Dataset, lesions: pd.DataFrame) -> pd.DataFrame:
    """Lesions at risk at the ticks of the figure, and the patients who have them."""
    times = common_ticks(data, lesions["time"].max())
    found = kaplan_meier.count_at_risk(lesions, times)[["group", "time", "n_risk"]]
    longest = lesions.groupby(["arm", "patient_id"], observed=True)["time"].max()
    patients = [int((longest.loc[row.group] >= row.time).sum()) if row.group in longest else 0 for row in found.itertuples()]
    return found.assign(n_patients=patients, method="at risk", note="")


def _comparisons(data: Dataset, lesions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Cause-specific hazard ratios of every pair, and the test of all arms; none where too few patients had the event."""
    arms = [str(arm) for arm in lesions["arm"].cat.categories]
    first = data.reference if data.reference in arms else arms[0]
    pairs = [name_pair(x, y) for x, y in arm_pairs(arms, first)]
    fits = {arm: models.estimate_clustered_cox(lesions, arm, "patient_id", level=data.parameters.level) for arm in arms}
    terms = pd.concat([fit.terms for fit in fits.values()], ignore_index=True)
    terms = terms[terms["group"].isin(pairs)].set_index("group").loc[pairs].reset_index()
    size = {"n_patients": lesions["patient_id"].nunique()}
    terms = terms.assign(p_adjusted=adjust_holm(terms["p_value"]), method=terms["method"].map("cause-specific {}".format), **size)
    overall = fits[first].overall.drop(columns="test")
    overall = overall.assign(method=overall["method"].map("cause-specific {}".format), **size)
    patients = _by_patient(lesions)
    return {
        "lesion_control_cox": withhold(data, patients, terms.drop(columns="term")),
        "lesion_control_test": withhold(data, patients, overall),
    }


def _failures(data: Dataset, arms: list[str]) -> pd.DataFrame:
    """Lesions that grew or appeared, by what they were and where, in the arms that treat lesions."""
    found = lesion_progression(data)
    found = found[found["arm"].isin(arms)].assign(arm=lambda f: f["arm"].cat.set_categories(arms))
    region = found["region"].astype(object).where(found["region"].notna(), "")
    kind = pd.Series("untreated", found.index).mask(found["new"], "new")
    variable = (kind + ": " + region).str.strip(" :").mask(found["treated"] & found["target"], "in_field")
    failed = found["growth_date"].notna() | found["new"]
    rows = _with_all(found.assign(variable=variable, failed=failed), found)
    groups = [*arms, *([OVERALL] if len(arms) > 1 else [])]
    counts, every = (_counted(part, list(FAILURES), groups) for part in (rows[rows["failed"]], rows))
    n = every["count"].where(~every["variable"].str.startswith("new"))
    counts = counts.assign(n=n.astype(float), method=COUNTED, note="")
    known = every[every["count"] > 0]["variable"]
    return counts[counts["variable"].isin(known)].reset_index(drop=True)


class LesionResponse(Analysis):
    """Response of single treated lesions."""


@requires("lesions", "measurements")
def analyse_lesion_response(data: Dataset, visits: Sequence[float]) -> LesionResponse | Absent:
    """Response of every treated lesion at each response visit, by the study's rule applied to it alone.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Visits in the study's time unit.

    Returns
    -------
    LesionResponse
        `lesion_response_category` (`count` of each category among `n` treated lesions, `n_patients` with such a one) and
        `lesion_response` (share with CR or PR of those whose visit was due, cluster-robust interval). Data: `sizes`
        (lesions and patients by arm). `Absent` where no lesion is treated.
    """
    lesions = treated_frame(data)
    if lesions.empty:
        return Absent(NO_TREATED)
    alone = lesions_as_patients(data, lesions)
    categories, rates = [], []
    for visit in visits:
        at = lesions.drop(columns="event").merge(response_frame(alone, visit).drop(columns="arm").rename(columns={"patient_id": "lesion_id"}), on="lesion_id")
        rows = _with_all(at.rename(columns={"response": "variable"}), lesions)
        counts = _counted(rows, CATEGORIES, _groups(lesions))
        categories.append(counts.assign(n=counts.groupby("group")["count"].transform("sum"), time=visit, method=COUNTED, note=""))
        share = models.estimate_clustered_share(at[at["response"] != "not due"], "responder", "patient_id", data.parameters.level)
        rates.append(_enough(data, lesions, share).assign(time=visit))
    frames = {"lesion_response_category": categories, "lesion_response": rates}
    frames = {name: pd.concat(parts, ignore_index=True).assign(unit=LESIONS) for name, parts in frames.items()}
    sizes = lesions.groupby("arm", observed=False)["patient_id"].agg(n="size", n_patients="nunique").rename_axis("group").reset_index()
    return LesionResponse(data, "lesion_response", frames, {"sizes": sizes.assign(unit=LESIONS)})
