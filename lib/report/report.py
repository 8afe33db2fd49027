"""What a notebook says about itself: header, recorded results, key results, methods, colophon."""

from __future__ import annotations

__all__ = ["SYNTHETIC", "Report", "start"]

import hashlib
import html
from dataclasses import replace

import pandas as pd
from IPython.display import display

from lib.analyses.cohort import flow
from lib.analyses.efficacy import survival
from lib.analyses.result import Absent, Analysis
from lib.dataset.dataset import Dataset, load, subgroup_label
from lib.report import recheck
from lib.report.published import MATCHES, compare_published, find_ranges
from lib.report.references import cite
from lib.report.results import COLUMNS, to_rows
from lib.show.disclosure.audience import allows, is_part, mask_analysis, restrict
from lib.show.display import Block, Table, template
from lib.show.formats import joined, plural
from lib.show.labels import how_formed, name_arms
from lib.study import provenance
from lib.study.claims import read_claims
from lib.study.clinic import Marker
from lib.study.given import given
from lib.study.limits import because_large
from lib.study.parameters import NOTEBOOKS
from lib.study.parts import Endpoint

# What the statistics are computed with; their versions stand in the methods section.
ENGINES = ("numpy", "scipy", "statsmodels", "pandas")
SYNTHETIC = "These data are synthetic. They were made to agree with published summaries and describe no real patient; agreement with the publication is therefore no evidence for its claims."

SHARED = "Shared report: counts of 1 to {0} patients, and whatever would give them back, are masked; curves step once for {1} events or more; quartiles of few patients, listings, data queries by patient, pictures of single patients, smallest and largest values are left out."
SUBTRACTED = " This report shows part of the study: before it is shared beside another report, think what subtracting one from the other tells."


def start(notebook: str, names: dict) -> Report:
    """Read and check everything a notebook needs; a wrong parameter or table fails here, before the first figure.

    Parameters
    ----------
    notebook : str
        cohort, efficacy or safety.
    names : dict
        The notebook's `globals()`, where its parameters stand.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        Also for a parameter that the notebook does not know.
    """
    return Report(notebook, restrict(load(notebook, **given(names, NOTEBOOKS[notebook].model_fields))))


class Report:
    """One report while it is being made.

    Attributes
    ----------
    name : str
        cohort, efficacy or safety.
    data : Dataset
    """

    def __init__(self, name: str, data: Dataset):
        self.name, self.data = name, data
        self._rows: list[pd.DataFrame] = []
        self._analyses: list[Analysis] = []
        self._recorded: list[pd.DataFrame] = []
        self._shown: list[Analysis] = []

    def record(self, analysis: Analysis | Absent) -> Analysis | Absent:
        """Keep every statistic of `analysis` for results.csv, and give it back as the audience may see it."""
        if isinstance(analysis, Absent):
            return analysis
        analysis = name_arms(self.data, analysis)
        rows = to_rows(self.name, analysis)
        self._analyses.append(analysis)
        self._recorded.append(rows)
        if not allows(self.data.parameters, "small cells"):
            analysis, full = mask_analysis(self.data, analysis), analysis
            rows = self._not_masked(full, analysis)
        self._rows.append(rows)
        self._shown.append(analysis)
        return analysis

    def _not_masked(self, full: Analysis, masked: Analysis | Absent) -> pd.DataFrame:
        """Rows of results.csv as masking left them; what never existed stays missing."""
        if isinstance(masked, Absent):
            return pd.DataFrame(columns=COLUMNS)
        rows = to_rows(self.name, masked)
        before = to_rows(self.name, replace(full, frames={name: full[name] for name in masked.frames}))["value"]
        return rows[before.isna() | rows["value"].notna()]

    def unmasked(self, shown: Analysis | Absent) -> Analysis | Absent:
        """The analysis behind what `record` gave back: for assertions, never to be shown."""
        hits = (full for full, given in zip(self._analyses, self._shown, strict=True) if given is shown)
        return next(hits, shown)

    @property
    def results(self) -> pd.DataFrame:
        """Everything recorded so far, as rows of results.csv."""
        rows = [frame for frame in self._rows if len(frame)]
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)

    def header(self) -> Block:
        """Title block: study, question, cut-off, arms, parameters in force, open queries, banner."""
        data, about = self.data, self.data.study.study
        record = {
            "kind": "header",
            "title": about.title,
            "short_title": about.short_title,
            "question": about.question,
            "design": about.design,
            "synthetic": about.synthetic,
            "cutoff": str(data.cutoff or ""),
            "arms": [{"id": a.id, "label": a.label, "colour": a.colour, "n": int(data.n[a.id])} for a in data.arms],
            "parameters": self._in_force(),
            "queries": {"error": 0, "warning": len(data.queries)},
            "time_unit": data.study.time.unit,
            "endpoints": {endpoint.id: endpoint.label for endpoint in data.study.endpoints},
        }
        shown = template("header.html").render(
            header=record,
            about=about,
            formed=how_formed(data.study) if len(data.study.arms) > 1 else "",
            banner=SYNTHETIC if about.synthetic else "",
            n=len(data.patients),
            subgroup=subgroup_label(data.study, data.parameters),
            shared=self.shared_notice(),
        )
        return Block(
            shown,
            f"{about.short_title}, data cut-off {data.cutoff or 'not recorded'}, n = {len(data.patients)}",
            record,
        )

    def shared_notice(self) -> str:
        """What a shared report leaves out, and that two of them can be subtracted."""
        if allows(self.data.parameters, "small cells"):
            return ""
        small = self.data.study.policy.small_cell
        return SHARED.format(small - 1, small) + (SUBTRACTED if is_part(self.data) else "")

    def _in_force(self) -> dict:
        """Parameters that differ from their defaults."""
        given = self.data.parameters.model_dump(mode="json", exclude={"study"})
        defaults = NOTEBOOKS[self.name]().model_dump(mode="json")
        return {name: value for name, value in given.items() if value != defaults[name]}

    def key_results(self, *sentences: str) -> Block:
        """The box on top of the page; the index shows the same sentences."""
        said = list(dict.fromkeys(sentence for sentence in sentences if sentence))
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in said)
        return Block(
            f'<div class="keyresults"><h2>Key results</h2><ul>{items}</ul></div>',
            "\n".join(said),
            {"kind": "key_results", "sentences": said},
        )

    def say(self, *sentences: str, kind: str = "lead") -> Block:
        """Sentences made from results, as a paragraph; `kind` is `lead` or `note`."""
        text = " ".join(dict.fromkeys(sentence for sentence in sentences if sentence))
        return Block(f'<p class="{kind}">{html.escape(text)}</p>' if text else "", text, {})

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that is shown first: the parameter's, or the primary one; None in a study that declares none."""
        chosen = getattr(self.data.parameters, "endpoint", "")
        return self.data.study.endpoint(chosen) if chosen else self.data.study.primary

    @property
    def other_endpoints(self) -> list[Endpoint]:
        """All endpoints but the first, in study order."""
        return [endpoint for endpoint in self.data.study.endpoints if endpoint != self.endpoint]

    @property
    def sensitivity(self) -> set[str]:
        """Ids of the endpoints that are there for sensitivity alone."""
        return {endpoint.id for endpoint in self.data.study.endpoints if endpoint.role == "sensitivity"}

    @property
    def markers(self) -> list[Marker]:
        """Markers that are outcomes, not checks of quality."""
        return [marker for marker in self.data.study.markers if marker.role == "endpoint"]

    @property
    def response_visits(self) -> tuple[float, ...]:
        """Visits of the response tables: the parameter's, or the study's."""
        rule = self.data.study.response
        return getattr(self.data.parameters, "response_visits", ()) or (rule.visits if rule else ())

    def check_counts(self) -> Block:
        """Hold the denominators of everything recorded so far against the participant flow.

        Raises
        ------
        lib.analyses.cohort.flow.CountsDifferError
            With the table and both counts.
        """
        compared = flow.check_counts(flow.analyse(self.data, self.response_visits), self._analyses)
        agree = f"{plural(compared, 'denominator')} of the tables of this report agree with it"
        text = f"Participant flow: {agree if compared else 'nothing was checked, because no table of this report counts its patients'}."
        record = {"kind": "verdict", "id": "counts", "text": text, "ok": True if compared else None}
        return Block(f'<p class="note">{html.escape(text)}</p>', text, record)

    def lacks(self, table: str) -> str:
        """Say that the study holds no such table; nothing where it does."""
        name = table.replace("_", " ")
        return (
            "" if self.data.holds(table) else f"This study holds no table of {name}, so there is nothing to show here."
        )

    @staticmethod
    def print_text(*shown: Table | Block) -> None:
        """Print tables as plain text, rounded as shown: what the tests of the notebooks compare."""
        print("\n\n".join(table.to_text() for table in shown if isinstance(table, Table)))

    @staticmethod
    def show(*items) -> None:
        """Show several tables, figures or blocks, or lists of them, from one cell."""
        for item in items:
            display(*(item if isinstance(item, list) else [item]))

    def query_files(self) -> Block:
        """Where the work list of the data queries lies: one folder up, outside of what may be shared."""
        if not allows(self.data.parameters, "patient ids"):
            return self.say("The list by patient stays with the data manager; it is no part of a shared report.", kind="note")
        files = ("queries.xlsx", "queries.csv")
        links = " and ".join(f'<a href="../{name}">{name}</a>' for name in files)
        shown = "The same list to work off, sorted by patient, lies one folder above the report: {}."
        return Block(f'<p class="note">{shown.format(links)}</p>', shown.format(" and ".join(files)), {})

    def compare_published(self) -> tuple[pd.DataFrame, Block]:
        """Hold the study's published claims against the results recorded so far."""
        declared = read_claims(self.data.study.folder)
        claims, ranges = compare_published(declared, self.results), find_ranges(declared, self.results)
        self.record(Analysis("", {"published_range": ranges}))
        if claims.empty:
            return claims, self.say("This study names no published claims.")
        n = int((claims["verdict"] == MATCHES).sum())
        text = f"{n} of {plural(len(claims), 'published claim')} {'matches' if n == 1 else 'match'} to the printed precision."
        if self._in_force():
            text += " The publication speaks of the full analysis; this report uses other parameters, so differences are expected."
        record = {"kind": "verdict", "id": "published", "text": text, "ok": n == len(claims)}
        caveat = f" {SYNTHETIC}" if self.data.study.study.synthetic else ""
        return claims, Block(f'<p class="lead">{html.escape(text + caveat)}</p>', text + caveat, record)

    def self_check(self) -> Block:
        """Compute the numbers of this report a second time, by other engines and definitions; a difference stops it.

        Raises
        ------
        lib.statistics.second_engine.survival.DisagreementError
            With the number and both values.
        """
        checked = recheck.check(self.data, list(zip(self._analyses, self._recorded, strict=True)))
        text = _said_of(checked)
        record = {"kind": "verdict", "id": "self_check", "text": text, "ok": True if len(checked.compared) else None}
        return Block(f'<p class="note">{html.escape(text)}</p>', text, record)

    def methods(self) -> Block:
        """Every estimator and test that this report ran, each once, in the order of the page."""
        rows = [
            (analysis.variable or "all", output, method)
            for analysis in self._analyses
            for output, frame in analysis.frames.items()
            if "method" in frame
            for method in dict.fromkeys(frame["method"].dropna())
        ]
        by_method: dict[str, list[str]] = {}
        for _, output, method in rows:
            by_method.setdefault(str(method), []).append(output)
        versions = provenance.package_versions()
        shown = template("methods.html").render(
            methods={m: (sorted(set(o)), cite(m)) for m, o in by_method.items()},
            time=self.data.study.time,
            horizons=self._horizons(),
            engines=[f"{name} {versions[name]}" for name in ENGINES],
        )
        return Block(shown, f"{len(by_method)} methods", {})

    def _horizons(self) -> list[str]:
        """Endpoint and tau of every restricted mean that was computed."""
        found = {a.variable: a["rmst"]["tau"].max() for a in self._analyses if "rmst" in a}
        unit = self.data.study.time.unit
        return [f"{self.data.study.endpoint(name).short} {tau:g} {unit}" for name, tau in found.items()]

    def colophon(self) -> Block:
        """Recorded results, versions, commit and fingerprints of the inputs."""
        results = self.results.to_csv(index=False, lineterminator="\n")
        prints = provenance.fingerprints(self.data.study, [])
        shown = template("colophon.html").render(
            n=len(self.results),
            digest=hashlib.sha256(results.encode()).hexdigest(),
            data=prints["data"],
            versions=provenance.package_versions(),
            commit=provenance.code_commit(),
        )
        return Block(shown, f"{len(self.results)} statistics recorded", {"kind": "results", "csv": results})


def _said_of(checked: recheck.Checked) -> str:
    """What was computed a second time, of what kind and by whom, and what was not."""
    compared, left = checked.compared, checked.left[checked.left > 0]
    alone = joined([f"{kind} ({number:,})" for kind, number in left.items()])
    if compared.empty:
        return f"Self-check: nothing was checked. {f'Not computed a second time: {alone}.' if alone else 'This report holds no number.'}"
    kinds = joined([f"{kind} ({number:,})" for kind, number in compared["kind"].value_counts(sort=False).items()])
    sample = because_large(f" Times to an event were compared on a random sample of {survival.SAMPLE:,} patients")
    return (
        f"Self-check: {len(compared):,} of {len(compared) + left.sum():,} numbers of this report were computed a second time and agree: "
        f"{kinds}; by {joined(list(dict.fromkeys(compared['engine'])))}. The largest relative difference is {compared['difference'].max():.0e}."
        f"{f'{sample}.' if checked.sampled else ''}{f' Not computed a second time: {alone}.' if alone else ''}"
    )
