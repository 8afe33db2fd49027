"""The synthetic cohort in data/rair_dtc: what a physician who treats the disease would not believe is not in it."""

import datetime as dt
import sys

import numpy as np
import pandas as pd
import pytest
from cohort_tables import ARMS, CUTOFF, FOLDER, MONTH, read
from scipy import stats

from lib.statistics import contingency

pytestmark = pytest.mark.thorough

HALF_LIFE = 59.4  # days, iodine-125
SEVERE_LIMITS = {"alt": 3, "ast": 3, "bili": 1.5, "alp": 2.5, "trig": 2.01, "uprot": 6.67, "sbp": 1.17}  # grade 2, x limit
TERM_OF = {
    "alt": "Alanine aminotransferase increased", "ast": "Aspartate aminotransferase increased",
    "bili": "Blood bilirubin increased", "trig": "Hypertriglyceridemia", "uprot": "Proteinuria", "sbp": "Hypertension",
}  # fmt: skip
# First and last days of public holidays that nobody can move: 1 January, 1 to 3 May or 1 May, 1 to 7 October, and the
# New Year of the moon (computed by astronomers, so not in a rule): eve to third day.
NEW_YEARS = ["2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29"]
DIAMETERS = ["longest_mm", "short_mm", "third_mm"]


def test_volume_falls_as_the_dose_is_delivered(tables):
    """Seeds alone: slow at first, most of the fall by three half-lives; with the drug it is sooner; untreated nothing shrinks."""
    m = tables["measurements"].query("target == 1").assign(volume=lambda f: f[DIAMETERS].prod(axis=1))
    progressed = read("patients").set_index("patient_id")["local_progression_date"]
    m = m[~(m["assessment_date"] >= m["patient_id"].map(progressed))]
    wide = m.pivot_table(index=["arm", "treated", "lesion_id"], columns="visit", values="volume")
    fall = 1 - wide.div(wide[0], axis=0)
    # the same lesions at every visit, or those that fail early would drop out
    seeds, both = (fall.loc[arm, 1].dropna(subset=[3, 6, 12]).median() for arm in "BC")
    assert seeds[1] < 0.25  # 30 % of the dose is delivered, and little of what it killed is gone
    assert seeds[1] < seeds[3] < seeds[6] <= seeds[12] + 0.05
    half = 1 - 0.5 ** (91 / HALF_LIFE)
    assert seeds[3] < half * seeds[12]  # the volume lags behind the dose
    assert seeds[6] > 0.55 * seeds[12]
    assert both[1] > seeds[1] and both[3] > seeds[3]
    assert fall.loc["B", 0][[1, 3, 6]].max().max() < 0.25  # nothing but the error of measurement
    dose = tables["treatments"].query("component == 'seeds' and line == 1").set_index("lesion_id")["d90_gy"]
    at_6 = fall.loc[["B", "C"]][6].dropna().droplevel(["arm", "treated"])
    at_6 = at_6[at_6.index.isin(dose.index)]
    assert stats.spearmanr(dose[at_6.index], at_6).statistic > 0.1  # more with more


def test_markers(tables):
    samples = tables["markers"]
    units = {"tg": "ng/mL", "tgab": "IU/mL", "tsh": "mIU/L", "alt": "U/L", "ast": "U/L", "alp": "U/L", "bili": "µmol/L",
             "trig": "mmol/L", "uprot": "g/g", "sbp": "mmHg"}  # fmt: skip
    assert dict(samples.groupby("marker")["unit"].unique().str.join(",")) == units
    assert (samples["value"] > 0).all()
    tumour = samples[samples["marker"].isin(["tg", "tgab", "tsh"])]
    assert set(tumour["state"].dropna()) == {"suppressed"}
    assert (tumour["state"].isna() == tumour["state"].isna().groupby([tumour["patient_id"], tumour["visit"]]).transform("any")).all()
    tsh = tumour[tumour["marker"] == "tsh"]
    assert (tsh["state"].notna() == (tsh["value"] <= 0.5)).all() and tsh["state"].isna().any()
    tg = samples[samples["marker"] == "tg"]
    below = samples[samples["below_limit"] == 1]
    assert 3 <= (below["marker"] == "tg").sum() <= 9
    assert (below["value"] == below["limit"]).all()
    assert not (samples["below_limit"] & samples["above_limit"]).any()
    assert not samples.duplicated(["patient_id", "visit", "marker"]).any()
    assert tg.groupby("patient_id")["visit"].min().eq(0).all()
    assert (tg["visit"] > 12).groupby(tg["arm"]).sum().min() >= 10
    late = tg["sample_date"] > tg["patient_id"].map(read("patients").set_index("patient_id")["local_progression_date"])
    assert late.sum() >= 20  # sampled after progression too


def test_assays_changed(tables):
    """What an assay can measure changed on one day, and with it the limits; above them the limit stands for the value."""
    samples = tables["markers"].assign(new=lambda f: f["sample_date"] >= "2020-07-01")
    for marker, (old, new) in {"tg": ((0.1, 1000), (0.04, 500)), "tsh": ((0.01, 100), (0.005, 100))}.items():
        for changed, (low, high) in ((False, old), (True, new)):
            own = samples[(samples["marker"] == marker) & (samples["new"] == changed)]
            assert set(own["limit"]) == {low}
            assert own["value"].min() >= low
            above = own[own["above_limit"] == 1]
            assert (above["value"] == high).all()
            assert marker == "tg" or above.empty
    tg = samples[samples["marker"] == "tg"]
    assert 5 <= tg["above_limit"].sum() <= 16
    assert ((tg["value"] > 500) & tg["new"]).any()  # diluted and measured again


def test_digits_as_machines_print_them():
    cells = pd.read_csv(FOLDER / "markers.csv", dtype=str, keep_default_na=False)
    decimals = {"alt": 0, "ast": 0, "alp": 0, "sbp": 0, "bili": 1, "trig": 2, "uprot": 2}
    measured = cells[(cells["below_limit"] == "0") & (cells["above_limit"] == "0")]
    for row in measured.itertuples():
        places = len(row.value.partition(".")[2])
        if row.marker in decimals:
            assert places == decimals[row.marker], row
        elif row.marker in ("tg", "tsh"):
            value = float(row.value)
            assert places == (3 if value < 1 else 2 if value < 100 else 1 if value < 1000 else 0), row
    treatments = pd.read_csv(FOLDER / "treatments.csv", dtype=str, keep_default_na=False)
    assert treatments.loc[treatments["d90_gy"] != "", "d90_gy"].str.fullmatch(r"[0-9]+[.][0-9]").all()
    pressure = measured[measured["marker"] == "sbp"]["value"].astype(int)
    assert (pressure % 2 == 0).all()


def test_thyrotropin_and_thyroxine(tables):
    """Nobody without a thyroid is hypothyroid: TSH rises under the drug, is an event above the limit, and comes down again."""
    tsh = tables["markers"].query("marker == 'tsh'")
    events = tables["adverse_events"].query("term == 'Thyroid stimulating hormone increased'")
    assert not tables["adverse_events"]["term"].str.contains("ypothyroid").any()
    assert (events["grade"] == 1).all() and not (events["arm"] == "B").any()
    drug = tables["treatments"].query("component == 'anlotinib' and line == 1").set_index("patient_id")
    for event in events.itertuples():
        own = tsh[tsh["patient_id"] == event.patient_id].set_index("sample_date")["value"]
        assert own[event.onset_date] > 4.2
        assert own[own.index < event.onset_date].max() < 4.2
        after = own[own.index > event.onset_date]
        assert (after < 4.2).all()  # more thyroxine was given
        if pd.isna(event.end_date):
            assert (after.index < event.onset_date + pd.Timedelta(days=42)).all()
        else:
            assert (event.end_date - event.onset_date).days >= 42 and 0.05 <= own[event.end_date] <= 2
        assert event.onset_date > drug.loc[event.patient_id, "start_date"]
    high = tsh[tsh["value"] > 4.2].merge(events[["patient_id", "onset_date", "end_date"]], on="patient_id", how="left")
    assert high["sample_date"].between(high["onset_date"], high["end_date"].fillna(CUTOFF)).groupby(high.index).any().all()
    assert high["value"].max() < 10
    early = tsh[tsh["visit"].isin([1, 3])].groupby("arm")["value"].median()
    assert min(early["A"], early["C"]) > 2 * early["B"]
    assert tsh[tsh["visit"] == 0].groupby("arm")["value"].median().max() < 0.1


def test_laboratory_values_agree_with_events(tables):
    """A value of grade 2 or more has its event on that day, and an event that a value decides has the value."""
    samples, events = tables["markers"].dropna(subset="reference_high"), tables["adverse_events"]
    for marker, term in TERM_OF.items():
        own = samples[samples["marker"] == marker].assign(ratio=lambda f: f["value"] / f["reference_high"])
        of_term = events[events["term"] == term]
        high = own[own["ratio"] > SEVERE_LIMITS[marker]].reset_index()
        pairs = high.merge(of_term[["patient_id", "onset_date", "end_date", "grade"]], on="patient_id")
        during = pairs["sample_date"].between(pairs["onset_date"], pairs["end_date"].fillna(CUTOFF)) & (pairs["grade"] >= 2)
        assert set(high["index"]) == set(pairs.loc[during, "index"]), marker
        began = of_term.merge(own, left_on=["patient_id", "onset_date"], right_on=["patient_id", "sample_date"])
        assert (began["ratio"] > 1).all()
        assert len(began) >= 0.8 * len(of_term)  # a tube is lost now and then
        if marker == "sbp":  # pressure is measured whenever it is called high, and is of the grade it is called
            assert len(began) == len(of_term)
            assert (pd.cut(began["value"], [119, 139, 159, 300], labels=False) + 1 == began["grade"]).all()
    liver = {m: samples[samples["marker"] == m].set_index(["patient_id", "sample_date"]) for m in ("alt", "bili")}
    ratio = {m: frame["value"] / frame["reference_high"] for m, frame in liver.items()}
    injured = set(ratio["alt"][ratio["alt"] >= 3].index.get_level_values(0))
    jaundiced = set(ratio["bili"][ratio["bili"] > 2].index.get_level_values(0))
    assert len(injured) >= 2 and not injured & jaundiced  # something to see, and no case of Hy's law
    by_sex = samples[samples["marker"] == "alt"].merge(read("patients")[["patient_id", "sex"]], on="patient_id")
    assert by_sex.groupby("sex")["reference_high"].unique().str[0].to_dict() == {"F": 40, "M": 50}


def test_adverse_events(tables):
    events, n = tables["adverse_events"], np.array([14, 25, 13])
    affected = lambda rows: rows.groupby("arm")["patient_id"].nunique().reindex(ARMS, fill_value=0).to_numpy()  # noqa: E731
    assert 165 <= len(events) <= 220
    assert (events["grade"] <= 2).mean() >= 0.9  # P14
    for chosen in (events, events[events["grade"] >= 3]):
        assert contingency.exact_test([affected(chosen), n - affected(chosen)]).p_value > 0.05
    procedural = events["related"].isin(["procedure", "both"])
    assert not (procedural & (events["grade"] >= 3)).any()  # P15
    assert events["grade"].max() == 3
    hypertension = affected(events[events["term"] == "Hypertension"])
    assert hypertension[1] == 0 < min(hypertension[0], hypertension[2])
    assert set(events.loc[events["arm"] == "A", "related"]) <= {"drug", "no"}
    assert set(events.loc[events["arm"] == "B", "related"]) <= {"procedure", "no"}
    assert not events.duplicated(["patient_id", "term", "onset_date"]).any()
    assert ((events["outcome"] == "recovered") == events["end_date"].notna()).all()


def test_events_lie_in_the_exposure(tables):
    """Every event begins under treatment or in its risk window; those of the drug in the time on it, late ones included."""
    events = tables["adverse_events"].reset_index()
    study = tables["treatments"].query("line == 1")
    drug = study[study["component"] == "anlotinib"].set_index("patient_id")
    of_drug = events[events["related"].isin(["drug"])]
    start = of_drug["patient_id"].map(drug["start_date"])
    end = of_drug["patient_id"].map(drug["end_date"]).fillna(of_drug["last_contact_date"])
    assert of_drug["onset_date"].between(start, end).all()
    after_half_year = (of_drug["onset_date"] - start).dt.days > 182
    assert 0.15 < after_half_year.mean() < 0.6
    seeds = study[study["component"] == "seeds"][["patient_id", "start_date"]]
    pairs = events[events["related"].isin(["procedure", "both"])].merge(seeds, on="patient_id")
    days = (pairs["onset_date"] - pairs["start_date"]).dt.days
    assert days.between(0, 180).groupby(pairs["index"]).any().all()
    for _, own in events.sort_values("onset_date").groupby(["patient_id", "term"]):
        assert (own["end_date"].iloc[:-1].to_numpy() < own["onset_date"].iloc[1:].to_numpy()).all()  # no term twice at once
    lungs = tables["lesions"].query("site == 'lung' and treated == 1")["patient_id"]
    assert set(events.loc[events["term"].isin(["Pneumothorax", "Chest wall pain"]), "patient_id"]) <= set(lungs)


def test_terms_of_ctcae(tables):
    """Terms and their classes as CTCAE v5.0 has them; typed here from it, not from study.yml."""
    classes = {
        "Hypertension": "Vascular", "Hematoma": "Vascular", "Palmar-plantar erythrodysesthesia syndrome": "Skin",
        "Rash maculo-papular": "Skin", "Diarrhea": "Gastro", "Mucositis oral": "Gastro", "Nausea": "Gastro",
        "Fatigue": "General", "Neck pain": "Musculo", "Chest wall pain": "Musculo", "Proteinuria": "Renal",
        "Alanine aminotransferase increased": "Investigations", "Aspartate aminotransferase increased": "Investigations",
        "Blood bilirubin increased": "Investigations", "Cholesterol high": "Investigations",
        "Thyroid stimulating hormone increased": "Investigations", "Weight loss": "Investigations",
        "Hypertriglyceridemia": "Metabolism", "Anorexia": "Metabolism", "Cough": "Respiratory", "Hoarseness": "Respiratory",
        "Epistaxis": "Respiratory", "Pneumothorax": "Respiratory", "Bronchopulmonary hemorrhage": "Respiratory",
        "Dermatitis radiation": "Injury", "Lung infection": "Infections",
    }  # fmt: skip
    found = tables["adverse_events"].drop_duplicates("term")
    assert all(system.startswith(classes[term]) for term, system in zip(found["term"], found["system"], strict=True))


def test_doses_follow_events(tables):
    """As many steps down as events that led to one, each in the time on the drug; every grade 3 of the drug changed it."""
    drug = tables["treatments"].query("component == 'anlotinib' and line == 1").set_index("patient_id")
    events = tables["adverse_events"]
    steps = ((drug["start_dose"] - drug["lowest_dose"]) // 2).astype(int)
    reduced = events[events["action"] == "reduced"]
    assert reduced.groupby("patient_id").size().to_dict() == steps[steps > 0].to_dict()
    assert 0.3 < (steps > 0).mean() < 0.45
    changed = events[events["action"] != "none"]
    lung = changed["term"].isin(["Pneumothorax", "Bronchopulmonary hemorrhage"])
    assert (changed["grade"] >= 2)[~lung].all() and changed["related"].isin(["drug", "both"]).all()
    assert changed["onset_date"].between(changed["patient_id"].map(drug["start_date"]),
                                         changed["patient_id"].map(drug["end_date"]).fillna(CUTOFF)).all()  # fmt: skip
    severe = events[(events["grade"] >= 3) & events["related"].isin(["drug", "both"])]
    assert (severe["action"] != "none").all()
    stopped = events[events["action"] == "stopped"]
    days = (stopped["patient_id"].map(drug["end_date"]) - stopped["onset_date"]).dt.days
    assert len(stopped) == 2 and days.between(0, 10).all()
    # nothing else is given to who stops alone: it does not go on shrinking for years
    p = read("patients").set_index("patient_id")
    alone = stopped.loc[stopped["arm"] == "A", "patient_id"]
    assert len(alone) == 1
    assert (p.loc[alone, "local_progression_date"] - drug.loc[alone, "end_date"]).dt.days.between(1, 366).all()


def test_lung_is_implanted_before_the_drug(tables):
    """Seven days at least, unless the last session is too late for both to begin within 21; an injury on the drug interrupts it."""
    line = tables["treatments"].query("line == 1").merge(tables["lesions"][["lesion_id", "site"]], on="lesion_id", how="left")
    drug = line[(line["component"] == "anlotinib") & (line["arm"] == "C")].set_index("patient_id")
    lung = line[(line["site"] == "lung") & (line["arm"] == "C")].groupby("patient_id")["start_date"].max()
    zero, start = drug.loc[lung.index, "time_zero"], drug.loc[lung.index, "start_date"]
    clear = (start - lung).dt.days >= 7
    assert clear.sum() >= 3 and ((lung - zero).dt.days[~clear] > 13).all()
    first = line[line["component"] == "seeds"].groupby("patient_id")["start_date"].min()
    assert (drug["start_date"] - first[drug.index]).dt.days.abs().max() <= 21
    events = tables["adverse_events"]
    injury = events[events["term"].isin(["Pneumothorax", "Bronchopulmonary hemorrhage"]) & (events["arm"] == "C")]
    after = injury["onset_date"] >= injury["patient_id"].map(drug["start_date"])
    of_seeds = injury[after & injury["related"].isin(["procedure", "both"])]
    assert (of_seeds["related"] == "both").all() and (of_seeds["action"] == "interrupted").all()
    assert (injury.loc[~after, "action"] == "none").all()


def test_follicular_carcinoma_spreads_by_the_blood(tables):
    """It is seldom in the nodes of the neck, which papillary carcinoma is in most."""
    p, lesions = read("patients").set_index("patient_id"), tables["lesions"]
    node = p.index.isin(lesions.loc[lesions["site"] == "cervical_lymph_node", "patient_id"])
    share = pd.crosstab(node, p["histology"], normalize="index")
    assert share.loc[True, "FTC"] <= 0.1 < share.loc[False, "FTC"]
    assert share.loc[True, "PTC"] >= 0.7
    assert p.groupby("arm")["histology"].nunique().eq(4).all()  # no arm is told by its histology
    assert 0.6 < (p["histology"] == "PTC").mean() < 0.9


def test_nothing_elsewhere_is_known_before_a_scan_that_shows_nothing(tables):
    """Distant progression is no earlier than the last scan without progression, and ends the drug."""
    p = read("patients").set_index("patient_id").dropna(subset="distant_progression_date")
    local = p["local_progression_date"].notna()
    assert (p["distant_progression_date"] >= p["local_progression_date"])[local].all()
    assert (p["distant_progression_date"] > p["last_tumour_assessment"])[~local].all() and (~local).sum() >= 4
    assert (p["distant_progression_date"] <= p["last_contact_date"]).all()
    drug = tables["treatments"].query("component == 'anlotinib' and line == 1").set_index("patient_id")["end_date"]
    on_it = p[~local].join(drug, how="inner")
    assert (on_it["end_date"] <= on_it["distant_progression_date"] + pd.Timedelta(days=7)).all()


def test_last_weeks(tables):
    """Nobody swallows a drug of a later line on the day of death, or recovers from wasting in the two months before it."""
    death = read("patients").set_index("patient_id")["death_date"]
    later = tables["treatments"].query("line > 1 and component != 'seeds'")
    left = (later["patient_id"].map(death) - later["end_date"]).dt.days.dropna()
    assert left.min() >= 7
    events = tables["adverse_events"]
    wasting = events[events["term"].isin(["Weight loss", "Anorexia", "Fatigue"])]
    assert not ((wasting["patient_id"].map(death) - wasting["end_date"]).dt.days <= 60).any()
    assert (wasting["grade"] < 3).all()  # a fifth of the weight


def test_doses_of_the_old(tables):
    """Anlotinib starts at 10 mg from 75 years on, in whichever line."""
    drug = tables["treatments"].query("component == 'anlotinib'")
    born = drug["patient_id"].map(read("patients").set_index("patient_id")["age_years"])
    age = born + (drug["start_date"] - drug["time_zero"]).dt.days / 365.25
    assert (drug["start_dose"] == np.where(age >= 75, 10, 12)).all() and (age[drug["line"] > 1] >= 75).any()
    assert drug["lowest_dose"].between(8, drug["start_dose"]).all()


def test_values_are_normal_when_an_event_ends(tables):
    """What a value decided does not end while the value is still high."""
    samples, events = tables["markers"].dropna(subset="reference_high"), tables["adverse_events"]
    for marker, term in TERM_OF.items():
        if marker != "sbp":  # drugs control it while the event lasts
            own = samples[samples["marker"] == marker].assign(ratio=lambda f: f["value"] / f["reference_high"])
            pairs = events[events["term"] == term].merge(own, on="patient_id")
            before = (pairs["end_date"] - pairs["sample_date"]).dt.days
            last = pairs[before.between(0, 21) & (pairs["sample_date"] > pairs["onset_date"])]
            assert (last["ratio"] <= 1).all(), marker


def test_bone_remains(tables):
    """What is measured in bone is its soft tissue: no lesion there vanishes or is too small, and no reader calls it complete."""
    m = tables["measurements"].query("site == 'bone'")
    assert (m["status"] == "measured").all()
    base = m[m["visit"] == 0].set_index("lesion_id")["longest_mm"]
    assert (m["longest_mm"] >= 0.45 * m["lesion_id"].map(base)).all()
    readings = tables["assessments"]
    assert not (readings["patient_id"].isin(m["patient_id"]) & (readings["reader_response"] == "CR")).any()


def test_cause(tables):
    """Weight loss, fatigue and anorexia on the drug are mostly its doing."""
    events = tables["adverse_events"].query("arm != 'B'")
    own = events[events["term"].isin(["Weight loss", "Fatigue", "Anorexia"])]
    assert len(own) >= 8 and (own["related"] == "no").mean() < 0.3


def test_ongoing_treatment_has_no_end(tables):
    """Who lives and is treated at the last contact goes on; only seeds begin and end on one day."""
    t = tables["treatments"].merge(read("patients")[["patient_id", "death"]], on="patient_id")
    drugs = t[t["component"] != "seeds"]
    assert not ((drugs["end_date"] == drugs["last_contact_date"]) & (drugs["death"] == 0)).any()
    assert drugs["end_date"].isna().any() and (drugs["line"][drugs["end_date"].isna()] > 1).any()


def test_later_seeds_go_to_what_grew_most(tables):
    later = tables["treatments"].query("component == 'seeds' and line > 1").set_index("patient_id")
    p, m = read("patients").set_index("patient_id"), tables["measurements"]
    m = m.assign(mm=m["longest_mm"].where(m["site"] != "cervical_lymph_node", m["short_mm"]))
    assert len(later) >= 3
    for patient, row in later.iterrows():
        own = m[(m["patient_id"] == patient) & (m["assessment_date"] <= p.loc[patient, "local_progression_date"])]
        wide = own.pivot(index="assessment_date", columns="lesion_id", values="mm")
        new = own.loc[own["target"] == 0, "lesion_id"]
        assert row["lesion_id"] == (new.iloc[0] if len(new) else (wide.iloc[-1] - wide.min()).idxmax()), patient
        node = (own["site"] == "cervical_lymph_node")[own["lesion_id"] == row["lesion_id"]].all()
        assert not node or wide[row["lesion_id"]].iloc[-1] >= 10, patient


def test_working_days(tables):
    """Scans, samples and treatments fall on Monday to Friday and on no holiday; deaths and contacts on any day."""
    dates = [("measurements", "assessment_date"), ("markers", "sample_date"), ("treatments", "start_date")]
    for name, date in dates:
        days = tables[name][date].drop_duplicates()
        assert days.dt.dayofweek.max() < 5
        assert not holiday(days).any(), days[holiday(days)].tolist()
    assert tables["patients"]["death_date"].dt.dayofweek.max() > 4


def holiday(days: pd.Series) -> pd.Series:
    """Holidays whose day is fixed or told by the moon, without the days around them that each year's notice adds."""
    eves = [pd.Timestamp(day) + pd.Timedelta(days=i) for day in NEW_YEARS for i in range(6)]
    month_day = days.dt.strftime("%m-%d")
    return month_day.isin(["01-01", "05-01", *(f"10-0{i}" for i in range(1, 8))]) & ~days.isin(eves) | days.isin(eves)


def test_workdays_know_the_festivals():
    """The table of the script holds every festival by the calendar of the moon, and no working day in between."""
    sys.path.insert(0, str(FOLDER))
    try:
        from workdays import is_open  # noqa: PLC0415
    finally:
        sys.path.remove(str(FOLDER))
    festivals = ["2018-06-18", "2019-06-07", "2020-06-25", "2021-06-14", "2022-06-03", "2023-06-22", "2024-06-10",
                 "2018-09-24", "2019-09-13", "2020-10-01", "2021-09-21", "2022-09-10", "2023-09-29", "2024-09-17",
                 "2018-04-05", "2019-04-05", "2020-04-04", "2021-04-04", "2022-04-05", "2023-04-05", "2024-04-04"]  # fmt: skip
    assert not any(is_open(dt.date.fromisoformat(day)) for day in [*festivals, *NEW_YEARS])
    days = [dt.date(2018, 1, 1) + dt.timedelta(days=i) for i in range(7 * 365)]
    assert 240 < sum(map(is_open, days)) / 7 < 250  # 115 days of weekends and holidays a year, less those worked in exchange


def test_tumours_grow_as_tumours_do(tables):
    """No lesion doubles its diameter within three months, none is larger than 11 cm, and what vanished was not large."""
    m = tables["measurements"].sort_values("assessment_date")
    own = m[m["status"] == "measured"].groupby("lesion_id")
    months = own["assessment_date"].diff().dt.days / MONTH
    pace = own["longest_mm"].transform(lambda mm: np.log(mm).diff()) / months
    assert pace.max() < np.log(2) / 3
    assert m["longest_mm"].max() <= 110
    gone = m.loc[m["status"] == "absent", "lesion_id"].unique()
    assert m[m["lesion_id"].isin(gone) & (m["visit"] == 0)]["longest_mm"].max() <= 36
