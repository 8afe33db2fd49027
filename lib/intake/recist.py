"""Lesion measurements -> sum of diameters, response and tumour volume at each assessment.

The rule is that of RECIST 1.1 for target lesions (Eisenhauer EA et al. Eur J Cancer 2009;45:228-247),
with the thresholds of study.yml. Sums are whole tenths of a millimetre and thresholds are compared as
whole numbers: in floating point, 109.8 against 1.2 x 91.5 would be progression or not by accident.
"""

from __future__ import annotations

__all__ = [
    "ABSENT",
    "ASSESSMENT",
    "BASELINE_VISIT",
    "DIAMETERS",
    "RESPONSES",
    "STATUSES",
    "derive_growth",
    "derive_lesion_volume",
    "derive_response",
    "derive_sums",
    "derive_volume",
]

from fractions import Fraction

import numpy as np
import pandas as pd

from lib.study.clinic.tumour import Response

RESPONSES = ("CR", "PR", "SD", "PD", "NE")
DIAMETERS = ["longest_mm", "short_mm", "third_mm"]
ABSENT = "absent"
STATUSES = ("measured", "too_small", ABSENT)
BASELINE_VISIT = 0
ASSESSMENT = ["patient_id", "assessment_date"]


def derive_response(lesions: pd.DataFrame, measurements: pd.DataFrame, response: Response) -> pd.DataFrame:
    """Derive the response at each assessment from the measured diameters.

    What is added up, the sum, are diameters, or what else `response.measure` names; what follows is the same.
    Progression (PD): the sum is at least `progression_ratio` times the nadir and at least `progression_mm`
    above it, or there is a new lesion; after it the status stays PD. Not evaluable (NE): a target has no
    diameter at this assessment, or there is no baseline sum. Complete response (CR): every target is gone,
    target nodes are below `node_normal_short_mm`. Partial response (PR): the sum is at most `partial_ratio`
    times the baseline. Otherwise stable disease (SD). Where several hold, the first named counts.

    Parameters
    ----------
    lesions : DataFrame, one row per lesion
        `lesion_id`, `patient_id`, `site`, `target` (bool).
    measurements : DataFrame, one row per lesion and assessment
        `lesion_id`, `assessment_date` (datetime64), `visit`, `longest_mm`, `short_mm`, `too_small` (bool) and
        optionally `status` (`absent`: the lesion has vanished, diameter 0.0).
    response : lib.study.study.Response
        Node sites and thresholds.

    Returns
    -------
    DataFrame, one row per patient and assessment
        `patient_id`, `assessment_date`, `visit`, `n_targets`, `sum_mm`, `baseline_mm`, `nadir_mm` (of diameters: the
        smallest sum before this assessment, baseline included), `percent_change` (of what is added up, from baseline;
        negative = shrunk), `grown` (bool: the sum meets the rule of progression), `new_lesion` (bool) and `response` (Categorical of `RESPONSES`; missing at
        the baseline and before it).
    """
    rows = derive_sums(lesions, measurements, response)
    patient = rows["patient_id"]
    after = rows["assessment_date"] > rows["baseline_date"]
    grown = _grown(rows, patient, response)
    total, baseline = rows["size"], rows["baseline_size"].replace(0, pd.NA)
    less = Fraction(str(response.partial_ratio))
    shrunk = total * less.denominator <= baseline * less.numerator
    evaluable = total.notna() & baseline.notna()
    progressed = ((after & rows["new_lesion"]) | grown).groupby(patient).cummax()

    # without a baseline nothing can be called a response, yet the assessment took place
    before = ~after & rows["baseline_date"].notna()
    conditions = [before, progressed, ~evaluable, rows["all_gone"], shrunk.fillna(False).astype(bool)]
    status = np.select(conditions, ["", "PD", "NE", "CR", "PR"], default="SD")
    # of whole numbers: two patients with the same change have the same number, and tie in ranks
    rows["percent_change"] = _float(100 * (total - baseline) / baseline)
    rows["nadir_mm"], rows["grown"] = _nadir(rows, "sum_mm", patient), grown
    rows["response"] = pd.Categorical(np.where(before, None, status), categories=list(RESPONSES))
    columns = ["n_targets", "sum_mm", "baseline_mm", "nadir_mm", "percent_change", "grown", "new_lesion", "response"]
    return rows[[*ASSESSMENT, "visit", *columns]]


def _nadir(rows: pd.DataFrame, column: str, owner: pd.Series) -> pd.Series:
    """Smallest value of each owner before a row, since its baseline."""
    known = rows[column].where(rows["assessment_date"] >= rows["baseline_date"])
    return known.groupby(owner).cummin().groupby(owner).ffill().groupby(owner).shift()


def _grown(rows: pd.DataFrame, owner: pd.Series, response: Response) -> pd.Series:
    """Where the size of an owner has grown over its nadir by the rule."""
    total, nadir = rows["size"], _nadir(rows, "size", owner)
    # Fraction(str(x)): the decimal that study.yml says, not its nearest binary fraction
    step, more = (Fraction(str(x)) for x in (response.progression_mm, response.progression_ratio))
    # What has vanished and stays so has not grown, whatever the thresholds.
    by_rule = (total > nadir) & (total * more.denominator >= nadir * more.numerator) & (
        (total - nadir) * step.denominator >= 10 * step.numerator
    )
    after = rows["assessment_date"] > rows["baseline_date"]
    return after & (rows["baseline_size"] > 0).fillna(False).astype(bool) & by_rule.fillna(False).astype(bool)


def derive_growth(lesions: pd.DataFrame, measurements: pd.DataFrame, response: Response) -> pd.DataFrame:
    """When each lesion grew by the rule of progression, held against its own smallest diameter.

    Parameters
    ----------
    lesions, measurements, response
        As for `derive_response`.

    Returns
    -------
    DataFrame, one row per lesion that is a target at baseline or first seen after it, sorted by patient and lesion
        `patient_id`, `lesion_id`, `site`, `target` (bool: of the baseline), `new` (bool), `first_seen` (date), `growth_date`
        (first assessment at which its diameter is at least `progression_ratio` times its nadir and `progression_mm`
        above it; a new lesion begins when it is first seen; NaT if never), `last_seen` (last assessment with a diameter,
        that of a vanished lesion included).
    """
    measured, _ = _measured(lesions, measurements)
    rows = measured[measured["target"] | measured["new"]].sort_values(["patient_id", "lesion_id", "assessment_date"])
    rows["baseline_date"] = rows["baseline_date"].where(rows["target"], rows["first_seen"])
    rows["size"] = _sizes(rows, response)
    begin = rows[rows["assessment_date"] == rows["baseline_date"]].drop_duplicates("lesion_id").set_index("lesion_id")
    rows["baseline_size"] = rows["lesion_id"].map(begin["size"])
    grown = _grown(rows, rows["lesion_id"], response)
    found = rows.drop_duplicates("lesion_id")[["patient_id", "lesion_id", "site", "target", "new", "first_seen"]]
    dates = {
        "growth_date": rows[grown].groupby("lesion_id")["assessment_date"].min(),
        "last_seen": rows[rows["size"].notna()].groupby("lesion_id")["assessment_date"].max(),
    }
    dates = {name: found["lesion_id"].map(date).astype("datetime64[ns]") for name, date in dates.items()}
    return found.assign(**dates).reset_index(drop=True)


def derive_sums(lesions: pd.DataFrame, measurements: pd.DataFrame, response: Response) -> pd.DataFrame:
    """Add up the sizes of the target lesions at each assessment: diameters, and what else the rule measures.

    The diameter is the longest, or the longest of what is viable (`viable_mm`), for a lymph node the short axis; 0.0
    when the lesion has vanished, `response.too_small_mm` when it is too small to measure. The targets of a patient are
    the lesions so marked that were recorded at baseline (visit 0), unless the rule leaves treated ones out.

    Parameters
    ----------
    lesions, measurements, response
        As for `derive_response`.

    Returns
    -------
    DataFrame, one row per patient and assessment, sorted
        `patient_id`, `assessment_date`, `visit`, `n_targets`, `n_measured`, `sum_mm` (of diameters; NaN unless every
        target has one), `baseline_date`, `baseline_mm`, `size`, `baseline_size` (what the rule adds up, as whole
        numbers: tenths of a millimetre, or thousandths of a cubic millimetre of the boxes around the ellipsoids,
        whose ratios are those of the volumes; missing unless every target has one), `all_gone` (bool: every target vanished,
        nodes of normal size) and `new_lesion` (bool: a lesion is first seen here, after the baseline).
    """
    if response.treated_lesions == "leave_out" and "treated" in lesions:
        lesions = lesions.assign(target=lesions["target"] & ~lesions["treated"].eq(True))
    rows, targets = _assessments(lesions, measurements)
    node, diameter = targets["site"].isin(response.node_sites), _diameters(targets, response)
    normal = (node & (diameter < response.node_normal_short_mm)) | (diameter == 0)
    targets = targets.assign(tenths=_tenths(diameter), size=_sizes(targets, response), normal=normal)
    by_assessment = targets.groupby(ASSESSMENT, sort=False).agg(
        n_measured=("size", "count"), tenths=("tenths", "sum"), size=("size", "sum"), known=("tenths", "count"), all_gone=("normal", "all")
    )
    rows = rows.join(by_assessment, on=ASSESSMENT)
    rows["n_measured"] = rows["n_measured"].fillna(0).astype(int)
    complete = (rows["n_measured"] == rows["n_targets"]) & (rows["n_targets"] > 0)
    rows["sum_mm"] = _mm(rows["tenths"].where((rows["known"] == rows["n_targets"]) & (rows["n_targets"] > 0)))
    rows["size"] = rows["size"].where(complete)
    rows["all_gone"] = complete & rows["all_gone"].eq(True)
    at_baseline = rows[rows["assessment_date"] == rows["baseline_date"]].set_index("patient_id")
    rows["baseline_mm"], rows["baseline_size"] = (rows["patient_id"].map(at_baseline[name]) for name in ("sum_mm", "size"))
    columns = ["n_targets", "n_measured", "sum_mm", "baseline_date", "baseline_mm", "size", "baseline_size", "all_gone", "new_lesion"]
    return rows[[*ASSESSMENT, "visit", *columns]]


def _diameters(targets: pd.DataFrame, response: Response) -> pd.Series:
    """Diameter of each measurement by the rule, in mm."""
    node, long, small = targets["site"].isin(response.node_sites), targets["longest_mm"], _too_small(targets)
    if response.measure == "viable":
        long = targets["viable_mm"] if "viable_mm" in targets else long * np.nan
        small = small & ~long.eq(0)  # nothing of it takes up contrast any more
    diameter = targets["short_mm"].where(node, long)
    return diameter.mask(small, response.too_small_mm).mask(_absent(targets), 0.0)


def _sizes(targets: pd.DataFrame, response: Response) -> pd.Series:
    """What the rule adds up, as whole numbers: tenths of a diameter, or the product of three."""
    if response.measure != "volume":
        return _tenths(_diameters(targets, response))
    axes = targets[DIAMETERS].mask(_too_small(targets), response.too_small_mm).mask(_absent(targets), 0.0)
    return _tenths(axes["longest_mm"]) * _tenths(axes["short_mm"]) * _tenths(axes["third_mm"])


def derive_volume(lesions: pd.DataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    """Total volume of the target lesions at each assessment, as ellipsoids: pi/6 x longest x short x third.

    Parameters
    ----------
    lesions, measurements
        As for `derive_response`, with `third_mm`.

    Returns
    -------
    DataFrame, one row per patient and assessment, sorted
        `patient_id`, `assessment_date`, `visit`, `n_targets` and `volume_cm3` (NaN unless every target
        has its three diameters).
    """
    rows, targets = _assessments(lesions, measurements)
    targets = targets.assign(volume=_volumes(targets))
    by_assessment = targets.groupby(ASSESSMENT, sort=False)["volume"].agg(["count", "sum"])
    rows = rows.join(by_assessment, on=ASSESSMENT)
    rows["volume_cm3"] = rows["sum"].where((rows["count"] == rows["n_targets"]) & (rows["n_targets"] > 0))
    return rows[[*ASSESSMENT, "visit", "n_targets", "volume_cm3"]]


def derive_lesion_volume(lesions: pd.DataFrame, measurements: pd.DataFrame, too_small_mm: float) -> pd.DataFrame:
    """Volume of each target lesion at each assessment; one that has vanished counts as too small to measure.

    Parameters
    ----------
    lesions, measurements
        As for `derive_volume`.
    too_small_mm : float
        Diameter of the ball that stands for a vanished lesion, which has no logarithm otherwise.

    Returns
    -------
    DataFrame, one row per lesion and assessment with its three diameters
        `patient_id`, `lesion_id`, `assessment_date`, `visit`, `volume_cm3` (> 0).
    """
    _, targets = _assessments(lesions, measurements)
    ball = np.pi / 6 * too_small_mm**3 / 1000
    targets = targets.assign(volume_cm3=_volumes(targets).mask(_absent(targets), ball))
    return targets.loc[targets["volume_cm3"].notna(), [*ASSESSMENT, "lesion_id", "visit", "volume_cm3"]]


def _volumes(targets: pd.DataFrame) -> pd.Series:
    """Volume of each measurement in cm3; NaN without three diameters."""
    axes = targets[DIAMETERS].mask(_absent(targets), 0.0)
    # 1000 mm3 = 1 cm3
    return np.pi / 6 * axes.prod(axis=1, skipna=False) / 1000


def _measured(lesions: pd.DataFrame, measurements: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measurements, each with what its lesion is (target of the baseline, or new after it); and the assessments."""
    of_lesion = lesions[["lesion_id", "patient_id", "site", "target"]]
    measured = measurements.drop(columns=["patient_id"], errors="ignore").merge(of_lesion, on="lesion_id")
    measured = measured[measured["assessment_date"].notna()].copy()
    rows = measured.groupby(ASSESSMENT, as_index=False, sort=True)["visit"].first()
    baseline = rows[rows["visit"] == BASELINE_VISIT].groupby("patient_id")["assessment_date"].min()
    for frame in (rows, measured):
        frame["baseline_date"] = frame["patient_id"].map(baseline).astype("datetime64[ns]")

    at_baseline = measured.loc[measured["assessment_date"] == measured["baseline_date"], "lesion_id"].unique()
    there = measured["lesion_id"].isin(at_baseline)
    measured["target"] = measured["target"].eq(True) & there
    seen = measured[~_absent(measured) & (measured["longest_mm"].notna() | _too_small(measured))]
    first_seen = seen.groupby("lesion_id")["assessment_date"].min()
    measured["first_seen"] = measured["lesion_id"].map(first_seen).astype("datetime64[ns]")
    measured["new"] = (measured["first_seen"] > measured["baseline_date"]) & ~there
    return measured, rows


def _assessments(lesions: pd.DataFrame, measurements: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Assessments, with baseline date, number of targets and new lesions; and the measurements of targets."""
    measured, rows = _measured(lesions, measurements)
    targets = measured[measured["target"]]
    n_targets = targets.groupby("patient_id")["lesion_id"].nunique()
    rows["n_targets"] = rows["patient_id"].map(n_targets).fillna(0).astype(int)
    new = measured[measured["new"] & (measured["assessment_date"] == measured["first_seen"])]
    keys = [pd.MultiIndex.from_frame(frame[ASSESSMENT]) for frame in (rows, new)]
    rows["new_lesion"] = keys[0].isin(keys[1])
    return rows, targets


def _absent(measured: pd.DataFrame) -> pd.Series:
    if "status" not in measured:
        return pd.Series(False, index=measured.index)
    return measured["status"].astype("string").eq(ABSENT).fillna(False).astype(bool)


def _too_small(measured: pd.DataFrame) -> pd.Series:
    if "too_small" not in measured:
        return pd.Series(False, index=measured.index)
    return measured["too_small"].eq(True).fillna(False).astype(bool)


def _tenths(mm: pd.Series) -> pd.Series:
    """Millimetres (one decimal) as whole tenths; missing stays missing."""
    return (mm.astype("float64") * 10).round().astype("Int64")


def _mm(tenths: pd.Series) -> pd.Series:
    return _float(tenths) / 10


def _float(whole: pd.Series) -> pd.Series:
    return whole.astype("Float64").astype("float64")
