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
from lib.report import recheck
from lib.report.published import ABSENT, MATCHES, compare_published, find_ranges
from lib.report.references import cite, paragraph
from lib.report.results import to_rows
from lib.show import plain, styles
from lib.show.disclosure.audience import LEFT_OUT, allows, is_part
from lib.show.disclosure.jointly import earlier_of
from lib.show.disclosure.rounding import DIGITS
from lib.show.display import EMPTY, Block, Lacking, Table, template
from lib.show.formats import format_duration, format_given, format_tiny, format_whole, joined, plural
from lib.show.labels import how_formed, level_text
from lib.show.sentences.robustness import sentence_definitions
from lib.show.tables.design import table_published
from lib.show.tables.robustness import table_definitions
from lib.study import provenance
from lib.study.claims import read_claims
from lib.study.limits import because_large
from lib.study.parameters import NOTEBOOKS

# What the statistics are computed with; their versions stand in the methods section.
ENGINES = ("numpy", "scipy", "statsmodels", "pandas")
SYNTHETIC = "These data are synthetic. They were made to agree with published summaries and describe no real patient; agreement with the publication is therefore no evidence for its claims."
BY_CONSTRUCTION = "The data are synthetic and were made to agree, so this confirms nothing."

SHARED = "Shared report: counts of 1 to {0} patients, and whatever would give them back, are masked; curves step once for {1} events or more; quartiles of few patients, listings, data queries by patient, pictures of single patients, smallest and largest values are left out."
SUBTRACTED = " This report shows part of the study: before it is shared beside another report, think what subtracting one from the other tells."


ALONE = " No report of this study that was shared before is known on this machine; one shared from another could be subtracted from this."
JOINTLY = " It is masked together with {} of this study shared before from this machine; what was shared from another is not known."


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
    }
    shown = template("header.html").render(
        header=record,
        about=about,
        formed=_formed(data) if len(data.study.arms) > 1 else "",
        banner=SYNTHETIC if about.synthetic else "",
        n=len(data.patients),
        subgroup=part_label(data.study, data.parameters),
        shared=shared_notice(data),
    )
    return Block(
        shown,
        f"{about.short_title}, data cut-off {data.cutoff or 'not recorded'}, n = {len(data.patients)}",
        record,
    )


def _formed(data: Dataset) -> str:
    """How the arms were formed, and who counts in which, where both are known."""
    design = data.study.by_design
    return how_formed(data.study) + (f", analysed {design.arms_as}" if design.allocation and design.analysed else "")


def shared_notice(data: Dataset) -> str:
    """What a shared report leaves out, and that two of them can be subtracted."""
    if allows(data.parameters, "small cells"):
        return ""
    small = data.study.policy.small_cell
    known = [entry for entry in earlier_of(data) if not entry.composed]
    beside = JOINTLY.format(plural(len(known), "report")) if known else ALONE
    return SHARED.format(small - 1, small) + beside + (SUBTRACTED if is_part(data) else "")


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
    agree = f"{plural(compared, 'denominator')} of the tables of this report agree with it"
    text = f"Participant flow: {agree if compared else 'nothing was checked, because no table of this report counts its patients'}."
    record = {"kind": "verdict", "id": "counts", "text": text, "ok": True if compared else None}
    return Block(f'<p class="note">{html.escape(text)}</p>', text, record)


def query_files(data: Dataset) -> Block:
    """Where the work list of the data queries lies: beside the pages, unless these are to be shared."""
    if not allows(data.parameters, "patient ids"):
        text = "The list by patient stays with the data manager; it is no part of a shared report."
        return Block(f'<p class="note">{text}</p>', text, {})
    files = ("queries.xlsx", "queries.csv")
    links = " and ".join(f'<a href="{name}">{name}</a>' for name in files)
    shown = "The same list to work off, sorted by patient, lies in the folder of the report: {}."
    return Block(f'<p class="note">{shown.format(links)}</p>', shown.format(" and ".join(files)), {})


def published(name: str, data: Dataset, results: pd.DataFrame) -> tuple[Analysis, Block | Lacking, Table | Block]:
    """Hold the study's published claims against results: where other ways of counting lead, the verdict, every claim."""
    declared = read_claims(data.study.folder)
    claims = compare_published(declared, results)
    ranges = Analysis(data, "", {"published_range": find_ranges(declared, results)})
    return ranges, _agreement(name, data, claims), table_published(claims)


def _agreement(name: str, data: Dataset, claims: pd.DataFrame) -> Block | Lacking:
    if claims.empty:
        return Lacking("This study names no published claims.")
    n = int((claims["verdict"] == MATCHES).sum())
    text = f"{n} of {plural(len(claims), 'published claim')} {'matches' if n == 1 else 'match'} to the printed precision."
    if in_force(name, data):
        text += " The publication speaks of the full analysis; this report uses other parameters, so differences are expected."
    caveat = f" {SYNTHETIC}" if data.study.study.synthetic else ""
    record = {"kind": "verdict", "id": "published", "text": text + (f" {BY_CONSTRUCTION}" if caveat else ""), "ok": _proves(data, claims)}
    return Block(f'<p class="lead">{html.escape(text + caveat)}</p>', text + caveat, record)


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
    caveat = f" {BY_CONSTRUCTION}" if data.study.study.synthetic else ""
    return sentence_definitions(found, fitting, len(claims)) + caveat, table_definitions(found, fits)


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
    told = paragraph({method: [o.source for o in own] for method, own in _by_method(analyses).items()})
    tested = any("p_value" in frame for analysis in analyses for frame in analysis.frames.values())
    ends = f"Confidence intervals are at {level_text(data)}{'; tests are two-sided' if tested else ''}."
    shown = template("methods.html").render(
        paragraph=" ".join(filter(None, [_analysed(data), *told, ends])) if told else "",
        time=data.study.time,
        days=format_given(data.study.time.days_per_unit),
        style=_style(data),
        horizons=_horizons(data, analyses),
        engines=[f"{name} {versions[name]}" for name in ENGINES],
    )
    return Block(shown, " ".join(told), {"kind": "text", "title": "Methods"})


def estimators(analyses: list[Analysis]) -> Block:
    """Every estimator and test that this report ran, each once, in the order of the page, with its source."""
    told = {m: (sorted({o.name for o in own}), cite(m, [o.source for o in own])) for m, own in _by_method(analyses).items()}
    if not told:
        return EMPTY
    return Block(template("estimators.html").render(methods=told), "; ".join(told), {"kind": "text", "title": "Estimators and tests, with their sources"})


def _style(data: Dataset) -> str:
    """How numbers are written, and that nothing else follows from it."""
    if data.style == "plain":
        return "in the plain style"
    return f"in the style of the {styles.STYLES[data.style].name} (style={data.style}); results.csv holds them unrounded"


def _analysed(data: Dataset) -> str:
    """Who counts in which arm, as the first sentence of a methods paragraph; "" where there is one arm or nobody says."""
    design = data.study.by_design
    return f"Patients were analysed {design.arms_as}." if len(data.arms) > 1 and design.allocation and design.analysed else ""


def _horizons(data: Dataset, analyses: list[Analysis]) -> list[str]:
    """Endpoint and tau of every restricted mean that was computed."""
    found = {a.variable: a["rmst"]["tau"].max() for a in analyses if "rmst" in a and a["rmst"]["tau"].notna().any()}
    unit = data.study.time.unit
    return [f"{data.study.endpoint(name).short} {format_duration(tau, unit)}" for name, tau in found.items()]


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
    return Block(shown, f"{format_whole(len(results))} statistics recorded", {"kind": "results", "title": "Versions and fingerprints", "csv": text})


def _said_of(checked: recheck.Checked) -> str:
    """What was computed a second time, of what kind and by whom, and what was not."""
    compared, left = checked.compared, checked.left[checked.left > 0]
    alone = joined([f"{kind} ({format_whole(number)})" for kind, number in left.items()])
    if compared.empty:
        return f"Self-check: nothing was checked. {f'Not computed a second time: {alone}.' if alone else 'This report holds no number.'}"
    kinds = joined([f"{kind} ({format_whole(number)})" for kind, number in compared["kind"].value_counts(sort=False).items()])
    sample = because_large(f" Times to an event were compared on a random sample of {format_whole(survival.SAMPLE)} patients")
    return (
        f"Self-check: {format_whole(len(compared))} of {format_whole(len(compared) + left.sum())} numbers of this report were computed a second time and agree: "
        f"{kinds}; by {joined(list(dict.fromkeys(compared['engine'])))}. The largest relative difference is {format_tiny(compared['difference'].max())}."
        f"{f'{sample}.' if checked.sampled else ''}{f' Not computed a second time: {alone}.' if alone else ''}"
    )
