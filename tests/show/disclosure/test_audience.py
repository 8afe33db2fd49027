"""What a shared report may show: small cells and whatever gives them back, single patients, ids."""

import itertools
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from notebook_cells import NOTEBOOKS, shipped
from scipy.optimize import linprog

from lib import report
from lib.__main__ import main
from lib.analyses.cohort import baseline
from lib.analyses.efficacy import response, survival
from lib.analyses.efficacy.markers import Levels
from lib.analyses.result import Analysis, where
from lib.analyses.robustness import confounding, robustness
from lib.analyses.safety import events, events_in_time
from lib.analyses.safety.profiles import choose_profiles
from lib.dataset.dataset import load
from lib.report.results import KEY
from lib.show.disclosure import audience as disclosure_audience
from lib.show.disclosure import register
from lib.show.disclosure.counts import COUNTS
from lib.show.plots import markers as plot_markers
from lib.show.plots import response as plot_response
from lib.show.plots import safety as plot_safety
from lib.show.sentences.robustness import sentence_power, sentence_weights
from lib.show.tables import safety as table_safety
from lib.show.tables.confounding import table_balance
from lib.show.tables.robustness import table_detectable, table_incidence
from lib.statistics.comparisons import RECIPROCALS
from lib.study.parameters import Safety
from lib.study.study import ROOT
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

FEW = settings(deadline=None, max_examples=25)
SMALL = 5


@pytest.fixture(scope="module")
def data():
    return disclosure_audience.restrict(load("safety", audience="share"))


def test_one_function_decides_and_knows_every_kind():
    share, internal = Safety(audience="share"), Safety()
    assert [kind for kind in disclosure_audience.KINDS if disclosure_audience.allows(share, kind)] == ["estimates"]
    assert all(disclosure_audience.allows(internal, kind) for kind in disclosure_audience.KINDS)
    with pytest.raises(KeyError):
        disclosure_audience.allows(share, "a kind nobody has decided about")


def test_ids_never_enter_a_shared_report(data):
    original = load("safety")
    ids = set(original.patients["patient_id"])
    assert list(data.patients["arm"]) == list(original.patients["arm"])
    for name, frame in data.tables.items():
        assert len(frame) == len(original.tables[name])
        texts = frame.select_dtypes("object").astype(str).to_numpy().ravel()
        assert not any(identifier in text for text in texts for identifier in ids), name
    assert len(data.queries) == len(original.queries)
    assert not data.queries["patient_id"].any()
    assert set(disclosure_audience.restrict(original).patients["patient_id"]) == ids


def test_an_arm_that_is_a_small_cell_is_not_shared():
    small = load("safety", audience="share", subgroup="ecog", subgroup_values=["2"])
    with pytest.raises(ProblemsFound, match="fewer than 5 patients"):
        disclosure_audience.restrict(small)


def tables_of_counts():
    """Levels of one variable by arm: the numbers of the small studies this is for."""
    cell = st.one_of(st.integers(0, 8), st.integers(0, 40))
    return st.integers(2, 4).flatmap(lambda k: st.lists(st.lists(cell, min_size=k, max_size=k), min_size=3, max_size=3))


def _levels(columns):
    """Frame of counts of levels, with totals, as the cohort report has it."""
    rows = []
    for group, counts in zip([*"ABC", "overall"], [*columns, np.sum(columns, axis=0)], strict=True):
        rows += [(f"v: {i}", group, float(count), float(np.sum(counts))) for i, count in enumerate(counts)]
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n"])
    return frame.assign(proportion=frame["count"] / frame["n"].where(frame["n"] > 0), method="count", note="")


@FEW
@given(tables_of_counts().filter(lambda columns: all(sum(c) >= SMALL for c in columns)))
def test_no_masked_small_cell_follows_from_the_margins(data, columns):
    """Linear programming over everything that is still shown: the cell could be something else."""
    frame = _levels(columns)
    size = {group: int(n) for group, n in frame.groupby("group")["n"].first().items()}
    patients = pd.DataFrame({"arm": pd.Categorical(np.repeat(list("ABC"), [size[g] for g in "ABC"]))})
    arms = replace(data, tables=data.tables | {"patients": patients})
    masked = disclosure_audience.mask_analysis(arms, Analysis(arms, "", {"baseline_category": frame}))["baseline_category"]
    shown = masked["count"].notna()
    assert not frame["count"][shown].between(1, SMALL - 1).any()
    assert masked.loc[~shown, "proportion"].isna().all()
    # unknown: a cell per level and arm; known: the arms' sizes, and every shown cell and total
    levels, groups = len(columns[0]), list("ABC")
    place = {(f"v: {i}", g): i * 3 + j for i, (j, g) in itertools.product(range(levels), enumerate(groups))}
    equal, value = [], []

    def fix(cells, total):
        equal.append([float(cell in cells) for cell in range(levels * 3)])
        value.append(total)

    for group in groups:
        fix({place[f"v: {i}", group] for i in range(levels)}, size[group])
    for row in frame[shown].itertuples():
        cells = groups if row.group == "overall" else [row.group]
        fix({place[row.variable, group] for group in cells}, frame.loc[row.Index, "count"])
    # a 0 may be hidden beside a small cell, and be guessed: it tells of nobody
    small = frame["count"].between(1, SMALL - 1)
    for row in frame[small & (frame["group"] != "overall")].itertuples():
        goal = np.zeros(levels * 3)
        goal[place[row.variable, row.group]] = 1
        ends = [linprog(sign * goal, A_eq=equal, b_eq=value).fun * sign for sign in (1, -1)]
        assert ends[1] - ends[0] > SMALL - 1.01


def test_what_is_made_from_a_masked_count_is_masked(data):
    harms = events.analyse(data)
    masked = disclosure_audience.mask_analysis(data, harms)
    term = "Hypertension"
    row = {
        name: frame[frame["variable"] == term].set_index("group")
        for name, frame in masked.frames.items()
        if "variable" in frame
    }
    full = harms["ae_term"][harms["ae_term"]["variable"] == term].set_index("group")["count"]
    rest = data.n - full[["A", "B", "C"]]
    assert full[["A", "B", "C"]].isin([0, *range(SMALL, 99)]).all(), "the premise: no small count"
    assert rest.ge(SMALL).all(), "the premise: no small rest"
    assert row["ae_term"]["count"].tolist() == full.tolist(), "no cell of 5 or more with a rest of 5 or more is hidden"
    assert (
        row["ae_term_severe"]
        .loc[["A", "C", "overall"], ["count", "proportion", "ci_low", "ci_high"]]
        .isna()
        .all(axis=None)
    )
    rare = masked["ae_term_difference"].set_index(["variable", "group"])
    assert rare.loc[("Proteinuria", "C vs A"), "difference":"ci_high"].isna().all()
    assert masked["ae_term_test"].set_index("variable").loc["Proteinuria", ["p_value"]].isna().all()
    for name, frame in masked.frames.items():
        if "count" in frame:
            assert not frame["count"].between(1, SMALL - 1).any(), name
            assert not (frame["n"] - frame["count"]).between(1, SMALL - 1).any() if "n" in frame else True, name


def test_a_count_inside_another_is_masked_if_the_difference_is_small(data):
    def frame(a, severe):
        rows = [("x", "A", a, 30.0), ("x", "B", 10.0, 30.0)]
        inner = [("x", "A", severe, 30.0), ("x", "B", 0.0, 30.0)]
        columns = ["variable", "group", "count", "n"]
        return {
            name: pd.DataFrame(r, columns=columns).assign(method="", note="")
            for name, r in (("ae_term", rows), ("ae_term_severe", inner))
        }

    patients = pd.DataFrame({"arm": pd.Categorical(["A"] * 30 + ["B"] * 30)})
    arms = replace(data, tables=data.tables | {"patients": patients})
    near = disclosure_audience.mask_analysis(arms, Analysis(arms, "", frame(12.0, 9.0)))
    assert near["ae_term"]["count"].tolist() == [12, 10]
    assert near["ae_term_severe"]["count"].isna().tolist() == [True, False]
    far = disclosure_audience.mask_analysis(arms, Analysis(arms, "", frame(15.0, 9.0)))
    assert far["ae_term_severe"]["count"].tolist() == [9, 0]


def test_extremes_and_rows_of_single_patients_are_left_out(data):
    masked = disclosure_audience.mask_analysis(data, baseline.analyse_baseline(data))
    assert masked["baseline_number"][["min", "max"]].isna().all(axis=None)
    shown = masked["baseline_number"]["n"].notna()
    assert masked["baseline_number"].loc[shown, ["median", "mean", "sd"]].notna().all(axis=None)
    assert masked["baseline_number"].loc[~shown, ["median", "mean", "sd", "q1"]].isna().all(axis=None)
    assert 0 < shown.sum() < len(shown)
    assert masked.data == {}
    timed = disclosure_audience.mask_analysis(data, events_in_time.analyse(data))
    assert set(timed.data) == {"curve"}
    assert (timed["curve"]["n_risk"] >= SMALL).all()


@pytest.mark.parametrize(
    ("n", "median", "quartiles"),
    [(4, False, False), (9, False, False), (10, True, False), (19, True, False), (20, True, True)],
)
def test_each_part_that_a_quantile_cuts_off_is_no_small_cell(data, n, median, quartiles):
    """Twice, four times as many patients as a small cell; values of a patient or two keep three digits."""
    assert data.study.policy.small_cell == SMALL
    whole = baseline.analyse_baseline(data)["baseline_number"]
    frame = where(whole, group="B").head(1).assign(n=n, n_missing=0, median=18.6543, q1=12.345, q3=0.98765)
    (row,) = disclosure_audience.mask_analysis(data, Analysis(data, "", {"baseline_number": frame}))["baseline_number"].to_dict("records")
    assert row["median"] == 18.7 if median else pd.isna(row["median"])
    assert (row["q1"], row["q3"]) == (12.3, 0.988) if quartiles else pd.isna([row["q1"], row["q3"]]).all()


def curve_of(events, at_risk=60):
    """One arm's curve with so many events at times 0, 1, 2 ..."""
    n = np.array(events)
    left = at_risk - np.concatenate([[0], n.cumsum()[:-1]])
    return pd.DataFrame({"group": "A", "time": np.arange(len(n)) * 1.2345, "n_events": n, "n_censored": 0, "n_risk": left})


@pytest.mark.parametrize(
    ("events", "at_risk", "known", "total", "kept"),
    [
        ([0, 4, 1, 0, 5, 4], 60, [], False, [0, 2, 4]),  # 5 events since the step before, not 4
        ([0, 4, 1, 0, 5, 4], 60, [], True, [0, 2, 5]),  # of 14 in all, those after 10 would be 4
        ([0, 5, 5, 5], 19, [], False, [0, 1, 2]),  # after the last one 4 would be left
        ([0, 5, 5, 5], 20, [], True, [0, 1, 2, 3]),
        ([0, 5, 4, 1, 5], 60, [2.5], False, [0, 2, 4]),  # at 2.5 it is shown that 9 had the event, so 5 would tell of 4
    ],
)
def test_a_shared_curve_steps_for_cells_of_patients(events, at_risk, known, total, kept):
    times = pd.DataFrame({"group": "A", "time": known}) if known else None
    found = disclosure_audience._coarsen(curve_of(events, at_risk), times, SMALL, total)
    assert found["time"].tolist() == [float(f"{1.2345 * i:.3g}") for i in kept]
    assert (found["n_censored"] == 0).all()


def test_an_effect_that_could_be_found_tells_no_number_of_events():
    """Schoenfeld's ratio of two arms of known size is a formula of their events alone."""
    data = disclosure_audience.restrict(load("efficacy", audience="share"))
    analysis = survival.analyse(data, data.study.primary)
    masked = disclosure_audience.mask_analysis(data, robustness.analyse_robustness(data, analysis))
    assert masked["detectable"][["n_events", "hr", "hr_above"]].isna().all(axis=None)
    assert "masked/" in (shown := table_detectable(masked).to_text())
    assert "–" not in shown
    assert "80% power" not in sentence_power(masked)


def test_what_is_masked_is_not_called_not_estimable():
    """Of competing events, of balance before and after weighting; and no sentence speaks of the largest of what is hidden."""
    data = disclosure_audience.restrict(load("efficacy", audience="share"))
    analysis = survival.analyse(data, data.study.primary)
    robust = disclosure_audience.mask_analysis(data, robustness.analyse_robustness(data, analysis))
    hidden = robust["incidence"]["note"].str.startswith("masked")
    frames = robust.frames | {"incidence": robust["incidence"][hidden], "incidence_other": robust["incidence_other"].iloc[:0]}
    shown = [cell for row in table_incidence(replace(robust, frames=frames)).rows for cell in row.cells]
    assert shown.count("masked") == hidden.sum() > 0
    assert "not estimable" not in shown
    weights = disclosure_audience.mask_analysis(data, confounding.analyse_weights(data, analysis))
    masked = where(weights["balance_before"], group="overall")["note"].str.startswith("masked")
    text = table_balance(weights).to_text()
    assert text.count("masked") == 2 * masked.sum() > 0
    assert [row.cells[1] for row in table_balance(weights).rows[-len(data.arms) :]] == [str(n) for n in data.n]
    assert "largest standardized difference among these" not in sentence_weights(weights)


def test_pictures_and_lists_of_single_patients_are_left_out(data):
    timed = events_in_time.analyse(data)
    left_out = [
        plot_safety.plot_ae_courses(timed),
        plot_safety.plot_profiles(choose_profiles(data, *data.patients["patient_id"])),
        table_safety.table_ae_listing(timed),
        plot_markers.plot_trajectories(Levels(data, "volume", {})),
    ]
    assert all("left out of a shared report" in block.text for block in left_out)
    shown = disclosure_audience.mask_analysis(data, response.analyse(data, (6.0,)))
    assert "masked counts" in plot_response.plot_response(shown).text
    harms = disclosure_audience.mask_analysis(data, events.analyse(data))
    assert "masked counts" in plot_safety.plot_ae_grades(harms).text


def test_masked_statistics_are_not_recorded_and_the_others_are_rounded():
    internal, share = (report.start("safety", {"audience": audience}) for audience in ("internal", "share"))
    for page in (internal, share):
        page.record(events.analyse(page.data))
        page.record(events_in_time.analyse(page.data))
    full, shared = (page.results.set_index(KEY)["value"] for page in (internal, share))
    assert len(shared) < len(full)
    same = full.reindex(shared.dropna().index)
    reciprocal = same.index.get_level_values("statistic").isin(RECIPROCALS)  # of a rounded difference, rounded once more
    assert np.allclose(shared.dropna(), same, rtol=np.where(reciprocal, 0.02, 0.01), atol=0)
    counts = same.index.get_level_values("statistic").isin(COUNTS)
    assert shared.dropna()[counts].equals(same[counts])
    assert not shared.dropna()[~counts].equals(same[~counts])
    lost = full.index.difference(shared.index)
    assert full[lost].notna().all()


@pytest.mark.parametrize("study", ["data/colon"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_shared_notebook_runs(name, study):
    shown = shipped(name, study, "share")
    assert "nan" not in shown.text.lower().split()
    assert "Shared report" in "".join(d.get("text/html", "") for d, _ in shown.outputs)


@pytest.mark.notebook
def test_nothing_that_is_written_holds_an_id_or_a_place(tmp_path):
    """The whole report, every file of it: pages, tables, pictures, notebooks, documents, run.json; and it is registered."""
    folder = tmp_path / "Hospital" / "Folder of mine"
    shutil.copytree(ROOT / "data/rair_dtc", folder)
    text = (folder / "study.yml").read_text("utf-8")
    for table in ("patients", "lesions", "markers"):
        (folder / f"{table}.csv").rename(folder / f"Export_{table}.csv")
        text = text.replace(f"{table}.csv", f"Export_{table}.csv")
    (folder / "study.yml").write_text(text, "utf-8")
    done = CliRunner().invoke(
        main,
        [
            "report",
            "--study",
            str(folder),
            "--format",
            "html,docx",
            "--output",
            str(tmp_path / "to" / "share"),
            "-p",
            "audience=share",
        ],
    )
    assert done.exit_code == 0, done.output
    ids = [i for table in ("patients", "lesions") for i in ids_of(table)]
    written = [path for path in (tmp_path / "to" / "share").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".html", ".csv", ".svg", ".ipynb", ".json", ".docx"}
    places = (str(tmp_path), tmp_path.name, "Hospital", "Folder of mine", "Export_")
    for path in written:
        for text in texts_of(path):
            assert not [i for i in (*ids, *places) if i in text], path.name
            assert "patient0" not in text, path.name
    assert "queries.csv" not in {path.name for path in (tmp_path / "to" / "share").glob("*")}
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["share"], "nothing beside it, where nobody asked for it"
    [entry] = register.read("rair_dtc")
    assert (entry.name, entry.n) == ("share", {"A": 14, "B": 25, "C": 13})
    results = pd.read_csv(tmp_path / "to" / "share" / "results.csv")
    counts = results[results["statistic"].isin(COUNTS)]
    assert len(counts) > 500
    assert len(entry.cells) == len(counts.dropna(subset="value").drop_duplicates(["output", "variable", "group", "time", "statistic"]))
    assert not counts["value"].between(1, SMALL - 1).any()


def ids_of(table):
    return pd.read_csv(ROOT / "data/rair_dtc" / f"{table}.csv")[f"{table[:-1]}_id"].tolist()


def texts_of(path):
    """Everything in a file that can be read; a workbook is a folder of files."""
    if path.suffix in (".xlsx", ".docx"):
        with zipfile.ZipFile(path) as parts:
            return [parts.read(name).decode("utf-8", "replace") for name in parts.namelist()]
    return [path.read_text("utf-8")]


def test_an_id_is_found_where_there_is_one(tmp_path):
    """The search above sees ids in every kind of file."""
    some = ids_of("patients")[3]
    pd.DataFrame({"patient_id": [some]}).to_excel(tmp_path / "queries.xlsx", index=False)
    for name in ("page.html", "table.csv", "figure.svg", "notebook.ipynb", "run.json"):
        (tmp_path / name).write_text(f"before {some} after", "utf-8")
    for path in tmp_path.iterdir():
        assert any(some in text for text in texts_of(path)), path.name


def test_the_work_list_is_linked_for_the_data_manager_alone():
    internal, shared = (report.start("cohort", {"audience": audience}).query_files() for audience in ("internal", "share"))
    assert '<a href="queries.xlsx">' in internal.html
    assert "<a" not in shared.html
    assert "stays with the data manager" in shared.text
