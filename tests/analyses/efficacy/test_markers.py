"""Tumour volume and markers of the shipped cohort against R (tumour.R): rank tests and mixed models."""

import numpy as np
import pytest
from notebook_cells import run_notebook, without_drawing
from numpy.testing import assert_allclose
from reference_data import load_expected
from study_builder import write_study

from lib.analyses.efficacy import marker_models, markers
from lib.analyses.result import Absent, where
from lib.dataset.dataset import load

R = load_expected("tumour")
DATA = load("efficacy")
MARKER = DATA.study.marker("tg")
ANALYSES = {
    "volume": markers.analyse_volume(DATA, (6.0, 12.0)),
    "tg": markers.analyse_marker(DATA, MARKER),
}
MODEL = marker_models.analyse_model(DATA, MARKER)
CASES = [(name, visit) for name in ANALYSES for visit in R[name]]


def read(name, value):
    """R's value on the scale that is read: it tests the logarithm of a marker, which reads as a ratio."""
    return np.exp(value) if name == "tg" else value


@pytest.mark.parametrize(("name", "visit"), CASES)
def test_change_within_arms_equals_r(name, visit):
    """wilcox.exact(d, exact = TRUE); wilcox.test(d, exact = TRUE, conf.int = TRUE) where nothing is tied; median of Walsh averages; exp() of a marker's"""
    within = where(ANALYSES[name][f"{name}_within"], time=float(visit)).set_index("group")
    for arm, expected in R[name][visit]["within"].items():
        row = within.loc[arm]
        assert row["n"] == expected["n"]
        assert_allclose(row["p_value"], expected["p"], rtol=1e-6)
        assert_allclose(row["estimate"], read(name, expected["estimate"]), rtol=1e-6)
        if expected["ci"]:
            assert_allclose([row["ci_low"], row["ci_high"]], read(name, expected["ci"]), rtol=1e-6)


@pytest.mark.parametrize(("name", "visit"), CASES)
def test_comparisons_of_arms_equal_r(name, visit):
    """kruskal.test(d ~ arm); Dunn 1964 with p.adjust("holm"); wilcox.test(x, y, exact = TRUE, conf.int = TRUE); exp() of a marker's"""
    analysis, expected, at = ANALYSES[name], R[name][visit], float(visit)
    overall = where(analysis[f"{name}_between"], time=at).iloc[0]
    assert_allclose([overall["chisq"], overall["p_value"]], expected["kruskal"], rtol=1e-6)
    pairs = where(analysis[f"{name}_pairwise"], time=at)
    assert_allclose(pairs["p_value"], expected["dunn"], rtol=1e-6)
    assert_allclose(pairs["p_adjusted"], expected["holm"], rtol=1e-6)
    shift = where(analysis[f"{name}_shift"], time=at)
    for row, pair in zip(shift.itertuples(), expected["shift"], strict=True):
        found = row.ratio if name == "tg" else row.difference
        assert_allclose(found, read(name, pair["estimate"]), rtol=1e-6)
        if pair["ci"]:
            assert_allclose([row.ci_low, row.ci_high], read(name, pair["ci"]), rtol=1e-6)


def test_the_mixed_model_equals_r():
    """lmer(log(value) ~ arm * month + (1 | id)); emmeans contrasts and anova with Satterthwaite's df"""
    expected = R["model"]
    variance = MODEL["tg_model_variance"].iloc[0]
    assert_allclose([variance["var_between"], variance["var_within"]], expected["variance"], rtol=1e-5)
    for output, key in (("tg_model_ratio", "within"), ("tg_model_comparison", "between")):
        frame = MODEL[output].sort_values(["group", "time"]) if key == "within" else MODEL[output]
        found = frame[["coef", "std_err", "df", "p_value", "ci_low", "ci_high"]].to_numpy()
        reference = np.column_stack([expected[key][c] for c in ("coef", "se", "df", "p", "low", "high")])
        if key == "between":  # R runs through the pairs fastest
            found = frame.sort_values(["time", "group"])[
                ["coef", "std_err", "df", "p_value", "ci_low", "ci_high"]
            ].to_numpy()
        assert_allclose(found, reference, rtol=2e-6)
    assert_allclose(MODEL["tg_model_term"]["statistic"], expected["f"], rtol=1e-6)
    assert_allclose(MODEL["tg_model_term"]["p_value"], expected["p"], rtol=1e-5)


def test_the_sensitivity_to_all_samples_equals_r():
    """The same lmer, antibody-positive patients included"""
    chosen = where(MODEL["tg_sensitivity"], variable=f"tg: {marker_models.ALL}")
    found = chosen.sort_values(["group", "time"])[["ci_low", "ci_high"]].to_numpy()
    assert_allclose(found, np.column_stack([R["model_all"]["within"][c] for c in ("low", "high")]), rtol=2e-6)
    main = where(MODEL["tg_sensitivity"], variable=f"tg: {marker_models.MAIN}")
    assert_allclose(main["ratio"], MODEL["tg_model_ratio"]["ratio"], rtol=1e-12)


def test_each_choice_of_samples_is_fitted_once(monkeypatch):
    fitted, fit = [], marker_models.mixed.fit_mixed
    monkeypatch.setattr(marker_models.mixed, "fit_mixed", lambda s, **at: fitted.append(len(s)) or fit(s, **at))
    choices = marker_models.analyse_model(DATA, MARKER)["tg_sensitivity"]["variable"].nunique()
    assert len(fitted) == choices > 1


@pytest.mark.parametrize("marker", [None, MARKER], ids=["volume", "tg"])
def test_everybody_counts_once_at_each_visit(marker):
    presence = marker_models.analyse_presence(DATA, marker)
    frame = presence[f"{presence.variable}_presence"]
    totals = frame.groupby(["time", "group"])["count"].sum().unstack()
    assert (totals["overall"] == len(DATA.patients)).all()
    arms = totals.drop(columns="overall")
    assert (arms == DATA.n.rename_axis("group")[arms.columns]).all(axis=None)
    measured = ANALYSES[presence.variable][f"{presence.variable}_level"].set_index(["time", "group"])["n"]
    with_value = where(frame, variable=f"{presence.variable}: value").set_index(["time", "group"])["count"]
    with_value = with_value.drop("overall", level="group")
    assert (measured[with_value.index] == with_value).all()


def test_without_a_fit_the_rank_tests_are_named():
    """Two weeks into the study nobody has a second value."""
    absent = marker_models.analyse_model(load("efficacy", cutoff="2018-06-15"), MARKER)
    assert isinstance(absent, Absent)
    assert "rank tests" in absent.reason
    linear = marker_models.analyse_model(DATA, MARKER.model_copy(update={"scale": "linear"}))
    assert "not analysed on the log scale" in linear.reason


@pytest.mark.notebook
@pytest.mark.parametrize("later", [True, False])
def test_marker_without_declared_visits(later, tmp_path, monkeypatch):
    """Tested at every visit at which it was sampled; with baseline samples only, a sentence stands in their place."""
    folder = write_study(tmp_path / "study", markers=lambda rows: rows if later else rows[rows["visit"].astype(float) == 0])
    text = (folder / "study.yml").read_text("utf-8")
    assert "    visits: [0, 3, 6, 12]\n" in text
    (folder / "study.yml").write_text(text.replace("    visits: [0, 3, 6, 12]\n", ""), "utf-8")
    without_drawing(monkeypatch)
    shown = run_notebook("efficacy", monkeypatch, study=str(folder))
    assert ("no sample after baseline" in str(shown.outputs)) != later
