"""Many reports: what is missing is made, on the cores of this machine or on a cluster (dask.distributed).

Each run is made in its own folder, wholly or not at all (lib/run/one_report.py); a failed run is a row, never the end.
"""

from __future__ import annotations

__all__ = ["FAILED", "KEPT", "MADE", "Outcome", "is_up_to_date", "make_all", "make_run", "outcome_of"]

import contextlib
import csv
import io
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from lib.analyses.outputs import OUTPUTS
from lib.batch.places import is_remote, joined, local_study, read_file, read_report, upload
from lib.batch.plan import Run
from lib.intake.handover import offered
from lib.intake.tables import read_tables
from lib.kept.store import folder as kept_folder
from lib.run.execute import NotebookFailed
from lib.run.kernels import prepare
from lib.run.manifest import MARK, differing
from lib.run.one_report import NOTEBOOK_FOLDER, changed_since, inputs_of, make_report, notebook_paths
from lib.study.parameters import NOTEBOOKS
from lib.study.provenance import rerun_command
from lib.study.study import Study, read_study

MADE, KEPT, FAILED = "made", "kept", "failed"
# Verdicts on the computation, not on a publication.
CHECKS = ("self_check", "counts")
AGREES, DIFFERS, UNCHECKED = "agrees", "differs", "nothing checked"
# What has to be the same for a report to stay. The commit is not among it: the files of the code are, by hash.
SAME = ("study", "parameters", "versions", "inputs")


@dataclass(frozen=True)
class Outcome:
    """What became of a run: a row of batch.csv. Numbers are those of its results.csv, unrounded; None: not there."""

    run: str
    study: str
    given: dict = field(default_factory=dict)
    endpoint: str = ""
    group: str = ""
    statistic: str = ""
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    n: float | None = None
    n_events: float | None = None
    self_check: str = ""
    status: str = FAILED
    seconds: float | None = None
    error: str = ""


def is_up_to_date(run: Run, output: str, expected: dict) -> bool:
    """Whether the report of a run is there, whole, and made from these inputs by this code.

    Parameters
    ----------
    run : Run
    output : str
        Place that holds the folders of all runs.
    expected : dict
        What `lib.run.one_report.inputs_of` returns for the run.
    """
    found = read_report(joined(output, run.name))
    return found is not None and not changed_since(run.study, found, {key: expected[key] for key in SAME})


def make_run(run: Run, output: str, expected: dict, notebooks: Path = NOTEBOOK_FOLDER) -> Outcome:
    """Make the report of one run: what a worker does. Whatever goes wrong is in the outcome.

    Parameters
    ----------
    run : Run
    output : str
    expected : dict
        What `lib.run.one_report.inputs_of` returned where the plan was checked; a worker that has other files does not work.
    notebooks : Path
        Folder that holds them.
    """
    started = time.monotonic()
    error = ""
    try:
        # What all notebooks import, once; they are read only where no server runs yet.
        prepare(nbformat.read(path, as_version=4) for path in notebook_paths(notebooks, run.routed).values())
        study = read_study(local_study(run.place))
        with _folder(joined(output, run.name)) as folder:
            found = inputs_of(study, run.routed, notebooks)
            if others := differing(found, {key: expected[key] for key in SAME}):
                raise ValueError(f"not as it was when the plan was checked: {', '.join(others)}")
            tables = read_tables(study)
            with offered(study, tables):
                command = _command(run, study)
                make_report(study, run.routed, folder, command=command, folder=notebooks, queries=tables.queries, keep=kept_folder())
    except NotebookFailed as failure:
        error = str(failure)
    except Exception as failure:
        # One bad run never stops the others, whatever it is.
        error = f"{type(failure).__name__}: {failure}"
    seconds = time.monotonic() - started
    if error:
        return Outcome(run.name, run.study.study.id, run.given, status=FAILED, seconds=seconds, error=error)
    return outcome_of(run, output, MADE, seconds)


def _command(run: Run, study: Study) -> str:
    chosen = "" if list(run.routed) == list(NOTEBOOKS) else ",".join(run.routed)
    return rerun_command(study, run.given, notebooks=chosen)


@contextlib.contextmanager
def _folder(place: str) -> Iterator[Path]:
    """Give a folder of this machine whose contents end up at `place`."""
    if not is_remote(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "report"
        yield folder
        upload(folder, place)


def outcome_of(run: Run, output: str, status: str, seconds: float | None = None) -> Outcome:
    """Read from a report that is there what the index says of it: headline numbers and the verdict of its self-checks."""
    place = joined(output, run.name)
    said = json.loads(read_file(place, MARK))
    verdicts = [verdict for report in said["reports"].values() for verdict in report["verdicts"]]
    rows = list(csv.DictReader(io.StringIO(read_file(place, "results.csv"))))
    return Outcome(
        run.name,
        run.study.study.id,
        run.given,
        **({"n": _patients(said)} | _headline(rows, run.study, run.given)),
        self_check=_self_check(verdicts),
        status=status,
        seconds=seconds,
    )


def _self_check(verdicts: list[dict]) -> str:
    """Whether what was computed a second time agrees; denominators that agree are no second computation.

    Claims of a publication about all patients do not have to hold in a subgroup; the self-checks do.
    """
    if any(verdict["ok"] is False for verdict in verdicts if verdict["id"] in CHECKS):
        return DIFFERS
    return AGREES if any(verdict["ok"] for verdict in verdicts if verdict["id"] == "self_check") else UNCHECKED


def _patients(said: dict) -> float | None:
    sizes = [arm["n"] for arm in said["about"].get("arms", [])]
    return float(sum(sizes)) if sizes and None not in sizes else None


def _headline(rows: list[dict], study: Study, given: dict) -> dict:
    """The hazard ratio of the arm that carries the question (a median where arms are not compared), n and events."""
    endpoint = str(given.get("endpoint") or (study.primary.id if study.primary else ""))
    about = [row for row in rows if row["report"] == "efficacy" and row["variable"] == endpoint]
    headlines = {o.headline.kind: (o.name, o.headline.statistic) for o in OUTPUTS if o.headline and o.headline.block == "endpoint"}
    logrank, _ = headlines["p"]
    for output, statistic in (headlines["ratio"], headlines["time"]):
        found = [row for row in about if row["output"] == output]
        groups = [row["group"] for row in found if row["statistic"] == statistic]
        if groups:
            group = min(dict.fromkeys(groups), key=lambda group: _distance(group, study, given))
            values = {row["statistic"]: _number(row["value"]) for row in found if row["group"] == group}
            test = {
                r["statistic"]: _number(r["value"])
                for r in about
                if (r["output"], r["group"]) == (logrank, "overall")
            }
            pair = [r for r in about if (r["output"], r["group"], r["statistic"]) == (f"{logrank}_pairwise", group, "p_value")]
            if pair and not pair[0]["value"]:  # a p-value of all arms beside two that are not compared would be theirs
                test["p_value"] = None
            counts = test if "n" in test else values
            shown = {"estimate": values[statistic]} | {key: values.get(key) for key in ("ci_low", "ci_high")}
            sizes = {"n": counts.get("n"), "n_events": counts.get("n_events"), "p_value": test.get("p_value")}
            return {"endpoint": endpoint, "group": group, "statistic": statistic} | shown | sizes
    return {}


def _distance(group: str, study: Study, given: dict) -> int:
    """How far a comparison is from the one that the study asks about: the focus arm against the reference."""
    first, _, second = group.partition(" vs ")
    return (first != study.focus_arm) + (bool(second) and second != str(given.get("reference") or study.reference_arm))


def _number(text: str) -> float | None:
    return float(text) if text else None


def make_all(
    runs: list[tuple[Run, dict]],
    output: str,
    done: Callable[[Outcome], None],
    *,
    notebooks: Path = NOTEBOOK_FOLDER,
    jobs: int = 2,
    scheduler: str = "",
) -> None:
    """Make runs side by side.

    Parameters
    ----------
    runs : list of (Run, dict)
        Each with its expected inputs.
    output : str
    done : callable
        Called with the outcome of each run when it is ready, in that order.
    notebooks : Path
        Folder that holds them.
    jobs : int
        Worker processes, where no scheduler is named.
    scheduler : str
        Address of a running dask scheduler, tcp://host:port. A run whose worker dies is made again by another.
    """
    from distributed import as_completed  # noqa: PLC0415  a second to import: not before it is needed

    with _client(scheduler, min(jobs, len(runs))) as client:
        # The key ends in the run's name: whatever happens to workers, the scheduler keeps one result of each. It begins alike in
        # all: runs that the scheduler takes for as many kinds of work are given out beforehand, and who is done early waits.
        futures = {
            client.submit(make_run, run, output, expected, notebooks, key=(make_run.__name__, f"{output}/{run.name}")): run
            for run, expected in runs
        }
        for future in as_completed(futures, loop=client.loop):
            run = futures[future]
            if future.status == "finished":
                done(future.result())
            else:
                lost = f"no worker finished it: {future.exception()}"
                done(Outcome(run.name, run.study.study.id, run.given, error=lost))


@contextlib.contextmanager
def _client(scheduler: str, jobs: int):
    import dask  # noqa: PLC0415
    from distributed import Client, LocalCluster, Security  # noqa: PLC0415

    if scheduler:
        with Client(scheduler, set_as_default=False) as client:
            yield client
        return
    options = {"n_workers": jobs, "threads_per_worker": 1, "memory_limit": 0, "dashboard_address": "127.0.0.1:0"}
    settings = {
        # Whoever reaches a scheduler can have it run anything, and its pages tell what runs: here, only we do.
        "distributed.scheduler.http.routes": [],
        # A run takes long and its answer is small: each worker has one, and the next when it is done.
        "distributed.scheduler.worker-saturation": 1.0,
        # Nobody looks at what workers spend their time on, and memory given back at once costs more than it saves.
        "distributed.worker.profile.enabled": False,
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    }
    with (
        dask.config.set(settings),
        LocalCluster(**options, security=Security.temporary(), silence_logs=logging.CRITICAL) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
