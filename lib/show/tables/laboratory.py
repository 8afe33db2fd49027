"""Laboratory values -> tables: against their limits, Hy's law. Computes nothing."""

from __future__ import annotations

__all__ = ["table_lab_overview", "table_lab_shift", "table_liver", "table_liver_cases"]


from lib.analyses.result import where
from lib.analyses.safety.laboratory import CASE, MISSING, QUADRANTS, Laboratory, watched
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent, internal_only
from lib.show.formats import capitalised, format_given, format_interval, format_number, format_whole
from lib.show.labels import groups_of, level_text, unit_label
from lib.show.phrases import joined
from lib.show.tables.parts import arm_columns, cells, format_rate

LIMITS = N_("Limits: those beside the sample, else of the study. Worst and highest: of all samples in the time at risk.")
CATEGORIES = {"normal": N_("Normal{en}"), "low": N_("Low"), "high": N_("High"), "low and high": N_("Low and high"), MISSING: N_("No sample")}
PERIODS = {"baseline": N_("Baseline"), "highest": N_("Highest")}
TESTS = {"transaminase": N_("Transaminase"), "bilirubin": N_("Bilirubin"), "alkaline_phosphatase": N_("Alkaline phosphatase")}


def _words(category: str) -> str:
    """A category of a laboratory value: "normal" -> "Normal", "grade 2" -> "Grade 2"."""
    if category in CATEGORIES:
        return _(CATEGORIES[category], en="")
    return capitalised(_("grade {rank}", rank=category.removeprefix("grade ")))


@empty_if_absent
def table_lab_overview(laboratory: Laboratory) -> Table:
    """Patients whose value became worse than at baseline, and the highest multiples, one block per value."""
    data = laboratory.dataset
    groups, rows = groups_of(data), []
    for marker in watched(data):
        rows.append(Row((_("{marker}, {unit}", marker=marker.label, unit=marker.unit),), "group"))
        worse = where(laboratory["lab_worse"], variable=marker.id)
        rows.append(Row((_("Worse than at baseline"), *cells(worse, groups, format_rate)), "sub"))
        for period in ("baseline", "highest") if marker.reference.high else ():
            peaks = where(laboratory["lab_peak"], variable=f"{marker.id}: {period}")
            label = _("{words}, multiple of the upper limit: median (quartiles; range)", words=_(PERIODS[period]))
            rows.append(Row((label, *cells(peaks, groups, _spread)), "sub"))
    columns = (Column(_("Laboratory value")), *arm_columns(data))
    notes = (
        _("Worse: {unit_label}/those with a sample at baseline and at risk (%); exact {level} CI in %. {limits}", unit_label=unit_label(laboratory['lab_worse']), level=level_text(data), limits=_(LIMITS)),
    )
    return Table("lab_overview", _("Laboratory values at baseline and at their worst"), columns, tuple(rows), notes)


def _spread(row) -> str:
    if not row["n"]:
        return _("no sample")
    quartiles, ends = (format_interval(row[a], row[b], 1) for a, b in (("q1", "q3"), ("min", "max")))
    return f"{format_number(row['median'], 1)} ({quartiles}; {ends})"


@empty_if_absent
def table_lab_shift(laboratory: Laboratory) -> list[Table]:
    """One table per laboratory value: category at baseline against the worst at risk, every treated patient."""
    data = laboratory.dataset
    return [_shift(data, laboratory, marker) for marker in watched(data)]


def _shift(data: Dataset, laboratory: Laboratory, marker) -> Table:
    frame = laboratory["lab_shift"]
    frame = frame[frame["variable"].str.startswith(f"{marker.id}: ")]
    ends = frame["variable"].str.removeprefix(f"{marker.id}: ").str.split(" -> ", expand=True)
    frame = frame.assign(before=ends[0], after=ends[1])
    shown = list(dict.fromkeys(frame["after"]))
    rows = []
    for arm in data.arms:
        rows.append(Row((f"{arm.label} (n = {data.n[arm.id]})",), "group"))
        for before in dict.fromkeys(frame["before"]):
            counts = where(frame, group=arm.id, before=before).set_index("after")["count"]
            rows.append(Row((_words(before), *(format_whole(counts[after]) for after in shown)), "sub"))
    columns = (
        Column(_("At baseline")),
        *(Column(_words(after), _("worst at risk") if after != MISSING else _("at risk")) for after in shown),
    )
    return Table(
        f"lab_shift_{marker.id}",
        _("{marker}: from baseline to the worst", marker=marker.label),
        columns,
        tuple(rows),
        _scale_notes(marker, unit_label(frame), _(data.study.by_design.entered)),
    )


def _scale_notes(marker, units: str, entered: str) -> tuple[str, ...]:
    limits = marker.reference
    if limits.grades_above:
        steps = _(", ").join(_("{grade} above {times}", grade=grade, times=format_given(times)) for grade, times in enumerate(limits.grades_above, start=1))
        scale = _("Grade by multiples of the upper limit: {steps}.", steps=steps)
    else:
        told = [
            _(said, limit=format_given(limit)) for said, limit in ((N_("lower {limit}"), limits.low), (N_("upper {limit}"), limits.high)) if limit is not None
        ]
        scale = _("Limits of the study, {unit}: {listed}.", unit=marker.unit, listed=joined(told))
    return (_("{units}; all {entered}, each once. {scale} {limits}", units=units.capitalize(), entered=entered, scale=scale, limits=_(LIMITS)),)


@empty_if_absent
def table_liver(laboratory: Laboratory) -> Table | Block:
    """Patients by highest transaminase and bilirubin, and those who meet the biochemical criteria of Hy's law."""
    data = laboratory.dataset
    if "liver_quadrant" not in laboratory:
        return EMPTY
    groups, rows = groups_of(data), []
    for name, label in QUADRANTS.items():
        part = where(laboratory["liver_quadrant"], variable=name)
        rows.append(Row((label, *cells(part, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}"))))
    cases = where(laboratory["liver_hys_law"], variable=CASE)
    rows.append(Row((_("Biochemical criteria of Hy's law"), *cells(cases, groups, format_rate))))
    columns = (Column(_("Highest values at risk")), *arm_columns(data))
    phosphatase = data.study.liver.alkaline_phosphatase
    cholestasis = (
        _("no alkaline phosphatase of twice its limit or more up to then")
        if phosphatase
        else _("the study has no alkaline phosphatase, so cholestasis cannot be ruled out")
    )
    notes = (
        _("{unit_label}/those with both tests at risk. High: a transaminase of 3 times the upper limit or more, a bilirubin above twice it.", unit_label=unit_label(laboratory['liver_quadrant']).capitalize()),
        _(
            "Hy's law: such a transaminase, such a bilirubin within 30 days of it, and {cholestasis} (exact {level} CI in %). Whether the drug was the "
            "cause is for a clinician to judge: viral hepatitis, liver metastases and biliary obstruction do the same.",
            cholestasis=cholestasis, level=level_text(data),
        ),
    )  # fmt: skip
    return Table("liver", _("Liver tests: Hy's law"), columns, tuple(rows), notes)


@internal_only("listing", "the listing of patients with high liver tests")
@empty_if_absent
def table_liver_cases(laboratory: Laboratory) -> Table | Block:
    """Every patient with a high transaminase or bilirubin: for the safety physician."""
    data = laboratory.dataset
    if "peaks" not in laboratory:
        return EMPTY
    peaks = laboratory["peaks"]
    found = peaks[peaks["quadrant"].isin(["hy", "temple", "cholestasis"])]
    if found.empty:
        return EMPTY
    rows = [
        Row((str(p["patient_id"]), data.study.arm(str(p["arm"])).label, worded(QUADRANTS[p["quadrant"]]),
             *(format_number(p[test], 1) for test in TESTS), _("yes") if p[CASE] else _("no")))
        for p in found.sort_values(["arm", "patient_id"], kind="stable").to_dict("records")
    ]  # fmt: skip
    columns = (Column(_("Patient")), Column(_("Arm"), text=True), Column(_("Pattern"), text=True),
               *(Column(_(test), _("highest, × upper limit")) for test in TESTS.values()), Column(_("Hy's law")))  # fmt: skip
    return Table("liver_cases", _("Patients with high liver tests"), columns, tuple(rows))
