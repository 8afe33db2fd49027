"""Two sheets of one row per patient: asked whether they belong together, joined by the ids and by nothing else."""

import pandas as pd
import pytest

from lib.intake.new_study.reading import proposed, read_sheets

N = 12
IDS = [f"P{i:02d}" for i in range(1, N + 1)]
BASE = pd.DataFrame({"patient_id": IDS, "arm": ["A", "B"] * 6, "age": range(40, 52)})
AFTER = pd.DataFrame({"patient_id": IDS, "os_months": range(3, 15), "os_status": ["dead", "alive"] * 6})


def _proposed(folder, sheets, answers=None):
    with pd.ExcelWriter(folder / "x.xlsx") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return proposed("x", read_sheets([folder / "x.xlsx"]), answers)


@pytest.mark.parametrize(
    "sheets",
    [
        {"baseline": BASE, "follow-up": AFTER},
        {"follow-up": AFTER, "baseline": BASE},
        {"a": BASE, "b": AFTER.sample(frac=1, random_state=2)},
        {"a": BASE, "b": AFTER.rename(columns={"patient_id": "Pat. No"})},
        {"基线": BASE.rename(columns={"patient_id": "编号", "arm": "组别", "age": "年龄"}), "随访": AFTER.set_axis(["编号", "生存时间（月）", "生存状态"], axis=1).replace({"dead": "死亡", "alive": "存活"})},
        {"a": BASE, "b": AFTER, "notes": pd.DataFrame({"remark": ["made by hand"]})},
        {"a": BASE, "b": AFTER.iloc[:11]},
    ],
)  # fmt: skip
def test_sheets_of_one_row_per_patient_are_joined_by_their_ids_as_answered(tmp_path, sheets):
    new = _proposed(tmp_path, sheets)
    (key,) = new.proposal.questions.open
    assert set(new.proposal.questions.open[key].options) == {"join", "leave out"}
    new = _proposed(tmp_path, sheets, {key: "join"})
    study, patients = new.proposal.study, new.tables["patients"]
    assert not new.proposal.questions.open
    assert [arm["value"] for arm in study["arms"]] == ["A", "B"]
    frame, columns = patients.frame.set_index(patients.columns["patient_id"]), patients.columns
    (endpoint,) = study["endpoints"]
    time, status = columns[endpoint["time"]["column"]], columns[endpoint["event"]["column"]]
    for number, patient in enumerate(IDS):
        if patient in frame.index:
            of = frame.loc[patient]
            assert of[columns["arm"]] == "AB"[number % 2]
            assert pd.isna(of[time]) or float(of[time]) == number + 3
            assert pd.isna(of[status]) or (of[status] == endpoint["event"]["event"]) == (number % 2 == 0)
    assert len(frame) in (N, 11)


@pytest.mark.parametrize("answer", ["leave out", "join"])
def test_what_both_sheets_name_alike_stays_apart(tmp_path, answer):
    sheets = {"a": BASE.assign(os_months=range(3, 15), os_status=["dead", "alive"] * 6), "b": pd.DataFrame({"patient_id": IDS, "age": range(90, 102), "smoker": ["yes", "no"] * 6})}
    (key,) = _proposed(tmp_path, sheets).proposal.questions.open
    frame = _proposed(tmp_path, sheets, {key: answer}).tables["patients"].frame
    assert list(frame["age"]) == [str(age) for age in range(40, 52)]
    assert ("age (b)" in frame and "smoker" in frame) == (answer == "join")


@pytest.mark.parametrize(
    "other",
    [
        pd.DataFrame({"patient_id": [f"X{i}" for i in range(N)], "smoker": ["yes", "no"] * 6}),  # other patients
        pd.DataFrame({"patient_id": [IDS[0]] * N, "smoker": ["yes", "no"] * 6}),  # several rows of one
        pd.DataFrame({"remark": ["yes", "no"] * 6}),  # nobody's
        pd.DataFrame({"patient_id": IDS[:1], "smoker": ["yes"]}),
    ],
)
def test_other_sheets_are_not_asked_about(tmp_path, other):
    sheets = {"a": BASE.assign(os_months=range(3, 15), os_status=["dead", "alive"] * 6), "b": other}
    new = _proposed(tmp_path, sheets)
    assert not new.proposal.questions.open
    assert new.others == ["b"]
