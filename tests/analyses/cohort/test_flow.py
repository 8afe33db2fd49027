"""Participant flow: recounted from the files, zero boxes kept, and every table held against it."""

from dataclasses import replace

import pandas as pd
import pytest
from study_builder import add, again, good_tables, write_study

from lib import report
from lib.analyses.cohort import baseline, flow
from lib.analyses.efficacy import markers, response, survival
from lib.analyses.result import Absent, Analysis, where
from lib.dataset import dataset
from lib.show.plots import cohort as plot_cohort
from lib.show.tables import cohort as table_cohort

RAIR = "data/rair_dtc"


def loaded(study=RAIR, **parameters):
    return dataset.load("cohort", study=str(study), **parameters)


def counts(frame, **at):
    return where(frame, **at).set_index("group")["count"].to_dict()


def test_the_flow_of_the_shipped_study_is_recounted():
    """Evaluable at 12 months and usable markers, counted from the tables alone."""
    data = loaded()
    found = flow.analyse(data, (6, 12))
    patients = pd.read_csv(f"{RAIR}/patients.csv").set_index("patient_id")
    size = patients["arm"].value_counts().to_dict()
    assert counts(found["flow"], step="treated") == size | {"overall": 52}
    for endpoint in ("lpfs", "os", "ttlp"):
        assert counts(found["flow_endpoint"], variable=endpoint) == size | {"overall": 52}
    lesions = pd.read_csv(f"{RAIR}/lesions.csv").set_index("lesion_id")["patient_id"]
    scans = pd.read_csv(f"{RAIR}/measurements.csv")
    at_12 = scans[scans["visit"] == 12]["lesion_id"].map(lesions).drop_duplicates()
    assert counts(found["flow_volume"], time=12)["overall"] == len(at_12)
    samples = pd.read_csv(f"{RAIR}/markers.csv")
    antibody = samples[(samples.marker == "tgab") & (samples.value > 40)]["patient_id"]
    tg = samples[(samples.marker == "tg") & ~samples["patient_id"].isin(antibody)]
    first = tg[tg.visit == 0].set_index("patient_id")["state"]
    unknown = tg.state.isna()  # neither suppressed nor stimulated: nothing that baseline could contradict
    usable = tg[(tg.visit == 12) & (unknown | (tg.state == tg.patient_id.map(first)))]
    by_arm = usable["patient_id"].map(patients["arm"]).value_counts().to_dict()
    assert counts(found["flow_marker"], variable="tg", time=12) == by_arm | {"overall": len(usable)}


def excluded(tmp_path, study=str, **reasons):
    """The good study and patients who were excluded: id -> reason; the first has no arm."""
    columns = good_tables()["patients"].columns
    changes = [add(excluded="")]
    for i, (patient, reason) in enumerate(reasons.items()):
        row = dict.fromkeys(columns, "") | {
            "patient_id": f"SYN-{patient[1:]}",
            "excluded": reason,
            "arm": "B" if i else "",
        }
        changes.append(again(0, **row))

    def change(frame):
        for one in changes:
            frame = one(frame)
        return frame

    return write_study(tmp_path, study, patients=change)


def test_exclusions_are_counted_with_reasons_and_zeros_kept(tmp_path):
    def with_reasons(text):
        return text + "\nexclusions: [pregnancy, no consent, follow-up elsewhere]\n"

    data = loaded(excluded(tmp_path, with_reasons, p90="no consent", p91="no consent", p92="other disease"))
    steps = flow.analyse(data)["flow"]
    assert counts(steps, step="screened")["overall"] == 9
    assert counts(steps, variable="excluded") == {"A": 0, "B": 2, "C": 0, "overall": 3}
    assert counts(steps, variable="excluded: pregnancy")["overall"] == 0
    assert counts(steps, variable="excluded: no consent")["overall"] == 2
    reasons = [v for v in dict.fromkeys(steps["variable"]) if v.startswith("excluded: ")]
    assert reasons == [f"excluded: {r}" for r in ("pregnancy", "no consent", "follow-up elsewhere", "other disease")]
    assert counts(steps, step="analysed")["overall"] == 6
    table = table_cohort.table_flow(flow.analyse(data))
    assert ["pregnancy", "0", "0", "0", "0"] in [list(row.cells) for row in table.rows]
    assert "before an arm was known" in table.notes[0]
    svg = plot_cohort.plot_flow(flow.analyse(data)).svg
    assert "pregnancy: 0" in svg
    assert "not recorded" not in svg


def test_a_study_that_does_not_say_who_was_screened():
    data = loaded()
    found = flow.analyse(data)
    assert "not recorded" in table_cohort.table_flow(found).rows[0].cells
    assert "not recorded" in plot_cohort.plot_flow(found).svg


def test_left_out_arms_are_a_step_of_their_own():
    steps = loaded(arms=["A", "C"]).flow
    overall = steps[steps["group"] == "overall"].set_index("step")["count"].to_dict()
    assert overall == {"treated": 52, "arms": 27, "analysed": 27}


def test_one_patient_more_is_one_more_in_every_box(tmp_path):
    before = flow.analyse(loaded(write_study(tmp_path / "six")), (6, 12))
    tables = good_tables()
    lesion, new = tables["lesions"]["lesion_id"].str.startswith("SYN-06"), "SYN-07"
    copies = {
        name: frame[
            frame["lesion_id"].str.startswith("SYN-06") if name == "measurements" else frame["patient_id"] == "SYN-06"
        ]
        for name, frame in tables.items()
    }
    assert lesion.any()
    changes = {
        name: (lambda frame, rows=rows: pd.concat([frame, rows.replace("SYN-06", new, regex=True)], ignore_index=True))
        for name, rows in copies.items()
    }
    after = flow.analyse(loaded(write_study(tmp_path / "seven", **changes)), (6, 12))
    for output in set(before.frames) - {"data_queries"}:
        merged = before[output].merge(
            after[output], on=[c for c in ("variable", "group", "time") if c in before[output]]
        )
        assert len(merged) == len(before[output])
        grown = merged["count_y"] - merged["count_x"]
        assert grown[merged["group"].isin(["A", "B"])].eq(0).all()
        # A patient without a usable sample is none in any marker box, twice as well.
        assert grown[merged["group"].isin(["C", "overall"])].eq(1).all() or output == "flow_marker"


@pytest.mark.parametrize(
    "parameters", [{}, {"arms": ["B"]}, {"cutoff": "2021-06-30"}, {"subgroup": "sex", "subgroup_values": ["M"]}]
)
def test_every_table_agrees_with_the_flow(parameters):
    data = dataset.load("efficacy", study=RAIR, **parameters)
    analyses = [
        *(survival.analyse(data, endpoint) for endpoint in data.study.endpoints),
        response.analyse(data, (6, 12)),
        markers.analyse_volume(data, (6, 12)),
        markers.analyse_marker(data, data.study.marker("tg")),
        baseline.analyse_baseline(data),
    ]
    assert flow.check_counts(flow.analyse(data, (6, 12)), analyses) > 50


@pytest.mark.parametrize(
    ("output", "change"),
    [("median", 1), ("objective_response_treated", -1), ("tg_level", 1), ("baseline_number", -1), ("landmark", 100)],
)
def test_a_denominator_that_differs_is_refused(output, change):
    data = loaded()
    makers = {
        "median": lambda: survival.analyse(data, data.study.primary),
        "landmark": lambda: survival.analyse(data, data.study.primary),
        "objective_response_treated": lambda: response.analyse(data, (6, 12)),
        "tg_level": lambda: markers.analyse_marker(data, data.study.marker("tg")),
        "baseline_number": lambda: baseline.analyse_baseline(data),
    }
    analysis = makers[output]()
    frame = analysis[output].copy()
    column = "n" if "n" in frame else "n_risk"
    frame["n"] = frame[column] + change
    wrong = replace(analysis, frames={**analysis.frames, output: frame})
    with pytest.raises(flow.CountsDifferError, match=output):
        flow.check_counts(flow.analyse(data, (6, 12)), [wrong])


def test_events_may_exceed_patients_but_patients_may_not():
    data = loaded()
    found = flow.analyse(data)
    frame = pd.DataFrame({"group": ["A"], "n": [99], "method": ["events by grade"], "unit": ["events"]})
    assert flow.check_counts(found, [Analysis(None, "x", {"other_events": frame})]) == 0
    with pytest.raises(flow.CountsDifferError, match=r"other_events \(x, A\) counts 99 patients, the participant flow 14"):
        flow.check_counts(found, [Analysis(None, "x", {"other_events": frame.assign(unit="patients")})])
    with pytest.raises(flow.CountsDifferError, match="counts 99 patients"):
        flow.check_counts(found, [Analysis(None, "x", {"other_events": frame.drop(columns="unit")})])


def test_every_report_ends_with_the_check():
    page = report.start("cohort", {"study": RAIR})
    page.record(baseline.analyse_baseline(page.data))
    assert page.check().record["ok"]


def test_enrolment_is_recounted():
    found = flow.analyse_enrolment(loaded())
    raw = pd.read_csv(f"{RAIR}/patients.csv", parse_dates=["time_zero"])
    expected = raw.groupby([raw["time_zero"].dt.year, "arm"]).size()
    by_year = found["enrolment"].set_index(["time", "group"])["count"]
    assert {key: by_year[key] for key in expected.index} == expected.to_dict()
    assert by_year.xs("overall", level="group").sum() == 52
    assert found["starts"].groupby("arm", observed=True)["cumulative"].max().to_dict() == {"A": 14, "B": 25, "C": 13}
    assert isinstance(flow.analyse_enrolment(loaded("data/colon")), Absent)
