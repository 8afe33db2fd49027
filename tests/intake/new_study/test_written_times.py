"""Times with a sign behind those that are censored: always a question, and what each answer makes of the file."""

import pytest

from lib.intake.new_study.reading import proposed, read_sheets

N = 30
CENSORED = N // 3


def _read(folder, header, cell, *more):
    """The sheets of a file of patients in two arms, each third of them with whatever `cell` writes of them."""
    rows = ["\t".join([f"P{i}", "AB"[i % 2], cell(i), *(kind(i) for kind in more)]) for i in range(N)]
    (folder / "a.tsv").write_text("\n".join(["\t".join(["id", "arm", *header]), *rows]), encoding="utf-8")
    return read_sheets([folder / "a.tsv"])


def _marked(number, sign="+"):
    return lambda i: f"{number(i)}{sign if i % 3 == 0 else ''}"


TENTHS, DAYS, COMMAS = (lambda i: f"{1.5 * i + 0.3:.1f}"), (lambda i: str(7 * i + 3)), (lambda i: f"{i},5")
ASKED = {
    "OS (months)": (_marked(TENTHS), "months"), "OS [days]": (_marked(DAYS, "*"), "days"), "PFS days": (_marked(DAYS, " +"), "days"),
    "生存时间(月)": (_marked(TENTHS), "months"), "无进展生存期（月）": (_marked(TENTHS), "months"), "生存期間(月)": (_marked(DAYS), "months"),
    "Überleben (Monate)": (_marked(COMMAS), "months"), "Survie (mois)": (_marked(TENTHS, "*"), "months"), "TTP_weeks": (_marked(DAYS), "weeks"),
    "Tiempo (meses)": (_marked(TENTHS), "months"), "time_days": (_marked(DAYS), "days"),
}  # fmt: skip


@pytest.mark.parametrize("column", ASKED)
def test_a_sign_behind_times_is_asked_and_makes_them_censored(tmp_path, column):
    cell, unit = ASKED[column]
    sheets = _read(tmp_path, [column], cell)
    (key,) = proposed("x", sheets).proposal.questions.open
    assert key in (f"+ in {column}", f"* in {column}")
    assert not proposed("x", sheets).proposal.study["endpoints"], "before it is answered, nothing is made of it"
    new = proposed("x", sheets, {key: "censored"})
    assert not new.proposal.questions.open
    (endpoint,) = new.proposal.study["endpoints"]
    patients = new.tables["patients"]
    status, time = (patients.frame[patients.columns[endpoint[part]["column"]]] for part in ("event", "time"))
    assert (endpoint["event"]["event"], endpoint["event"]["censored"], endpoint["time"]["unit"]) == ("event", "censored", unit)
    assert status.tolist() == ["censored" if i % 3 == 0 else "event" for i in range(N)]
    assert [float(value) for value in time] == [float(cell(i).rstrip("+* ").replace(",", ".")) for i in range(N)]
    signs = new.changes[new.changes["why"].str.contains("behind a number")]
    assert len(signs) == CENSORED and set(signs["column"]) == {column}


def test_a_sign_that_says_nothing_leaves_the_numbers(tmp_path):
    sheets = _read(tmp_path, ["OS (months)", "death"], _marked(TENTHS), lambda i: str(int(i % 3 > 0)))
    new = proposed("x", sheets, {"+ in OS (months)": "nothing"})
    assert [e["event"]["column"] for e in new.proposal.study["endpoints"]] == ["death"]
    assert "OS status" not in new.tables["patients"].frame
    text = proposed("x", sheets, {"+ in OS (months)": "text"})
    assert not text.proposal.study["endpoints"] and not len(text.changes)


def test_two_times_are_two_questions(tmp_path):
    sheets = _read(tmp_path, ["PFS (months)", "OS (months)"], _marked(TENTHS), lambda i: f"{2.5 * i + 9}{'+' if i % 2 else ''}")
    new = proposed("x", sheets, {"+ in PFS (months)": "censored", "+ in OS (months)": "censored"})
    happened = {e["short"]: new.tables["patients"].frame[f"{e['short']} status"].eq("event").sum() for e in new.proposal.study["endpoints"]}
    assert happened == {"PFS": N - CENSORED, "OS": N // 2}


@pytest.mark.parametrize("cells", ["1+ 2+ 3+ 1 2 3", "+ - ++ + - ++", "10+ 20* 30 41 52 63 77", "1.5+ 2.5+", "1.5+ 2.5 n.a. bad 3.5"])
def test_grades_and_other_signs_are_not_asked(tmp_path, cells):
    """Urine protein; results; two signs; a column in which each has one; words."""
    cells = cells.split()
    questions = proposed("x", _read(tmp_path, ["protein", "os_days", "death"], lambda i: cells[i % len(cells)], DAYS, lambda i: str(i % 2))).proposal.questions
    assert not [key for key in questions.open if " in protein" in key and key[0] in "+*"]


YEARS = (lambda i: i // 12), (lambda i: i % 12 + 1)
WORDS = {
    "years and months": ("survival", lambda y, m: f"{y} years {m} months", "months"),
    "short": ("OS", lambda y, m: f"{y}y{m}mo" if y else f"{m}mo", "months"),
    "Chinese": ("生存时间", lambda y, m: f"{y}年{m}个月" if y else f"{m}个月", "months"),
    "Japanese": ("生存期間", lambda y, m: f"{y}年{m}か月", "months"),
    "Korean": ("생존기간", lambda y, m: f"{12 * y + m}개월", "months"),
    "German": ("Zeit", lambda y, m: f"{y} Jahre {m} Monate" if y else f"{m} Monate", "months"),
    "French": ("délai", lambda y, m: f"{y} ans {m} mois", "months"),
    "the unit is in the name": ("OS (months)", lambda y, m: f"{y} yr {m} mths", "months"),
    "months alone": ("OS", lambda y, m: f"{12 * y + m} mo", "months"),
    "with a decimal comma": ("Beobachtungszeit", lambda y, m: f"{12 * y + m},5 Monate", "months"),
    "days": ("os time", lambda y, m: f"{12 * y + m}d", "days"),
    "weeks and days": ("OS time", lambda y, m: f"{12 * y + m} weeks 3 days", "days"),
    "months and days": ("OS time", lambda y, m: f"{12 * y + m} months 3 days", "days"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_a_time_in_words_is_a_number_with_its_unit(tmp_path, case):
    header, cell, unit = WORDS[case]
    sheets = _read(tmp_path, [header, "death"], lambda i: cell(*(part(i) for part in YEARS)), lambda i: str(i % 2))
    new = proposed("x", sheets)
    assert not new.proposal.questions.open
    (endpoint,) = new.proposal.study["endpoints"]
    patients = new.tables["patients"]
    months, factor = range(1, N + 1), {"weeks and days": 7, "months and days": 30.4375}.get(case, 1)
    more = {"with a decimal comma": 0.5, "weeks and days": 3, "months and days": 3}.get(case, 0)
    assert endpoint["time"]["unit"] == unit
    assert [float(value) for value in patients.frame[patients.columns[endpoint["time"]["column"]]]] == pytest.approx([factor * m + more for m in months])
    assert new.changes["why"].str.contains("a time in words").sum() == N


@pytest.mark.parametrize("cell", [
    lambda i: f"{2000 + i % 20}年{i % 12 + 1}月", lambda i: f"{i % 12 + 1}月{i % 28 + 1}日", lambda i: f"{i % 12 + 1}月", lambda i: f"{i} mg", lambda i: f"{i % 3 + 1} months",
])  # fmt: skip
def test_dates_doses_and_visits_are_no_times_in_words(tmp_path, cell):
    new = proposed("x", _read(tmp_path, ["when", "os_days", "death"], cell, DAYS, lambda i: str(i % 2)))
    assert not new.changes["why"].str.contains("in words").any()
    assert [e["time"]["unit"] for e in new.proposal.study["endpoints"]] == ["days"]


def test_unknown_times_are_no_words_among_them(tmp_path):
    unknown = {4: "NA", 9: "不详", 14: "-", 19: ""}
    sheets = _read(tmp_path, ["OS (months)", "PFS"], lambda i: unknown.get(i) or _marked(TENTHS)(i), lambda i: unknown.get(i) or f"{i + 1}个月")
    assert "+ in OS (months)" in proposed("x", sheets).proposal.questions.open
    frame = proposed("x", sheets, {"+ in OS (months)": "censored"}).tables["patients"].frame
    assert frame["PFS (months)"].iloc[[3, 5]].tolist() == ["4", "6"]
    assert frame["OS status"].isna().sum() == len([i for i in unknown if i != 19])


def test_the_status_beside_a_time_takes_no_name_that_is_there(tmp_path):
    header = ["OS (months)", "OS status", "OS (months) status", "nothing"]
    sheets = _read(tmp_path, header, _marked(TENTHS), lambda i: "x", lambda i: "y", lambda i: "")
    frame = proposed("x", sheets, {"+ in OS (months)": "censored"}).tables["patients"].frame
    assert (frame["OS status (2)"] == "censored").sum() == CENSORED
