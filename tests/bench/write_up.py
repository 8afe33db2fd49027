"""What `make bench` has kept -> the block of docs/benchmarks.md between its two marks, and the picture of the engines. Measures nothing."""

__all__ = ["BEGIN", "END", "compose", "draw", "insert"]

import statistics
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

from lib.show.plots.style import INK, STYLE

BEGIN, END = "<!-- bench -->", "<!-- end bench -->"
LABELS = {"ours": "this repository", "R": "R survival", "rust_survival": "survival (Rust)", "scikit_survival": "scikit-survival"}
# Okabe and Ito's colours: told apart by readers who are colour-blind, and by their markers in print.
LOOKS = {"ours": ("#0072B2", "o"), "R": ("#D55E00", "s"), "lifelines": ("#009E73", "D"), "scikit_survival": ("#CC79A7", "^"),
         "greenwood": ("#000000", "v"), "rust_survival": ("#E69F00", "P")}  # fmt: skip
# Engines are compared from this many patients on; the memory that a large study may take, in MB.
MANY, MEMORY = 100_000, 1536
# What stands between where a goal is not met, as profiles show it.
BUSY = (
    "The same cells as plain scripts take some 25 CPU seconds: analyses a half, pictures and tables a third, second computations a fifth. "
    "Imports (5, once), messages of the kernels and writing the pages are the rest."
)
TWICE = "The R report computes each number once; here another engine computes it again, which is a fifth of the time, and the tables are checked."
SET_UP = "Nearly half of it unpacks and compiles some 170 packages, the rest is the first report."
DRAWN = (
    "An analysis and its picture are made anew, which takes about a second; the longest is the view for sharing of adverse events, of whose 4,400 "
    "hidden counts linear programs prove that no small one can be worked out. What was drawn once comes at once."
)
PAGES = "What plain scripts do not make takes it: 250 pages, tables and figures as files, messages of the kernels; the two workers import once more."
MORE = "R makes three calls and keeps nothing. Of the time of the pages analyses are a half, second computations an eighth, reading and checking an eighth."
LINKED = "A study of 52 patients takes most of it, pictures above all; of the rest reading and checking is a fifth."
ROWS = "The tables are held once as the file has them, for the checks, and once typed."
# Labels at the ends of lines keep this distance, in powers of ten of seconds.
APART = 0.27


def insert(page: Path, lines: list[str]) -> None:
    """Put the lines between the two marks of a file."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    page.write_text(before + BEGIN + "\n" + "\n".join(lines) + END + rest.split(END)[1], encoding="utf-8", newline="\n")


def compose(kept: dict[str, dict], picture: str) -> list[str]:
    """Lines of the block: what each section found, when, where and how often, and which goals it meets.

    Parameters
    ----------
    kept : dict
        Section -> what bench.py keeps of it; sections that were never run are left out.
    picture : str
        Address of the picture, relative to the page.
    """
    sections = {
        "report": ("One report", _report), "again": ("A second report", _again),
        "start": ("Start", _start), "explore": ("Explore", _explore), "batch": ("Many reports", _batch),
        "survival": ("Survival engines", _survival), "large": ("A large study", _large),
        "growth": ("Growth", _growth), "tables": ("Growth with every table", _tables),
    }  # fmt: skip
    lines = []
    for name in (name for name in sections if name in kept):
        found, (heading, write) = kept[name], sections[name]
        made = f"{found['date']}, commit {found['commit']}, {found['machine']}; {_rounds(found['repeats'])}"
        lines += [f"**{heading}** ({made})", "", *write(found), ""]
        if name == "survival":
            lines += [f"![Seconds against patients, both axes logarithmic: each engine is a line with its name at the end]({picture})", ""]
    return lines


def _rounds(repeats: int) -> str:
    return "one run each" if repeats == 1 else f"medians of {repeats}"


def _seconds(way: dict) -> float:
    return statistics.median(way["seconds"])


def _table(heading: str, ways: dict[str, dict], times: dict[str, int] | None = None) -> list[str]:
    """Median seconds with shortest and longest, ratio to the first way, largest memory; `times`: a way that was measured once for so many."""
    taken = {name: _seconds(way) * (times or {}).get(name, 1) for name, way in ways.items()}
    first = next(iter(taken.values()))
    lines = [f"| {heading} | seconds | ratio | memory, MB |", "| --- | ---: | ---: | ---: |"]
    return lines + [f"| {name} | {s:.1f}{_spread(ways[name])} | {s / first:.2f} | {max(ways[name]['mb']):,.0f} |" for name, s in taken.items()]


def _spread(way: dict) -> str:
    """The shortest and the longest time, where there are several."""
    taken = way["seconds"]
    return f" ({min(taken):.1f}–{max(taken):.1f})" if len(taken) > 1 else ""


def _goal(text: str, value: float, limit: float, why: str = "", *, at_least: bool = False) -> str:
    """One goal in words, with what was found and, where it is not met, what stands between."""
    met = value >= limit if at_least else value <= limit
    found = f"{text} {'at least' if at_least else 'at most'} {limit:,g}: {'met' if met else '**not met**'} ({value:,.3g})."
    return found if met or not why else f"{found} {why}"


def _report(found: dict) -> list[str]:
    naive, ours = found["ways"].values()
    lines = [*_table("Every page of `data/colon`", found["ways"]), "", _goal("Goal, ratio to papermill and nbconvert:", _seconds(ours) / _seconds(naive), 0.2, BUSY), ""]
    if not found["markdown"]:
        return [*lines, "Not compared with R Markdown: R or one of its packages is not installed."]
    r, ours, _ = found["markdown"].values()
    same = found["same"]
    return [
        *lines, *_table("Three of them, cohort, efficacy and robustness", found["markdown"]), "",
        _goal("Goal, ratio to R Markdown:", _seconds(ours) / _seconds(r), 0.25, TWICE),
        "The R report ([report.Rmd](../tests/bench/report.Rmd)) holds the same analyses, figures and tables, with as many permutations and "
        f"simulations; {same['compared']:,} numbers of both were compared, the largest relative difference is {same['largest']:.0e}. Where each "
        "patient is left out or a study simulated, it calls survdiff again, as one writes it in R. It has no checks of the tables, no second "
        "computation of the numbers by another engine, no sentences and checklists, no tables and figures as files.",
    ]  # fmt: skip


def _again(found: dict) -> list[str]:
    whole, little, much, there = map(_seconds, found["ways"].values())
    return [
        *_table("Every page of `data/colon`", found["ways"]), "",
        _goal("Goal, ratio to a whole report where little depends on the parameter:", little / whole, 0.5),
        _goal("Goal, ratio where much does:", much / whole, 1),
        _goal("Goal, seconds until a report is found there:", there, 1),
    ]  # fmt: skip


def _start(found: dict) -> list[str]:
    _, pandas, asked, checked = map(_seconds, found["ways"].values())
    lines = ["| CPU seconds | seconds | ratio |", "| --- | ---: | ---: |"]
    bare = _seconds(next(iter(found["ways"].values())))
    lines += [f"| {name} | {_seconds(way):.2f} | {_seconds(way) / bare:.1f} |" for name, way in found["ways"].items()]
    (fresh,) = map(_seconds, found["fresh"].values())
    return [
        *lines, "", _goal("Goal, CPU seconds of the help:", asked, 0.3), _goal("Goal, CPU seconds of a check:", checked, 0.8, f"pandas alone takes {pandas:.2f} to import, and openpyxl, pydantic and YAML as much again."), "",
        f"`make report` in a fresh clone, packages in the local cache: {fresh:.0f} seconds.", "", _goal("Goal, seconds:", fresh, 30, SET_UP),
    ]  # fmt: skip


def _explore(found: dict) -> list[str]:
    lines = ["| Explore, seconds | median | longest | which |", "| --- | ---: | ---: | --- |"]
    longest: dict[str, float] = {}
    for study, kinds in found["studies"].items():
        for kind, taken in kinds.items():
            medians = {what: statistics.median(seconds) for what, seconds in taken.items()}
            worst = max(medians, key=medians.__getitem__)
            longest[kind] = max(longest.get(kind, 0), medians[worst])
            lines.append(f"| {study}: {kind} | {statistics.median(medians.values()):.2f} | {medians[worst]:.2f} | {worst} |")
    return [
        *lines, "",
        "Of studies CPU seconds of the kernel, each control changed once in each tab and each tab opened before it was drawn ahead; "
        "of a visitor seconds through the server, which has drawn the tabs of the usual choices before anybody comes.", "",
        _goal("Goal, seconds of the longest change of a control:", longest["control changed"], 0.3, DRAWN),
        _goal("Goal, seconds of the longest first opening of a tab:", longest["tab opened"], 1, "Tabs are drawn ahead while nobody asks for anything, so that a visitor rarely meets it."),
    ]  # fmt: skip


def _batch(found: dict) -> list[str]:
    count, ways = found["count"], found["ways"]
    floor, batch, naive = ways
    seconds = {floor: _seconds(ways[floor]), batch: _seconds(ways[batch]), naive: _seconds(ways[naive]) * count}
    rates = ", ".join(f"{name} {60 * count / s:.1f}" for name, s in seconds.items())
    return [
        *_table(f"{count} reports of `data/colon`, every page", ways, {naive: count}), "",
        f"Reports per minute: {rates}. Plain scripts run the same cells and make every table and figure that they show, in two "
        "processes that have imported everything; they write no pages. The naive way was measured for one report.", "",
        _goal("Goal, times as fast as papermill and nbconvert:", seconds[naive] / seconds[batch], 15, f"Plain scripts, without any page, are {seconds[naive] / seconds[floor]:.1f} times as fast.", at_least=True),
        _goal("Goal, ratio to plain scripts:", seconds[batch] / seconds[floor], 1.2, PAGES),
    ]  # fmt: skip


def _survival(found: dict) -> list[str]:
    sizes, engines = found["sizes"], found["engines"]
    lines = ["| Kaplan-Meier + log-rank + Cox, seconds (memory, MB) | " + " | ".join(f"{n:,}" for n in sizes) + " |", "| --- |" + " ---: |" * len(sizes)]
    for name, results in engines.items():
        lines.append(f"| {_label(name)} | " + " | ".join(_cell(results.get(str(n))) for n in sizes) + " |")
    missing = f" Could not be installed here: {', '.join(map(_label, found['missing']))}." if found["missing"] else ""
    lines += ["", f"Three arms, times in whole days; one process for each engine and size, reading left out; –: more than {found['limit']} seconds in all, or failed.{missing}", ""]
    for n in (n for n in sizes if n >= MANY):
        peers = {name: sum(r[str(n)]["seconds"]) for name, r in engines.items() if name != "ours" and str(n) in r}
        if peers and str(n) in engines["ours"]:
            best = min(peers, key=peers.get)
            lines.append(_goal(f"Goal, ratio to the fastest other engine at {n:,} ({_label(best)}):", sum(engines["ours"][str(n)]["seconds"]) / peers[best], 1))
    return lines


def _large(found: dict) -> list[str]:
    ways = list(found["ways"].values())
    lines = [*_table(f"{found['n']:,} patients", found["ways"]), "", _goal("Goal, memory in MB of one process:", max(ways[-1]["mb"]), MEMORY)]
    return lines if len(ways) == 2 else [*lines, _goal("Goal, ratio to R:", _seconds(ways[1]) / _seconds(ways[0]), 0.8, MORE)]


def _growth(found: dict) -> list[str]:
    steps = [_seconds(after) / _seconds(before) for before, after in pairwise(found["ways"].values())]
    heading = "Cohort and efficacy reports (Parquet, one process)"
    return [*_table(heading, found["ways"]), "", _goal("Goal, growth of time for ten times the patients:", max(steps), 10)]


def _tables(found: dict) -> list[str]:
    ways = list(found["ways"].values())
    steps = [_seconds(after) / _seconds(before) for before, after in pairwise(ways)]
    lines = [*_table("Cohort, efficacy and safety reports of a study with lesions, markers and harms (Parquet, two processes)", found["ways"]), ""]
    lines += [_goal("Goal, growth of time for ten times the patients:", max(steps), 10)] if steps else []
    million = ways[min(1, len(ways) - 1)]
    return [*lines, _goal("Goal, seconds of a million rows:", _seconds(million), 60, LINKED), _goal("Goal, memory in MB of a million rows:", max(million["mb"]), 2048, ROWS)]


def _label(name: str) -> str:
    return LABELS.get(name, name)


def _cell(result: dict | None) -> str:
    return "–" if result is None else f"{sum(result['seconds']):.3g} ({result['mb']:,.0f})"


def draw(found: dict, path: Path) -> None:
    """Seconds of the three tasks together against patients: one line per engine, its name at its end."""
    lines = {name: {int(n): sum(r["seconds"]) for n, r in results.items()} for name, results in found["engines"].items() if results}
    with plt.rc_context(STYLE | {"svg.hashsalt": "bench"}):
        figure, axes = plt.subplots(figsize=(7.2, 3.8), layout="constrained")
        for name, taken in lines.items():
            colour, marker = LOOKS[name]
            thick = {"linewidth": 2.4, "markersize": 6, "zorder": 3} if name == "ours" else {"linewidth": 1.2, "markersize": 4.5}
            axes.loglog(list(taken), list(taken.values()), color=colour, marker=marker, **thick)
        places = _places(lines)
        for name, (x, end, place) in places.items():
            leader = {"arrowstyle": "-", "color": LOOKS[name][0], "linewidth": 1, "linestyle": "dotted", "shrinkA": 1, "shrinkB": 4}
            text = {"color": INK, "fontsize": 9, "va": "center", "fontweight": "bold" if name == "ours" else "normal"}
            axes.annotate(_label(name), (x, end), (max(found["sizes"]) * 1.5, place), annotation_clip=False, arrowprops=leader, **text)
        heights = [*(s for taken in lines.values() for s in taken.values()), *(place for _, _, place in places.values())]
        axes.set_ylim(min(heights) / 1.4, max(heights) * 1.4)
        axes.set(xlabel="Patients", ylabel="Seconds", xticks=found["sizes"], xticklabels=[f"{n:,}" for n in found["sizes"]])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        axes.minorticks_off()
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _places(lines: dict[str, dict[int, float]]) -> dict[str, tuple[int, float, float]]:
    """End of each line, and the height of its name: as near as the other names allow."""
    ends = sorted((taken[max(taken)], name) for name, taken in lines.items())
    heights = np.log10([end for end, _ in ends])
    for _ in range(200):  # neighbours that are too near push each other apart
        for i, (low, high) in enumerate(pairwise(heights.copy())):
            push = max(0.0, APART - (high - low)) / 2
            heights[i], heights[i + 1] = heights[i] - push, heights[i + 1] + push
    return {name: (max(lines[name]), end, 10**height) for (end, name), height in zip(ends, heights, strict=True)}
