"""What a page says about itself: header, agreement with the flow and the publication, methods, self-check, colophon."""

from __future__ import annotations

__all__ = [
    "SYNTHETIC",
    "check_counts",
    "colophon",
    "definitions",
    "estimators",
    "header",
    "in_force",
    "methods",
    "published",
    "query_files",
    "self_check",
    "shared_notice",
]

import hashlib
import html
from typing import Any

import pandas as pd

from lib.analyses.catalogue import Output
from lib.analyses.cohort import flow
from lib.analyses.efficacy import survival
from lib.analyses.outputs import find
from lib.analyses.result import Absent, Analysis
from lib.analyses.robustness.definitions import Definitions, claims_about
from lib.dataset.dataset import Dataset, part_label
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.report import recheck
from lib.report.published import ABSENT, MATCHES, compare_published, find_ranges
from lib.report.references import cite, paragraph
from lib.report.results import to_rows
from lib.show import plain, styles
from lib.show.disclosure.audience import LEFT_OUT, allows, is_part
from lib.show.disclosure.jointly import earlier_of
from lib.show.disclosure.rounding import DIGITS
from lib.show.display import EMPTY, Block, Lacking, Table, template
from lib.show.formats import format_given, format_tiny, format_whole
from lib.show.labels import how_formed, level_text
from lib.show.phrases import format_duration, horizon, joined, plural, unit_name
from lib.show.sentences.robustness import sentence_definitions
from lib.show.tables.design import table_published
from lib.show.tables.robustness import table_definitions
from lib.study import provenance
from lib.study.claims import read_claims
from lib.study.limits import LARGE
from lib.study.parameters import NOTEBOOKS
from lib.study.words import grouped

# What the statistics are computed with; their versions stand in the methods section.
ENGINES = ("numpy", "scipy", "statsmodels", "pandas")
SYNTHETIC = N_(
    "These data are synthetic. They were made to agree with published summaries and describe no real patient; agreement with the publication is "
    "therefore no evidence for its claims.",
)
# Parameters that change how a report is written, and no number.
WRITTEN = {"style", "language"}
BY_CONSTRUCTION = N_("The data are synthetic and were made to agree, so this confirms nothing.")

SHARED = N_(
    "Shared report: counts of 1 to {most} patients, and whatever would give them back, are masked; curves step once for {small} events or more; "
    "quartiles of few patients, listings, data queries by patient, pictures of single patients, smallest and largest values are left out.",
)
SUBTRACTED = N_(" This report shows part of the study: before it is shared beside another report, think what subtracting one from the other tells.")


# What the rooms below put together from texts that each stand alone.
TOGETHER = (N_("counts"), N_("reverse Kaplan-Meier quantile, Brookmeyer-Crowley"))
ALONE = N_(" No report of this study that was shared before is known on this machine; one shared from another could be subtracted from this.")
JOINTLY = N_(" It is masked together with {reports} of this study shared before from this machine; what was shared from another is not known.")


def header(name: str, data: Dataset) -> Block:
    """Title block: study, question, cut-off, arms, parameters in force, open queries, banner."""
    about = data.study.study
    record = {
        "kind": "header",
        "title": about.title,
        "short_title": about.short_title,
        "question": about.question,
        "design": data.study.by_design.description,
        "synthetic": about.synthetic,
        "cutoff": str(data.cutoff or ""),
        "arms": [{"id": a.id, "label": a.label, "colour": a.colour, "n": int(data.n[a.id])} for a in data.arms],
        "parameters": in_force(name, data),
        "queries": {"error": 0, "warning": len(data.queries)},
        "time_unit": data.study.time.unit,
        "endpoints": {endpoint.id: endpoint.label for endpoint in data.study.endpoints},
        "plain": plain.about(data),
        "language": data.language,
    }
    shown = template("header.html").render(
        header=record,
        about=about,
        formed=_formed(data) if len(data.study.arms) > 1 else "",
        banner=_(SYNTHETIC) if about.synthetic else "",
        n=len(data.patients),
        subgroup=part_label(data.study, data.parameters),
        shared=shared_notice(data),
    )
    return Block(
        shown,
        _("{short_title}, data cut-off {value}, n = {n}", short_title=about.short_title, value=data.cutoff or _("not recorded"), n=len(data.patients)),
        record,
    )


def _formed(data: Dataset) -> str:
    """How the arms were formed, and who counts in which, where both are known."""
    design = data.study.by_design
    return how_formed(data.study) + (_(", analysed {arms_as}", arms_as=_(design.arms_as)) if design.allocation and design.analysed else "")


def shared_notice(data: Dataset) -> str:
    """What a shared report leaves out, and that two of them can be subtracted."""
    if allows(data.parameters, "small cells"):
        return ""
    small = data.study.policy.small_cell
    known = [entry for entry in earlier_of(data) if not entry.composed]
    beside = _(JOINTLY, reports=plural(len(known), "report")) if known else _(ALONE)
    return _(SHARED, most=small - 1, small=small) + beside + (_(SUBTRACTED) if is_part(data) else "")


def in_force(name: str, data: Dataset) -> dict[str, Any]:
    """Parameters that differ from their defaults."""
    given = data.parameters.model_dump(mode="json", exclude={"study"})
    defaults = NOTEBOOKS[name]().model_dump(mode="json")
    return {name: value for name, value in given.items() if value != defaults[name]}


def check_counts(data: Dataset, analyses: list[Analysis]) -> Block:
    """Hold the denominators of everything recorded so far against the participant flow.

    Raises
    ------
    lib.analyses.cohort.flow.CountsDifferError
        With the table and both counts.
    """
    compared = flow.check_counts(flow.analyse(data, data.response_visits), analyses)
    agree = _("{compared} of the tables of this report agree with it", compared=plural(compared, 'denominator'))
    text = _("Participant flow: {part}.", part=agree if compared else _("nothing was checked, because no table of this report counts its patients"))
    record = {"kind": "verdict", "id": "counts", "text": text, "ok": True if compared else None}
    return Block(f'<p class="note">{html.escape(text)}</p>', text, record)


def query_files(data: Dataset) -> Block:
    """Where the work list of the data queries lies: beside the pages, unless these are to be shared."""
    if not allows(data.parameters, "patient ids"):
        text = _("The list by patient stays with the data manager; it is no part of a shared report.")
        return Block(f'<p class="note">{text}</p>', text, {})
    files = ("queries.xlsx", "queries.csv")
    links = joined(f'<a href="{name}">{name}</a>' for name in files)
    shown = N_("The same list to work off, sorted by patient, lies in the folder of the report: {files}.")
    return Block(f'<p class="note">{_(shown, files=links)}</p>', _(shown, files=joined(files)), {})


def published(name: str, data: Dataset, results: pd.DataFrame) -> tuple[Analysis, Block | Lacking, Table | Block]:
    """Hold the study's published claims against results: where other ways of counting lead, the verdict, every claim."""
    declared = read_claims(data.study.folder)
    claims = compare_published(declared, results)
    ranges = Analysis(data, "", {"published_range": find_ranges(declared, results)})
    return ranges, _agreement(name, data, claims), table_published(claims)


def _agreement(name: str, data: Dataset, claims: pd.DataFrame) -> Block | Lacking:
    if claims.empty:
        return Lacking(_("This study names no published claims."))
    n = int((claims["verdict"] == MATCHES).sum())
    text = _("{n} of {n2} {en} to the printed precision.", n=n, n2=plural(len(claims), 'published claim'), en='matches' if n == 1 else 'match')
    if set(in_force(name, data)) - WRITTEN:
        text += _(" The publication speaks of the full analysis; this report uses other parameters, so differences are expected.")
    synthetic = data.study.study.synthetic
    said = in_a_row([text, _(SYNTHETIC) if synthetic else ""])
    record = {"kind": "verdict", "id": "published", "text": in_a_row([text, _(BY_CONSTRUCTION) if synthetic else ""]), "ok": _proves(data, claims)}
    return Block(f'<p class="lead">{html.escape(said)}</p>', said, record)


def _proves(data: Dataset, claims: pd.DataFrame) -> bool | None:
    """Whether the claims hold; None where agreement proves nothing: data made to agree, or no claim that could be held against a number."""
    if data.study.study.synthetic or (claims["verdict"] == ABSENT).all():
        return None
    return bool((claims["verdict"] == MATCHES).all())


def definitions(name: str, data: Dataset, found: Definitions | Absent) -> tuple[str, Table | Block]:
    """Which definition of progression the published numbers of an endpoint fit: a sentence and a table.

    Nothing where other patients are analysed than those published, or nothing is claimed.
    """
    if isinstance(found, Absent) or set(in_force(name, data)) & {"cutoff", "arms", "reference", "subgroup", "subgroup_values"}:
        return "", EMPTY
    claims = claims_about(data.study.endpoint(found.variable), read_claims(data.study.folder))
    rows = to_rows(name, found)
    asked = rows["variable"].str.partition(": ")[2]
    rows = rows.assign(output=rows["output"].str.removeprefix("definition_"), variable=found.variable)
    fits = {definition: compare_published(claims, rows[asked == definition]) for definition in dict.fromkeys(asked)}
    fitting = {definition: int((verdicts["verdict"] == MATCHES).sum()) for definition, verdicts in fits.items()}
    caveat = _(BY_CONSTRUCTION) if data.study.study.synthetic else ""
    return in_a_row([sentence_definitions(found, fitting, len(claims)), caveat]), table_definitions(found, fits)


def self_check(data: Dataset, recorded: list[tuple[Analysis, pd.DataFrame]]) -> Block:
    """Compute the numbers of this report a second time, by other engines and definitions; a difference stops it.

    Raises
    ------
    lib.statistics.second_engine.survival.DisagreementError
        With the number and both values.
    """
    checked = recheck.check(data, recorded)
    text = _said_of(checked)
    record = {"kind": "verdict", "id": "self_check", "text": text, "ok": True if len(checked.compared) else None}
    return Block(f'<p class="note">{html.escape(text)}</p>', text, record)


def _by_method(analyses: list[Analysis]) -> dict[str, list[Output]]:
    """What each estimator and test gave, in the order of the page."""
    rows = [
        (find(output, analysis.variable), method)
        for analysis in analyses
        for output, frame in analysis.frames.items()
        if "method" in frame
        for method in dict.fromkeys(frame["method"].dropna())
        if method != LEFT_OUT
    ]
    by_method: dict[str, list[Output]] = {}
    for output, method in rows:
        by_method.setdefault(str(method), []).append(output)
    return by_method


def methods(data: Dataset, analyses: list[Analysis]) -> Block:
    """How this report was computed, as a paragraph to paste into a paper."""
    versions = provenance.package_versions()
    said = paragraph({method: [o.source for o in own] for method, own in _by_method(analyses).items()})
    tested = any("p_value" in frame for analysis in analyses for frame in analysis.frames.values())
    ends = _("Confidence intervals are at {level}{part}.", level=level_text(data), part=_("; tests are two-sided") if tested else '')
    shown = template("methods.html").render(
        paragraph=in_a_row([_analysed(data), *said, ends]) if said else "",
        said=[
            _measured_in(data),
            _("Restricted means end at (tau): {horizons}.", horizons=_("; ").join(horizons)) if (horizons := _horizons(data, analyses)) else "",
            _("Computed with {engines}.", engines=_(", ").join(f"{name} {versions[name]}" for name in ENGINES)),
            _("Numbers are written {style}.", style=_style(data)),
        ],
    )
    return Block(shown, in_a_row(said), {"kind": "text", "title": _("Methods")})


def estimators(analyses: list[Analysis]) -> Block:
    """Every estimator and test that this report ran, each once, in the order of the page, with its source."""
    methods = {worded(m): (sorted({o.name for o in own}), cite(m, [o.source for o in own])) for m, own in _by_method(analyses).items()}
    if not methods:
        return EMPTY
    return Block(template("estimators.html").render(methods=methods), "; ".join(methods), {"kind": "text", "title": _("Estimators and tests, with their sources")})


def _measured_in(data: Dataset) -> str:
    """From when time is counted, and in which unit."""
    time, days = data.study.time, format_given(data.study.time.days_per_unit)
    if time.days_per_unit == 1:
        return _("Time is measured from {zero} and shown in {unit}.", zero=time.zero_label, unit=unit_name(time.unit))
    return _("Time is measured from {zero} and shown in {unit} of {days} days.", zero=time.zero_label, unit=unit_name(time.unit), days=days)


def _style(data: Dataset) -> str:
    """How numbers are written, and that nothing else follows from it."""
    if data.style == "plain":
        return _("in the plain style")
    return _("in the style of the {STYLES} (style={style}); results.csv holds them unrounded", STYLES=styles.STYLES[data.style].name, style=data.style)


def _analysed(data: Dataset) -> str:
    """Who counts in which arm, as the first sentence of a methods paragraph; "" where there is one arm or nobody says."""
    design = data.study.by_design
    return _("Patients were analysed {arms_as}.", arms_as=_(design.arms_as)) if len(data.arms) > 1 and design.allocation and design.analysed else ""


def _horizons(data: Dataset, analyses: list[Analysis]) -> list[str]:
    """Endpoint and tau of every restricted mean that was computed."""
    found = {a.variable: a["rmst"]["tau"].max() for a in analyses if "rmst" in a and a["rmst"]["tau"].notna().any()}
    unit = data.study.time.unit
    return [f"{data.study.endpoint(name).short} {format_duration(horizon(tau), unit)}" for name, tau in found.items()]


def colophon(data: Dataset, results: pd.DataFrame) -> Block:
    """Recorded results, versions, commit and fingerprints of the inputs."""
    text = results.to_csv(index=False, lineterminator="\n")
    shown = template("colophon.html").render(
        n=format_whole(len(results)),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        data=provenance.data_prints(data.study, by_file=allows(data.parameters, "places")),
        digits="" if allows(data.parameters, "small cells") else DIGITS,
        versions=provenance.package_versions(),
        commit=provenance.code_commit(),
    )
    return Block(shown, _("{n} statistics recorded", n=format_whole(len(results))), {"kind": "results", "title": _("Versions and fingerprints"), "csv": text})


def _said_of(checked: recheck.Checked) -> str:
    """What was computed a second time, of what kind and by whom, and what was not."""
    compared, left = checked.compared, checked.left[checked.left > 0]
    alone = joined([_numbers_of(kind, number) for kind, number in left.items()])
    if compared.empty:
        return _("Self-check: nothing was checked. {part}", part=_("Not computed a second time: {alone}.", alone=alone) if alone else _("This report holds no number."))
    kinds = joined([_numbers_of(kind, number) for kind, number in compared["kind"].value_counts(sort=False).items()])
    sample = _(" Times to an event were compared on a random sample of {n} patients, because there are more than {limit} patients.", n=format_whole(survival.SAMPLE), limit=grouped(LARGE))
    return (
        _(
            "Self-check: {n} of {value} numbers of this report were computed a second time and agree: {kinds}; by {listed}. The largest relative "
            "difference is {tiny}.{part}{part2}",
            n=format_whole(len(compared)), value=format_whole(len(compared) + left.sum()), kinds=kinds, listed=joined(map(worded, dict.fromkeys(compared['engine']))), tiny=format_tiny(compared['difference'].max()), part=sample if checked.sampled else "", part2=_(" Not computed a second time: {alone}.", alone=alone) if alone else '',
        )
    )


def _numbers_of(kind: str, number: int) -> str:
    return _("{label} ({note})", label=worded(kind), note=format_whole(number))
