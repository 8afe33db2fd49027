"""Results on adverse events -> tables: strings only, nothing computed."""

from __future__ import annotations

__all__ = [
    "table_ae_attribution",
    "table_ae_differences",
    "table_ae_first",
    "table_ae_grades",
    "table_ae_listing",
    "table_ae_onset",
    "table_ae_overview",
    "table_ae_rate_ratios",
    "table_ae_rates",
    "table_ae_terms",
]

import pandas as pd

from lib.analyses.result import where
from lib.analyses.safety.events import ANY, ATTRIBUTIONS, Harms, kind_label, terms_above
from lib.analyses.safety.events_in_time import HarmsInTime
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Row, Table, compares_arms, empty_if_absent, internal_only
from lib.show.formats import (
    DASH,
    exactness,
    format_duration,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    said_p,
)
from lib.show.labels import groups_of, level_text, needed_to_treat, pair_label, share, unit_label
from lib.show.tables.parts import arm_columns, cells, format_difference, format_share, notes_of

DESCRIPTIVE = "descriptive, not adjusted. A large {p} is not evidence of equal risk at these sizes."
# Harms to choose between; what one component alone can cause, or a drug alone lead to, is none, and deaths have their time.
NEEDED = ("any", "severe", "serious")
NEEDED_FOR_HARM = "NNTH 6: of 6 patients treated with the arm named first instead of the arm named second, one more has such an event (number needed to harm); NNTB: one fewer (to benefit). Whole patients, rounded up. A {level} CI that holds 0 points leads through infinity: NNTH 6 (NNTH 3 to ∞ to NNTB 20) reaches from one more of 3 over none at all to one fewer of 20."
ONSETS = {
    "any window": "In the risk window of a component given",
    "outside": "In no risk window",
    "before time zero": "Before time zero",
}


def _risk(row: pd.Series) -> str:
    if not row["n"]:
        return DASH
    share = format_share(row)
    interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
    return share if pd.isna(row["count"]) else f"{share[:-1]}; {interval})"


@empty_if_absent
def table_ae_overview(safety: Harms) -> Table:
    """Patients with at least one event of each kind."""
    data = safety.dataset
    groups, rows = groups_of(data, overall=True), []
    tested = "ae_overview_test" in safety
    for kind in safety["ae_overview"]["variable"].unique():
        part = where(safety["ae_overview"], variable=kind)
        p = [format_p(where(safety["ae_overview_test"], variable=kind)["p_value"].iat[0])] if tested else []
        rows.append(Row((kind_label(data, kind), *cells(part, groups, _risk), *p)))
    units = unit_label(safety["ae_overview"]).capitalize()
    columns = [Column(f"{units} with at least one event"), *arm_columns(data, overall=True)]
    notes = [f"{units} (% of all {data.study.by_design.entered}; exact Clopper-Pearson {level_text(data)} CI in %)."]
    if tested:
        columns.append(Column(said_p(), f"{exactness(safety['ae_overview_test']['mc_error'])}, descriptive"))
        notes.append(f"{said_p()}: Fisher-Freeman-Halton over the arms, {DESCRIPTIVE.format(p=said_p())}")
    return Table("ae_overview", "Adverse events: overview", tuple(columns), tuple(rows), tuple(notes))


@empty_if_absent
@compares_arms
def table_ae_differences(safety: Harms) -> Table:
    """Risk difference of each kind of event against the reference arm."""
    data = safety.dataset
    differences = safety["ae_overview_difference"]
    pairs = _against_reference(data, differences)
    shown = [show for _ in pairs for show in (format_difference, _needed)]
    doubled = [pair for pair in pairs for _ in range(2)]
    rows = []
    for kind in differences["variable"].unique():
        by_pair = where(differences, variable=kind).set_index("group")
        rows.append(Row((kind_label(data, kind), *[show(by_pair.loc[pair]) for pair, show in zip(doubled, shown, strict=True)])))
    units, level = unit_label(differences).capitalize(), level_text(data)
    columns = [Column(f"{units} with at least one event")]
    for pair in pairs:
        columns += [Column(pair_label(data, pair), "points (CI)"), Column("", "number needed (CI)")]
    notes = (
        f"Difference of the shares in percentage points, first arm minus second, with the Miettinen-Nurminen {level} CI; above 0: more often in the arm named first.",
        NEEDED_FOR_HARM.format(level=level),
    )
    return Table("ae_differences", "Adverse events: risk differences", tuple(columns), tuple(rows), notes)


def _against_reference(data: Dataset, frame: pd.DataFrame) -> list[str]:
    """Pairs `x vs reference`, in study order."""
    pairs = frame["group"].unique()
    return [f"{arm.id} vs {data.reference}" for arm in data.arms if f"{arm.id} vs {data.reference}" in pairs]


def _needed(row: pd.Series) -> str:
    return needed_to_treat(row, good=False) if row["variable"] in NEEDED else DASH


@empty_if_absent
def table_ae_terms(safety: Harms, threshold_percent: float = 0) -> Table:
    """Patients by system and term, any grade and severe, worst grade per patient; most frequent first."""
    data = safety.dataset
    groups, settings, terms = groups_of(data), data.study.adverse_events, safety["terms"]
    shown = terms_above(safety["ae_term"], threshold_percent)
    rows = []
    systems = {system: [t for t in own["term"] if t in shown] for system, own in terms.groupby("system", sort=False)}
    for system in sorted((s for s in systems if systems[s]), key=_by_frequency(safety["ae_system"])):
        label = f"{system}: any event"
        rows.append(Row((label, *_any_and_severe(safety, "ae_system", system, groups))))
        for term in sorted(systems[system], key=_by_frequency(safety["ae_term"])):
            rows.append(Row((term, *_any_and_severe(safety, "ae_term", term, groups)), "sub"))
    columns = [Column("System and term")]
    for arm in arm_columns(data):
        columns += [
            Column(arm.label, f"{arm.detail}; any {settings.scale}", arm.colour),
            Column("", settings.severe_words),
        ]
    limit = (
        f" Terms seen in fewer than {format_given(threshold_percent)}% of every arm are left out; the rows of systems count them."
        if threshold_percent
        else ""
    )
    notes = (
        f"{settings.dictionary}. {unit_label(safety['ae_term']).capitalize()} (% of all {data.study.by_design.entered}), each counted once per row with the worst {settings.scale}; a system counts its patients, not the sum of its terms.{limit}",
    )
    return Table("ae_terms", "Adverse events by system and term", tuple(columns), tuple(rows), notes)


def _by_frequency(frame: pd.DataFrame):
    """Sort key: most patients first, then by name; masked last."""
    total = frame.groupby("variable")["count"].max().fillna(-1)
    return lambda name: (-total.get(name, -1), name)


def _any_and_severe(safety: Harms, output: str, name: str, groups: list[str]) -> list[str]:
    parts = (where(safety[output], variable=name), where(safety[f"{output}_severe"], variable=name))
    by_group = [cells(part, groups, lambda r: format_share(r) if r["count"] != 0 else "0") for part in parts]
    return [cell for pair in zip(*by_group, strict=True) for cell in pair]


@empty_if_absent
def table_ae_grades(safety: Harms) -> Table:
    """Patients by the worst severity of any event."""
    data = safety.dataset
    settings = data.study.adverse_events
    groups, grades, any_event = groups_of(data), safety["ae_grade"], where(safety["ae_overview"], variable="any")
    rows = [Row(("Any event", *cells(any_event, groups, share)))]
    for grade in settings.ranks:
        part, label = where(grades, term=ANY, grade=grade), settings.words(grade)
        shown = cells(part, groups, share)
        rows.append(Row((f"{label[:1].upper()}{label[1:]}", *shown), "sub"))
    columns = (Column(f"Worst {settings.scale}"), *arm_columns(data))
    return Table("ae_grades", f"{unit_label(grades).capitalize()} by worst {settings.scale} of any event", columns, tuple(rows))


@empty_if_absent
def table_ae_attribution(safety: Harms) -> Table | Block:
    """Patients and events by what they were attributed to."""
    data = safety.dataset
    if "ae_attribution" not in safety:
        return EMPTY
    groups, severe, rows = groups_of(data, overall=True), data.study.adverse_events.severe_words, []
    for name, label in ATTRIBUTIONS.items():
        if name in set(safety["ae_attribution"]["variable"]):
            patients, worst, events = (
                where(safety[f"ae_attribution{end}"], variable=name) for end in ("", "_severe", "_events")
            )
            rows += [
                Row((label,), "group"),
                Row((unit_label(patients).capitalize(), *cells(patients, groups, _risk)), "sub"),
                Row((f"{unit_label(worst).capitalize()}, {severe}", *cells(worst, groups, lambda r: format_whole(r["count"]))), "sub"),
                Row((unit_label(events).capitalize(), *cells(events, groups, lambda r: f"{format_whole(r['count'])} of {format_whole(r['n'])}")), "sub"),
            ]  # fmt: skip
    columns = (Column("As the investigator attributed it"), *arm_columns(data, overall=True))
    notes = (
        f"Patients with at least one such event (% of all {data.study.by_design.entered}; exact {level_text(data)} CI in %); a patient can be in several blocks, an event in one. An arm without a component has no event that is related to it.",
    )
    return Table("ae_attribution", "Adverse events by attribution", columns, tuple(rows), notes)


@empty_if_absent
def table_ae_rates(timed: HarmsInTime) -> Table:
    """Events and first events per 100 patient-years at risk."""
    data = timed.dataset
    groups, rows = groups_of(data), []
    years = where(timed["ae_rate"], variable="any")
    rows.append(Row(("Patient-years at risk", *cells(years, groups, lambda r: format_number(r["person_time"], 1)))))
    for output, heading in (
        ("ae_rate", "{}; per 100 patient-years"),
        ("ae_first_rate", "{} with a first event/patient-years until then; per 100"),
    ):
        rows.append(Row((heading.format(unit_label(timed[output]).capitalize()),), "group"))
        for name, part in timed[output].groupby("variable", sort=False):
            shown = cells(part, groups, lambda r, first=output == "ae_first_rate": _rate(r, first))
            rows.append(Row((kind_label(data, name), *shown), "sub"))
    columns = (Column("Kind or term"), *arm_columns(data))
    notes = (
        f"{_windows(data)} Exact Poisson {level_text(data)} CI. Several events of one patient are not independent, so the intervals of events are too narrow; those of first events are not.",
        "A long time at risk after early events makes a rate low: compare risks and first events before rates.",
    )
    return Table("ae_rates", "Adverse events per 100 patient-years at risk", columns, tuple(rows), notes)


def _rate(row: pd.Series, first: bool) -> str:
    if pd.isna(row["count"]):
        return format_whole(row["count"])
    time = f"/{format_number(row['person_time'], 1)}" if first else ""
    if pd.isna(row["rate"]):
        return f"{format_whole(row['count'])}{time}"
    rate = f"{format_number(row['rate'], 0)} ({format_interval(row['ci_low'], row['ci_high'], 0)})"
    return f"{format_whole(row['count'])}{time}; {rate}"


def _windows(data: Dataset) -> str:
    """What a patient-year at risk is in this study."""
    windows = data.study.adverse_events.risk_windows
    if not windows or not data.holds("treatments"):
        return "At risk: from time zero to the last contact or the data cut-off; the study declares no risk windows."
    labels = {c.id: c.label for c in data.study.treatments.components}
    told = [f"{labels[w.component]} from its start to {w.days} days after its {w.anchor}" for w in windows]
    return f"At risk: in the risk window of a component given ({'; '.join(told)}; windows that overlap count once), up to the last contact or the data cut-off. Only events with onset in that time count."


@empty_if_absent
@compares_arms
def table_ae_rate_ratios(timed: HarmsInTime) -> Table:
    """Ratios of rates of any and of severe events, by pair of arms."""
    data = timed.dataset
    rows = []
    for output, heading in (("ae_first_rate_ratio", "First events"), ("ae_rate_ratio", "All events")):
        for kind in ("any", "severe"):
            rows.append(Row((f"{heading}: {kind_label(data, kind).lower()}",), "group"))
            for _, row in where(timed[output], variable=kind).iterrows():
                interval = format_interval(row["ci_low"], row["ci_high"], 2)
                ratio = f"{format_number(row['ratio'], 2)} ({interval})"
                rows.append(Row((pair_label(data, row["group"]), ratio, format_p(row["p_value"])), "sub"))
    columns = (
        Column("Pair of arms"),
        Column("Rate ratio", f"{level_text(data)} CI"),
        Column(said_p(), "exact, descriptive"),
    )
    notes = (f"Exact conditional interval and test, {DESCRIPTIVE.format(p=said_p())}",)
    return Table("ae_rate_ratios", "Ratios of rates per person-time", columns, tuple(rows), notes, dash="infinite or not estimable")


@empty_if_absent
def table_ae_first(timed: HarmsInTime) -> Table | Block:
    """Cumulative incidence of the first event at the study's landmarks."""
    data = timed.dataset
    if timed["ae_first"].empty:
        return EMPTY
    groups, rows = groups_of(data), []
    for time, part in timed["ae_first"].groupby("time"):
        rows.append(Row((f"At {format_duration(time, data.study.time.unit)}", *cells(part, groups, _incidence))))
    columns = (Column("First adverse event by"), *arm_columns(data))
    notes = [
        f"{timed['ae_first']['method'].iat[0][0].upper()}{timed['ae_first']['method'].iat[0][1:]}; death competing. Observation ends with the time at risk."
    ]
    if "ae_first_gray" in timed:
        test = timed["ae_first_gray"].iloc[0]
        said = f"{format_p(test['p_value'], symbol=True)}, descriptive" if pd.notna(test["p_value"]) else test["note"]
        notes.append(f"Gray's test of all arms: {said}.")
    notes += notes_of(timed["ae_first"])
    return Table("ae_first", "Risk of a first adverse event", columns, tuple(rows), tuple(notes))


def _incidence(row: pd.Series) -> str:
    if pd.isna(row["n_events"]) and not str(row["note"]).startswith("not estimable"):
        return format_whole(row["n_events"])
    if pd.isna(row["estimate"]):
        return "not estimable"
    return f"{format_percent(row['estimate'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


@empty_if_absent
def table_ae_onset(timed: HarmsInTime) -> Table:
    """Events by where their onset lies."""
    data = timed.dataset
    groups = groups_of(data, overall=True)
    labels = {c.id: c.label for c in data.study.treatments.components} if data.study.treatments else {}
    rows = []
    for name, part in timed["ae_onset"].groupby("variable", sort=False):
        label = ONSETS.get(name) or f"In the window of {labels[name.removeprefix('window ')]}"
        shown = cells(part, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}")
        rows.append(Row((label, *shown), "sub" if name.startswith("window ") else ""))
    units = unit_label(timed["ae_onset"])
    columns = (Column(f"{units.capitalize()} with onset"), *arm_columns(data, overall=True))
    notes = (f"{units.capitalize()}/all {units} of the arm. {_windows(data)}",)
    return Table("ae_onset", "Adverse events by onset", columns, tuple(rows), notes)


@internal_only("listing", "the listing of all adverse events")
@empty_if_absent
def table_ae_listing(timed: HarmsInTime) -> Table:
    """Every event of every patient: for the safety physician, not for sharing."""
    data = timed.dataset
    settings, decimals, rows = data.study.adverse_events, 1, []
    optional = {"related": "Related to", "serious": "Serious", "action": "Action", "outcome": "Outcome"}
    extra = [name for name in optional if name in timed["courses"]]
    for _, event in timed["courses"].iterrows():
        last = "ongoing" if event["ongoing"] else format_number(event["end"], decimals)
        told = [_told(event[name]) for name in extra]
        rows.append(Row((str(event["patient_id"]), data.study.arm(event["arm"]).label, str(event["term"]),
                         settings.short(event["grade"]), format_number(event["start"], decimals), last, *told)))  # fmt: skip
    unit = data.study.time.unit
    columns = (Column("Patient"), Column("Arm", text=True), Column("Term", text=True), Column(settings.scale.capitalize()),
               Column("Onset", unit), Column("End", unit), *[Column(optional[name], text=True) for name in extra])  # fmt: skip
    notes = (f"{settings.dictionary}. Times in {unit} since {data.study.time.zero_label}.",)
    return Table("ae_listing", "All adverse events", columns, tuple(rows), notes)


def _told(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return DASH if pd.isna(value) else str(value)
