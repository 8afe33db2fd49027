"""Any study gives a report, or is refused by the check with queries; never a traceback.

`make fuzz` draws many more than `make test`: FUZZ=2000 studies, with pictures drawn and pages made; it prints the seed.
"""

import io
import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from any_study import Drawn, studies
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebook_cells import NOTEBOOKS, Shown, run_notebook, without_drawing

from lib.dataset.dataset import load
from lib.intake import handover
from lib.intake.tables import read_tables
from lib.publish.folder import publish, read_report
from lib.report.results import KEY
from lib.run.execute import route_parameters
from lib.show.disclosure.audience import restrict
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

MANY = int(os.environ.get("FUZZ", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "20250228"))
PHASES = [Phase.explicit, Phase.generate, Phase.shrink] if MANY else [Phase.explicit, Phase.generate]


def as_notebook(shown: Shown):
    """What was shown as an executed notebook, which the pages are made of."""
    outputs = [new_output("display_data", data=data, metadata=metadata) for data, metadata in shown.outputs]
    return new_notebook(cells=[new_code_cell("", outputs=outputs)])


def look_at(name: str, shown: Shown) -> None:
    """What holds on every page: each number once and finite, or a reason; no gap in a sentence; every check passed."""
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]), dtype={"value": float}, keep_default_na=False, na_values=[""])
    assert not results.duplicated(KEY).any()
    bad = results[~np.isfinite(results["value"].fillna(0))]
    assert bad.empty, bad.to_string()
    assert results["method"].notna().all()
    assert (results.loc[results["statistic"] == "p_value", "value"].dropna().between(0, 1)).all()
    text = shown.text + "".join(record["csv"] for record in shown.records("table"))
    gaps = re.search(r".*(?<![\w'])(nan|NaN|None(?! of \d)|inf|NaT)(?!\w).*", text)
    assert not gaps, gaps[0]
    assert all(verdict["ok"] is not False for verdict in shown.records("verdict"))
    read_report(name, as_notebook(shown))


def made_or_refused(folder: Path, parameters: dict, pages: bool = False) -> str:
    """Check the study as the command does; where nothing blocks, every notebook must run."""
    try:
        study = read_study(folder)
        routed = route_parameters(study, list(NOTEBOOKS), parameters)
        tables = read_tables(study)
        for name in NOTEBOOKS:
            restrict(load(name, **routed[name]))
    except ProblemsFound as found:
        assert all(re.fullmatch(r"[EW]\d{3}", problem.code) and problem.message for problem in found.problems)
        assert any(problem.severity == "error" for problem in found.problems)
        return "refused"
    executed = {}
    with handover.offered(study, tables), pytest.MonkeyPatch.context() as patch:
        if not pages:
            without_drawing(patch)
        for name in NOTEBOOKS:
            shown = run_notebook(name, patch, **routed[name])
            look_at(name, shown)
            executed[name] = as_notebook(shown)
    if pages:
        (folder / "report").mkdir()
        publish(executed, folder / "report", {"study": study.study.id, "command": "", "parameters": {}, "commit": "", "versions": {}})
    return "made"


@pytest.mark.filterwarnings("error", "ignore:Glyph")  # a script that the font of pictures does not have is drawn as boxes
@settings(max_examples=MANY or 12, deadline=None, database=None, phases=PHASES, suppress_health_check=list(HealthCheck), print_blob=True)
@seed(SEED)
@given(drawn=studies())
def test_any_study_gives_a_report_or_is_refused(drawn: Drawn):
    folder = Path(tempfile.mkdtemp())
    try:
        note(made_or_refused(drawn.write(folder), drawn.parameters, pages=bool(MANY)))
    finally:
        shutil.rmtree(folder)
