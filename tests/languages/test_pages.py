"""The reports in another language: the same numbers and results, nothing left in English but names, addresses that stay."""

import io
import json
import re
from collections import Counter

import pandas as pd
import pytest
from designed_studies import write_case
from golden import compare, said
from notebook_cells import NOTEBOOKS, each_week, read_notebook, run_notebook, without_drawing
from random_study import Design, write_random

from lib.analyses.efficacy.survival import analyse as analyse_survival
from lib.dataset.dataset import load
from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.reading import proposed, read_sheets
from lib.languages import speech
from lib.languages.notes import worded
from lib.languages.prose import translated
from lib.languages.speech import in_language, of_user
from lib.publish.pages import prose
from lib.study.parameters import EVERY
from lib.study.study import ROOT, Study, read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

# Names of methods and people, and what codes, files and packages are called: Latin in every language.
NAMES = frozenset(re.findall(r"\S+", """
    Aalen Ahnn Altman Anderson Andersen Armitage Beta Box Breslow Brookmeyer Clark Clopper Cochran Cohen Cox Crowley Ding Dunn Efron Excel Firth
    Fisher Fine Fleiss Freedman Freeman Gray Greenwood Halton Harrell Hartung Hernán Hochberg Hodges Holm Hosmer Hy Jakobsen Jeffreys Johansen
    Kaplan Kish Knapp Kruskal Lehmann Love Mandel Mantel McNemar Meier Miettinen Newcombe Nurminen Paule Pearson Peto Poisson Python Python's
    Robins Rubin Satterthwaite Schoenfeld Sidik Spearman Sterne Tytun Turnbull Ury VanderWeele Wald Wallis Whitney Wilcoxon Word Yang Dalton
    Monte Carlo cox csv kappa log logistic logit lifelines notebook numpy pandas rank results scipy statsmodels study vs yml xlsx queries json
    tau zph beta hazard ratio internal share severe language RECIST mRECIST CTCAE STROBE RECORD CONSORT doi like and audience Logistic Nemar Vander Weele von spline gamma rho statistics sqrt
"""))
CASES = each_week(("apart", "one_arm", "competing", "withheld", "confounded", "randomised", "no_event", "three_arms", "clinic"), ("competing", "withheld", "clinic"))


def words_of(part):
    """Every word of a study.yml."""
    if isinstance(part, dict | list | tuple):
        return set().union(*map(words_of, part.values() if isinstance(part, dict) else part), *(map(words_of, part) if isinstance(part, dict) else ()))
    return {word.lower() for word in re.findall(r"[A-Za-z]+", str(part))}


def english(text, known):
    """Words that are no names, and none of the study."""
    text = re.sub(r"doi:\S+|\b[\w/.-]+\.(?:csv|yml|json|html|xlsx|svg)\b|\b[a-z_]+\.[a-z_.]+|[a-z]+_[a-z_]+|[A-Z][\w'-]+(?: [A-Z]{1,3}\b,?)+[^。]*?\d{4};[^;。]*", " ", text)
    return {word for word in re.findall(r"[A-Za-z][a-z]{2,}", text) if word not in NAMES and word.capitalize() not in NAMES and word.lower() not in known}


@pytest.fixture
def ran(monkeypatch):
    def run(name, **given):
        without_drawing(monkeypatch)
        return run_notebook(name, monkeypatch, **given)

    return run


@pytest.mark.notebook
@pytest.mark.parametrize("name", each_week(NOTEBOOKS, ("efficacy", "safety")))
def test_the_same_results_and_every_number_of_the_english_page(ran, name):
    english_page, chinese = (ran(name, study="data/rair_dtc", language=code) for code in ("en", "zh"))
    assert [r["csv"] for r in chinese.records("results")] == [r["csv"] for r in english_page.records("results")], "results.csv is one for all languages"
    tables = [[pd.read_csv(io.StringIO(record["csv"]), header=None, dtype=str, keep_default_na=False) for record in page.records("table")] for page in (english_page, chinese)]
    assert len(tables[0]) == len(tables[1])
    for one, other in zip(*tables, strict=True):
        assert one.shape == other.shape
        numbers = [frame.map(lambda cell: sorted(re.findall(r"\d+(?:\.\d+)?", cell))) for frame in (one, other)]
        lost = numbers[0].to_numpy() != numbers[1].to_numpy()
        assert all(not Counter(a) - Counter(b) for a, b in zip(numbers[0].to_numpy()[lost], numbers[1].to_numpy()[lost], strict=True))
    told = [Counter(re.findall(r"\d+(?:\.\d+)?", page.text)) for page in (english_page, chinese)]
    assert not told[0] - told[1], "a number of the English page is not on the Chinese one"


@pytest.mark.notebook
@pytest.mark.parametrize("name", each_week(NOTEBOOKS, ("cohort", "efficacy", "safety")))
def test_a_page_reads_as_it_was_read(ran, name):
    compare(f"rair_dtc.zh.{name}", said(ran(name, study="data/rair_dtc", language="zh")))


@pytest.mark.notebook
@pytest.mark.parametrize("case", CASES)
def test_no_english_is_left_but_names(ran, case, tmp_path):
    folder = write_random(tmp_path / "s", Design((9, 8), seed=7, hazard=0.04)) if case == "clinic" else write_case(tmp_path / "s", case)
    known = words_of(read_study(folder).model_dump())
    left = {}
    for name in NOTEBOOKS if case == "clinic" else ("efficacy", "robustness", "models"):
        for data, _metadata in ran(name, study=str(folder), language="zh").outputs:
            for line in data.get("text/plain", "").splitlines():
                left |= dict.fromkeys(english(line, known), line)
    assert not left


# Codes of outcomes, an abbreviation and a unit.
TOLD_BY_THE_FILE = {"os", "pfs", "ng", "ml", "own"}


def _workbook(folder):
    """What a clinic in China might keep: patients, adverse events and a marker, with names of its own."""
    day = pd.Timestamp("2019-03-04")
    patients = pd.DataFrame({"患者编号": [f"P{i:02d}" for i in range(1, 31)]})
    patients["分组"] = ["试验组", "对照组", "对照组"] * 10
    patients["年龄"], patients["性别"] = [40 + 7 * i % 37 for i in range(30)], ["男", "女"] * 15
    starts = [day + pd.Timedelta(days=9 * i) for i in range(30)]
    ends = [start + pd.Timedelta(days=200 + 17 * (i * 11 % 30)) for i, start in enumerate(starts)]
    patients["入组日期"] = starts
    patients["进展日期"] = [end - pd.Timedelta(days=60) if i % 3 else None for i, end in enumerate(ends)]
    patients["死亡日期"], patients["末次随访日期"] = [end if i % 4 else None for i, end in enumerate(ends)], ends
    harms = pd.DataFrame([(f"P{i:02d}", term, 1 + i % 3, day + pd.Timedelta(days=9 * i + 5)) for i in range(1, 25) for term in ("高血压", "乏力")[: 1 + i % 2]])
    samples = pd.DataFrame([(f"P{i:02d}", "甲状腺球蛋白", 5.5 + i * (1 + v), "ng/mL", day + pd.Timedelta(days=9 * i + 30 * v), v) for i in range(1, 31) for v in (0, 3, 6)])
    with pd.ExcelWriter(folder / "x.xlsx") as book:
        patients.to_excel(book, sheet_name="患者", index=False)
        harms.set_axis(["患者编号", "不良事件", "分级", "开始日期"], axis="columns").to_excel(book, sheet_name="不良事件", index=False)
        samples.set_axis(["患者编号", "检验项目", "结果", "单位", "采样日期", "访视"], axis="columns").to_excel(book, sheet_name="标志物", index=False)
    return folder / "x.xlsx"


@pytest.mark.notebook
def test_a_chinese_workbook_becomes_a_chinese_report(ran, tmp_path):
    new = proposed("own", read_sheets([_workbook(tmp_path)]))
    assert not new.proposal.questions.open
    assert set(new.tables) == {"patients", "adverse_events", "markers"}
    (tmp_path / "own").mkdir()
    write_new_study(new, tmp_path / "own")
    left, pages = {}, {}
    for name in NOTEBOOKS:
        pages[name] = ran(name, study=str(tmp_path / "own"))
        for data, _metadata in pages[name].outputs:
            for line in data.get("text/plain", "").splitlines():
                left |= dict.fromkeys(english(line, TOLD_BY_THE_FILE | set(Study.model_fields)), line)
    assert not left
    assert {"总生存期", "无进展生存期"} <= set(re.findall("总生存期|无进展生存期", pages["efficacy"].text))
    assert {"高血压", "未分类"} <= set(re.findall("高血压|未分类", pages["safety"].text))


def test_prose_of_the_notebooks_is_translated_and_its_addresses_stay():
    for name in NOTEBOOKS:
        for cell in read_notebook(name).cells:
            if cell.cell_type == "markdown":
                assert translated(cell.source) == cell.source, "English is what stands there"
                with in_language("zh"):
                    said_here, page = translated(cell.source), prose(cell.source)
                assert said_here.count("\n\n") == cell.source.strip().count("\n\n")
                assert re.findall(r"\]\(([^)]+)\)", said_here) == re.findall(r"\]\(([^)]+)\)", cell.source)
                assert not english(re.sub(r"\]\([^)]*\)", "]", said_here), set())
                if cell.source.startswith("#"):
                    heading = cell.source.partition("\n")[0].lstrip("# ")
                    assert f'id="{re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")}"' in page


def test_a_text_of_the_rooms_below_is_found_by_what_was_put_in():
    with in_language("zh"):
        assert worded("not estimable: no value") == "无法估计：无值"
        assert worded("No value.") == "无值。", "a sentence that was made of it"
        assert "10000" in worded("permutation log-rank test, 10000 random allocations, seed 20250228")
        assert worded("Kaplan-Meier; Anlotinib") == "Kaplan-Meier; Anlotinib", "a name is none of ours"
        assert worded("") == ""
    assert worded("not estimable: no value") == "not estimable: no value"


def test_a_study_calls_things_in_the_language_that_is_asked_for(tmp_path):
    folder = write_case(tmp_path / "s", "apart")
    study = json.loads((folder / "study.yml").read_text("utf-8"))
    study["arms"][0]["label"] = {"en": "Drug", "zh": "药物"}
    study["study"]["title"] = {"zh": "研究"}
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    assert [read_study(folder, code).arms[0].label for code in ("", "en", "zh")] == ["Drug", "Drug", "药物"]
    assert read_study(folder).study.title == "研究", "what is there in one language alone"
    study["language"] = "zh"
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    assert read_study(folder).arms[0].label == "药物"
    data = load("efficacy", study=str(folder))
    assert (data.language, data.in_english.arms[0].label, data.in_english.study.arms[0].label) == ("zh", "药物", "Drug")
    assert load("efficacy", study=str(folder), language="en").study.arms[0].label == "Drug"
    assert analyse_survival(data, data.study.primary)["cox"]["hr"].notna().all()


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        ({"en": "Drug", "xx": "?"}, "the code of a language"),
        ({"en": "Drug", "zh": ""}, "must not be empty"),
        ({"en": 5}, "string"),
        ({}, "string"),
    ],
)
def test_a_label_that_is_none_is_refused(tmp_path, label, rule):
    folder = write_case(tmp_path / "s", "apart")
    study = json.loads((folder / "study.yml").read_text("utf-8"))
    study["arms"][0]["label"] = label
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    with pytest.raises(ProblemsFound, match=rule):
        read_study(folder)


def test_two_arms_of_one_label_in_any_language_are_refused(tmp_path):
    folder = write_case(tmp_path / "s", "apart")
    study = json.loads((folder / "study.yml").read_text("utf-8"))
    for arm, name in zip(study["arms"], ("Drug", "Placebo"), strict=True):
        arm["label"] = {"en": name, "zh": "药物"}
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    with pytest.raises(ProblemsFound, match="药物"):
        read_study(folder)


def test_an_unknown_language_is_refused_with_those_that_there_are(tmp_path):
    folder = write_case(tmp_path / "s", "apart")
    with pytest.raises(ProblemsFound, match="one of en, zh"):
        load("efficacy", study=str(folder), language="tlh")
    assert "language" in EVERY


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"), ({"LANG": "C.UTF-8"}, "en"), ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE", "COHORT_LANGUAGE": "zh"}, "zh"), ({"LC_MESSAGES": "zh-Hans", "LANG": "en_GB"}, "zh"), ({"COHORT_LANGUAGE": "../etc"}, "en"),
    ],
)  # fmt: skip
def test_a_command_speaks_as_the_user_has_set(environment, code):
    assert of_user(environment) == code


def test_the_first_hour_in_chinese_gives_the_commands_of_the_readme():
    readme, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
    commands = re.findall(r"^\$? ?((?:make|python -m lib|py -m|conda|\.venv\S*) [^\n#]*?)(?: {2,}.*)?$", chinese, re.MULTILINE)
    assert len(commands) > 8
    known = re.sub(r"\s+", " ", readme)
    for command in commands:
        if "language" not in command:
            assert re.sub(r"\s+", " ", command).strip() in known, command
    for target in re.findall(r"\]\((?!http)([^)#]+)", chinese):
        assert (ROOT / target).exists(), target


def test_one_process_may_make_pages_of_several_languages(tmp_path, monkeypatch):
    folder = write_case(tmp_path / "s", "apart")
    without_drawing(monkeypatch)
    for code in ("zh", "en", "zh"):
        run_notebook("efficacy", monkeypatch, study=str(folder), language=code)
        assert speech.in_force() == code
