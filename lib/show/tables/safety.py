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
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, compares_arms, empty_if_absent, internal_only
from lib.show.formats import (
    DASH,
    capitalised,
    exactness,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    said_p,
)
from lib.show.labels import groups_of, level_text, needed_to_treat, pair_label, share, unit_label
from lib.show.phrases import format_duration, unit_name
from lib.show.tables.parts import arm_columns, cells, format_difference, format_share, notes_of

DESCRIPTIVE = N_("descriptive, not adjusted. A large {p} is not evidence of equal risk at these sizes.")
# Harms to choose between; what one component alone can cause, or a drug alone lead to, is none, and deaths have their time.
NEEDED = ("any", "severe", "serious")
NEEDED_FOR_HARM = N_(
    "NNTH 6: of 6 patients treated with the arm named first instead of the arm named second, one more has such an event (number needed to harm); "
    "NNTB: one fewer (to benefit). Whole patients, rounded up. A {level} CI that holds 0 points leads through infinity: NNTH 6 (NNTH 3 to ∞ to "
    "NNTB 20) reaches from one more of 3 over none at all to one fewer of 20.",
)
ONSETS = {"any window": N_("In the risk window of a component given"), "outside": N_("In no risk window"), "before time zero": N_("Before time zero")}
# Words of the listing as the table has them; `{en}` is nothing, and keeps apart what other languages call by another name elsewhere.
CODES = {
    "related": {"drug": N_("drug"), "procedure": N_("procedure"), "both": N_("both{en}"), "no": N_("no{en}")},
    "action": {"none": N_("none"), "reduced": N_("reduced"), "interrupted": N_("interrupted"), "stopped": N_("stopped")},
    "outcome": {one: one for one in (N_("recovered"), N_("recovering"), N_("not recovered"), N_("sequelae"), N_("fatal"), N_("unknown"))},
}  # fmt: skip


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
    columns = [Column(_("{units} with at least one event", units=units)), *arm_columns(data, overall=True)]
    notes = [_("{units} (% of all {entered}; exact Clopper-Pearson {level} CI in %).", units=units, entered=_(data.study.by_design.entered), level=level_text(data))]
    if tested:
        columns.append(Column(said_p(), _("{exactness}, descriptive", exactness=exactness(safety['ae_overview_test']['mc_error']))))
        notes.append(_("{p}: Fisher-Freeman-Halton over the arms, {format}", p=said_p(), format=_(DESCRIPTIVE, p=said_p())))
    return Table("ae_overview", _("Adverse events: overview"), tuple(columns), tuple(rows), tuple(notes))


@empty_if_absent
@compares_arms
def table_ae_differences(safety: Harms) -> Table:
    """Risk difference of each kind of event against the reference arm."""
    data = safety.dataset
    differences = safety["ae_overview_difference"]
    pairs = _against_reference(data, differences)
    shown = [show for __ in pairs for show in (format_difference, _needed)]
    doubled = [pair for pair in pairs for __ in range(2)]
    rows = []
    for kind in differences["variable"].unique():
        by_pair = where(differences, variable=kind).set_index("group")
        rows.append(Row((kind_label(data, kind), *[show(by_pair.loc[pair]) for pair, show in zip(doubled, shown, strict=True)])))
    units, level = unit_label(differences).capitalize(), level_text(data)
    columns = [Column(_("{units} with at least one event", units=units))]
    for pair in pairs:
        columns += [Column(pair_label(data, pair), _("points (CI)")), Column("", _("number needed (CI)"))]
    notes = (
        _(
            "Difference of the shares in percentage points, first arm minus second, with the Miettinen-Nurminen {level} CI; above 0: more often in the "
            "arm named first.",
            level=level,
        ),
        _(NEEDED_FOR_HARM, level=level),
    )
    return Table("ae_differences", _("Adverse events: risk differences"), tuple(columns), tuple(rows), notes)


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
        label = _("{system}: any event", system=settings.called(system))
        rows.append(Row((label, *_any_and_severe(safety, "ae_system", system, groups))))
        for term in sorted(systems[system], key=_by_frequency(safety["ae_term"])):
            rows.append(Row((settings.called(term), *_any_and_severe(safety, "ae_term", term, groups)), "sub"))
    columns = [Column(_("System and term"))]
    for arm in arm_columns(data):
        columns += [Column(arm.label, _("{detail}; any {scale}", detail=arm.detail, scale=_(settings.scale)), arm.colour), Column("", settings.severe_words)]
    fewer = _(" Terms seen in fewer than {threshold_percent}% of every arm are left out; the rows of systems count them.", threshold_percent=format_given(threshold_percent))
    limit = fewer if threshold_percent else ""
    notes = (
        _(
            "{dictionary}. {unit_label} (% of all {entered}), each counted once per row with the worst {scale}; a system counts its patients, not the "
            "sum of its terms.{limit}",
            dictionary=settings.dictionary, unit_label=unit_label(safety['ae_term']).capitalize(), entered=_(data.study.by_design.entered), scale=_(settings.scale), limit=limit,
        ),
    )
    return Table("ae_terms", _("Adverse events by system and term"), tuple(columns), tuple(rows), notes)


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
    rows = [Row((_("Any event"), *cells(any_event, groups, share)))]
    for grade in settings.ranks:
        part, label = where(grades, term=ANY, grade=grade), settings.words(grade)
        shown = cells(part, groups, share)
        rows.append(Row((f"{label[:1].upper()}{label[1:]}", *shown), "sub"))
    columns = (Column(_("Worst {scale}", scale=_(settings.scale))), *arm_columns(data))
    return Table("ae_grades", _("{unit_label} by worst {scale} of any event", unit_label=unit_label(grades).capitalize(), scale=_(settings.scale)), columns, tuple(rows))


@empty_if_absent
def table_ae_attribution(safety: Harms) -> Table | Block:
    """Patients and events by what they were attributed to."""
    data = safety.dataset
    if "ae_attribution" not in safety:
        return EMPTY
    groups, severe, rows = groups_of(data, overall=True), data.study.adverse_events.severe_words, []
    for name, label in ATTRIBUTIONS.items():
        if name in set(safety["ae_attribution"]["variable"]):
            patients, worst, events = (where(safety[f"ae_attribution{end}"], variable=name) for end in ("", "_severe", "_events"))
            rows += [
                Row((label,), "group"),
                Row((unit_label(patients).capitalize(), *cells(patients, groups, _risk)), "sub"),
                Row((_("{units}, {severe}", units=unit_label(worst).capitalize(), severe=severe), *cells(worst, groups, lambda r: format_whole(r["count"]))), "sub"),
                Row((unit_label(events).capitalize(), *cells(events, groups, lambda r: _("{events} of {n}", events=format_whole(r["count"]), n=format_whole(r["n"])))), "sub"),
            ]  # fmt: skip
    columns = (Column(_("As the investigator attributed it")), *arm_columns(data, overall=True))
    notes = (
        _(
            "Patients with at least one such event (% of all {entered}; exact {level} CI in %); a patient can be in several blocks, an event in one. An "
            "arm without a component has no event that is related to it.",
            entered=_(data.study.by_design.entered), level=level_text(data),
        ),
    )
    return Table("ae_attribution", _("Adverse events by attribution"), columns, tuple(rows), notes)


@empty_if_absent
def table_ae_rates(timed: HarmsInTime) -> Table:
    """Events and first events per 100 patient-years at risk."""
    data = timed.dataset
    groups, rows = groups_of(data), []
    years = where(timed["ae_rate"], variable="any")
    rows.append(Row((_("Patient-years at risk"), *cells(years, groups, lambda r: format_number(r["person_time"], 1)))))
    for output, heading in (("ae_rate", N_("{units}; per 100 patient-years")), ("ae_first_rate", N_("{units} with a first event/patient-years until then; per 100"))):
        rows.append(Row((_(heading, units=unit_label(timed[output]).capitalize()),), "group"))
        for name, part in timed[output].groupby("variable", sort=False):
            shown = cells(part, groups, lambda r, first=output == "ae_first_rate": _rate(r, first))
            rows.append(Row((data.study.adverse_events.called(kind_label(data, name)), *shown), "sub"))
    columns = (Column(_("Kind or term")), *arm_columns(data))
    notes = (
        _(
            "{windows} Exact Poisson {level} CI. Several events of one patient are not independent, so the intervals of events are too narrow; those of "
            "first events are not.",
            windows=_windows(data), level=level_text(data),
        ),
        _("A long time at risk after early events makes a rate low: compare risks and first events before rates."),
    )
    return Table("ae_rates", _("Adverse events per 100 patient-years at risk"), columns, tuple(rows), notes)


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
        return _("At risk: from time zero to the last contact or the data cut-off; the study declares no risk windows.")
    labels = {c.id: c.label for c in data.study.treatments.components}
    ends = {"start": N_("{labels} from its start to {days} days after its start"), "end": N_("{labels} from its start to {days} days after its end")}
    told = [_(ends[w.anchor], labels=labels[w.component], days=w.days) for w in windows]
    return _(
        "At risk: in the risk window of a component given ({join}; windows that overlap count once), up to the last contact or the data cut-off. "
        "Only events with onset in that time count.",
        join=_("; ").join(told),
    )


@empty_if_absent
@compares_arms
def table_ae_rate_ratios(timed: HarmsInTime) -> Table:
    """Ratios of rates of any and of severe events, by pair of arms."""
    data = timed.dataset
    rows = []
    for output, heading in (("ae_first_rate_ratio", _("First events")), ("ae_rate_ratio", _("All events"))):
        for kind in ("any", "severe"):
            rows.append(Row((_("{heading}: {kind}", heading=heading, kind=worded(kind_label(data, kind)).lower()),), "group"))
            for __, row in where(timed[output], variable=kind).iterrows():
                interval = format_interval(row["ci_low"], row["ci_high"], 2)
                ratio = f"{format_number(row['ratio'], 2)} ({interval})"
                rows.append(Row((pair_label(data, row["group"]), ratio, format_p(row["p_value"])), "sub"))
    columns = (
        Column(_("Pair of arms")),
        Column(_("Rate ratio"), f"{level_text(data)} CI"),
        Column(said_p(), _("exact, descriptive")),
    )
    notes = (_("Exact conditional interval and test, {format}", format=_(DESCRIPTIVE, p=said_p())),)
    return Table("ae_rate_ratios", _("Ratios of rates per person-time"), columns, tuple(rows), notes, dash=_("infinite or not estimable"))


@empty_if_absent
def table_ae_first(timed: HarmsInTime) -> Table | Block:
    """Cumulative incidence of the first event at the study's landmarks."""
    data = timed.dataset
    if timed["ae_first"].empty:
        return EMPTY
    groups, rows = groups_of(data), []
    for time, part in timed["ae_first"].groupby("time"):
        rows.append(Row((_("At {duration}", duration=format_duration(time, data.study.time.unit)), *cells(part, groups, _incidence))))
    columns = (Column(_("First adverse event by")), *arm_columns(data))
    notes = [
        _("{method}; death competing. Observation ends with the time at risk.", method=capitalised(worded(timed["ae_first"]["method"].iat[0])))
    ]
    if "ae_first_gray" in timed:
        test = timed["ae_first_gray"].iloc[0]
        said = _("{p}, descriptive", p=format_p(test['p_value'], symbol=True)) if pd.notna(test["p_value"]) else worded(test["note"])
        notes.append(_("Gray's test of all arms: {said}.", said=said))
    notes += notes_of(timed["ae_first"])
    return Table("ae_first", _("Risk of a first adverse event"), columns, tuple(rows), tuple(notes))


def _incidence(row: pd.Series) -> str:
    if pd.isna(row["n_events"]) and not str(row["note"]).startswith("not estimable"):
        return format_whole(row["n_events"])
    if pd.isna(row["estimate"]):
        return _("not estimable")
    return f"{format_percent(row['estimate'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


@empty_if_absent
def table_ae_onset(timed: HarmsInTime) -> Table:
    """Events by where their onset lies."""
    data = timed.dataset
    groups = groups_of(data, overall=True)
    labels = {c.id: c.label for c in data.study.treatments.components} if data.study.treatments else {}
    rows = []
    for name, part in timed["ae_onset"].groupby("variable", sort=False):
        label = _(ONSETS[name]) if name in ONSETS else _("In the window of {labels}", labels=labels[name.removeprefix('window ')])
        shown = cells(part, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}")
        rows.append(Row((label, *shown), "sub" if name.startswith("window ") else ""))
    units = unit_label(timed["ae_onset"])
    columns = (Column(_("{units} with onset", units=units.capitalize())), *arm_columns(data, overall=True))
    notes = (_("{units}/all {units2} of the arm. {windows}", units=units.capitalize(), units2=units, windows=_windows(data)),)
    return Table("ae_onset", _("Adverse events by onset"), columns, tuple(rows), notes)


@internal_only("listing", "the listing of all adverse events")
@empty_if_absent
def table_ae_listing(timed: HarmsInTime) -> Table:
    """Every event of every patient: for the safety physician, not for sharing."""
    data = timed.dataset
    settings, decimals, rows = data.study.adverse_events, 1, []
    optional = {"related": _("Related to"), "serious": _("Serious"), "action": _("Action"), "outcome": _("Outcome")}
    extra = [name for name in optional if name in timed["courses"]]
    for __, event in timed["courses"].iterrows():
        last = _("ongoing") if event["ongoing"] else format_number(event["end"], decimals)
        told = [_told(event[name], CODES.get(name, {})) for name in extra]
        rows.append(Row((str(event["patient_id"]), data.study.arm(event["arm"]).label, settings.called(str(event["term"])),
                         settings.short(event["grade"]), format_number(event["start"], decimals), last, *told)))  # fmt: skip
    unit = data.study.time.unit
    columns = (Column(_("Patient")), Column(_("Arm"), text=True), Column(_("Term"), text=True), Column(_(settings.scale).capitalize()),
               Column(_("Onset"), unit), Column(_("End"), unit), *[Column(optional[name], text=True) for name in extra])  # fmt: skip
    notes = (_("{dictionary}. Times in {unit} since {zero_label}.", dictionary=settings.dictionary, unit=unit_name(unit), zero_label=data.study.time.zero_label),)
    return Table("ae_listing", _("All adverse events"), columns, tuple(rows), notes)


def _told(value, codes: dict[str, str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    said = str(value)
    return DASH if pd.isna(value) else _(codes[said], en="") if said in codes else said
