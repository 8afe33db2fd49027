"""A file in Chinese becomes a study in Chinese: the words that `new` adds stand in both languages, those of the file as they are."""

import re

import pytest

from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.reading import proposed, read_sheets
from lib.intake.new_study.words import language_of
from lib.languages.speech import in_language
from lib.study.study import read_study

HAN = re.compile(r"[\u4e00-\u9fff]")
# Codes and abbreviations that Chinese pages have too.
CODES = re.compile(r"\b(?:OS|PFS|TTR|CTCAE|own|x|A|B)\b|os_months|os_status|P\d+")


def _rows(header, *kinds, n=24):
    return "\n".join([header, *(",".join(str(kind[i % len(kind)]) for kind in kinds) for i in range(n))])


IDS, ARM, AGE = [f"P{i:02d}" for i in range(24)], ["A", "B"], [40, 51, 62, 63, 54, 71, 38]
TIME, DEATH, SEX, COUGH = [5, 12, 31, 40, 8], ["死亡", "存活", "存活"], ["男", "女", "女"], [0, 1, 1]
START, DIED, LAST = ["2019-01-04", "2019-02-11"], ["", "2020-03-01", ""], ["2021-05-06", "2020-03-01", "2021-05-06"]

# What each file is, and the labels that its Chinese study has beside others.
FILES = {
    "ready-made times": (_rows("编号,组别,年龄,总生存期（月）,生存状态", IDS, ARM, AGE, TIME, DEATH), {}, {"总生存期"}),
    "two endpoints": (
        _rows("患者编号,分组,性别,总生存期（天）,死亡,无进展生存期（天）,进展", IDS, ARM, SEX, TIME, [0, 1], TIME, [1, 0, 1]), {}, {"总生存期", "无进展生存期"},
    ),
    "dates": (_rows("编号,性别,年龄,分组,开始日期,死亡日期,末次随访", IDS, SEX, AGE, ARM, START, DIED, LAST), {}, {"总生存期"}),
    "one arm": (_rows("患者编号,年龄,入组日期,死亡日期,末次随访日期", IDS, AGE, START, DIED, LAST), {}, {"总生存期", "全部患者"}),
    "codes of no and yes": (_rows("编号,组别,咳嗽,总生存期（月）,生存状态", IDS, ARM, COUGH, TIME, DEATH), {}, {"否", "是"}),
    "patients without an arm": (
        _rows("编号,组别,总生存期（月）,生存状态", IDS, ["A", "B", "", "A"], TIME, DEATH), {"patients without 组别": "own arm"}, {"未说明"},
    ),
    "an outcome of no known kind": (
        _rows("编号,组别,随访时间（月）,结局", IDS, ARM, TIME, ["1", "2"]), {"event of 结局": "2"}, set(),
    ),
    "two times of one kind": (
        _rows("编号,组别,总生存期（月）,死亡,生存期（周）,生存状态", IDS, ARM, TIME, [0, 1], TIME, DEATH), {}, {"总生存期", "总生存期 (生存期（周）)"},
    ),
    "recurrence in weeks": (_rows("登记号,治疗组,复发时间（周）,复发", IDS, ["A方案", "B方案"], TIME, ["有", "无"]), {}, {"复发时间"}),
    "Latin beside Chinese": (_rows("id,组别,OS（月）,生存状态", IDS, ARM, TIME, DEATH), {}, {"总生存期"}),
}  # fmt: skip
TABLES = {
    "不良事件.csv": (_rows("患者编号,不良事件,分级,开始日期", IDS[:6], ["高血压", "乏力"], [1, 2, 3], ["2019-03-01"], n=6), {"未分类"}),
    "标志物.csv": (_rows("患者编号,检验项目,结果,单位,采样日期,访视", IDS[:6], ["甲状腺球蛋白"], [3, 4], ["ng/mL"], ["2019-03-01"], [0], n=6), set()),
}


def _study_of(folder, files, answers=None):
    """The study that is made of files, in both languages."""
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    new = proposed("own", read_sheets([folder / name for name in files]), answers)
    assert not new.proposal.questions.open
    (folder / "study").mkdir()
    write_new_study(new, folder / "study")
    return {code: read_study(folder / "study", code) for code in ("en", "zh")}


def _told(study):
    """What its pages would call things."""
    return [
        study.study.title, study.time.zero_label, *(arm.label for arm in study.arms), *(level.label for one in study.baseline for level in one.levels),
        *(text for one in study.endpoints for text in (one.label, one.definition)),
    ]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_chinese_file_becomes_a_study_in_chinese_and_english(tmp_path, name):
    text, answers, labels = FILES[name]
    study = _study_of(tmp_path, {"x.csv": text}, answers)
    assert study["en"].language == "zh"
    told = _told(study["zh"])
    assert labels <= set(told)
    english = [text for text in told if re.search("[A-Za-z]{2}", CODES.sub("", text))]
    assert not english, "words of ours that stand in English"
    assert not HAN.search(_told(study["en"])[0] + study["en"].time.zero_label), "Chinese on an English page"


@pytest.mark.parametrize("name", TABLES)
def test_other_tables_say_it_in_chinese_too(tmp_path, name):
    text, labels = TABLES[name]
    study = _study_of(tmp_path, {"患者.csv": FILES["dates"][0], name: text})
    harms = study["zh"].adverse_events
    with in_language("zh"):
        assert labels <= ({harms.called(system) for system in harms.systems} | {harms.dictionary} if harms else set())
    assert not harms or harms.dictionary == "CTCAE（请写明版本）"


def test_whoever_asks_in_chinese_gets_a_chinese_study_of_an_english_file(tmp_path):
    (tmp_path / "x.csv").write_text(_rows("id,arm,age,os_months,os_status", IDS, ARM, AGE, TIME, ["dead", "alive"]), "utf-8")
    sheets = read_sheets([tmp_path / "x.csv"])
    with in_language("zh"):
        asked = proposed("x", sheets).proposal.study
    assert (asked["language"], asked["endpoints"][0]["label"]) == ("zh", {"en": "Overall survival", "zh": "总生存期"})
    usual = proposed("x", sheets).proposal.study
    assert "language" not in usual
    assert usual["endpoints"][0]["label"] == "Overall survival"


@pytest.mark.parametrize(
    ("names", "language"),
    [
        ("编号 性别 年龄 组别 总生存期（月） 生存状态", "zh"),
        ("id age 组别 OS_月", "zh"),
        ("病人 手术 化疗 放疗 血红蛋白", "zh"),
        ("症例番号 性別 年齢 治療群 観察期間（日） 転帰", ""),
        ("患者ID 登録日 最終確認日 死亡日 カルテ", ""),
        ("編號 性別 年齡 組別 開始日期 末次隨訪", ""),
        ("환자번호 성별 나이 그룹", ""),
        ("номер пол возраст группа", ""),
        ("Patientennummer Geschlecht Überlebenszeit", ""),
        ("id arm os_months death", ""),
        ("死亡 id", ""),  # Japanese and both kinds of Chinese write it so
        ("", ""),
    ],
)
def test_names_tell_the_language_where_their_signs_do(names, language):
    assert language_of(names.split()) == language
