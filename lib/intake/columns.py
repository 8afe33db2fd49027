"""The data model: columns, types, ranges and codes of each table, built from a study; names that may identify a person.

What a cell must be stands here; that it is so is checked in schemas.
"""

from __future__ import annotations

__all__ = ["OUTCOMES", "Column", "columns_of", "looks_personal", "names_people"]

import re
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from lib.intake.recist import DIAMETERS, RESPONSES, STATUSES
from lib.languages.speech import N_
from lib.study.clinic.harms import FATAL_GRADE
from lib.study.clinic.tumour import REGIONS
from lib.study.endpoints import Endpoint
from lib.study.parts import DAYS, FIRST_DAY, FLAGS_OF_DATES, LAST_DAY, Variable
from lib.study.study import Study
from lib.study.words import DATE_COLUMNS

# Nothing that is measured in a patient is larger: a diameter of half a metre is a slip of the unit.
MAX_DIAMETER_MM = 500
# Plausible limits of seed implantation (data/README.md): outside them a unit is wrong (cGy for Gy).
SEED_LIMITS = {"seed_activity_mci": (0.2, 1.0), "prescription_gy": (60, 160), "d90_gy": (40, 300)}
MAX_SEEDS = 400
# What became of an adverse event (E2B, SDTM's OUT in our spelling).
OUTCOMES = ("recovered", "recovering", "not recovered", "sequelae", "fatal", "unknown")
# No value of a patient is larger, as no whole number of more digits is read; what is would overflow when it is squared.
LARGEST = 1e15
MOST_YEARS = 200
EXAMINED = "last_tumour_assessment"

Kind = Literal["id", "code", "rank", "text", "whole", "number", "date", "flag"]
# Words of a column name, in the languages of most clinics; in Chinese and Japanese, which are written without spaces, below.
# A name may be that of a drug, a hospital's days or a birth's weight are measurements.
WORDS = re.compile(
    r"""\b( (?<!\S)names? (?!\s of\s (?:drug|test|marker|term)) | (sur|fore|first|last|full|middle|maiden)names? | initials
    | birth(?!\s(weight|height|length|order|cohort|type|mode|rate)) (day|date)? | (birthday|birthdate) | dob | born
    | (tele)?phones? | tel | mobile | fax | e?mails? | address(es)? | street | city | zip(code)? | post(al|code)
    | mrn | hospital\s(no|nr|num|number|id|record|chart) (\s\S+)* | ssn | nhs | passport | insurance\s(no|nr|number|id) | pid | photos?
    | (vor|nach)name | geburts(datum|tag|ort|name) | geburt | telefon | handy | anschrift | adresse | stra(ss|ß)e | plz
    | fallnummer | versicherungsnummer | nom | pr[eé]nom | naissance | portable
    | apellidos? | nombre | nacimiento | tel[eé]fono | direcci[oó]n | cognome | nascita | indirizzo | sobrenome | nascimento | telefone | endere[cç]o
    | фио | ф\s?и\s?о | фамилия | имя | отчество | рождения | адрес | телефон | тел | снилс | паспорт | полис | (лечащий\s)?врач
    | nazwisko | imi[eę] | pesel | urodzenia | adres | telefonu | soyad[ıi] | doğum | adı | tc\s?kimlik )\b""",
    re.VERBOSE,
)
# What else is called by a name.
THINGS = re.compile(
    r"\b(drug|test|lab|marker|site|lesion|study|treatment|event|variable|product|arm|group|visit|sheet|file|regimen|trial|gene|"
    r"country|ctry|region|continent|hospital|centre|center|un)\snames?\b"
)
EASTERN = re.compile(
    r"姓名|名字|出生(?!体重|身长|孕周|胎|时?体重)|(?<!发)生日|电话(?!随访)|手机|微信|地址|住址|住院号|病历号|病案号|门诊号|身份证|医保(卡|号)|联系(人|方式)"
    r"|家属|(主管|主治|经治|管床)医[生师]|病歷號|身分證|健保卡|聯絡|手機|地址|氏名|名前|生年月日|電話(?!追蹤|隨訪)|携帯|住所|担当医|主治医|カルテ番号|診察券|保険証"
    r"|성명|환자명|이름|주민(등록)?번호|생년월일|휴대(폰|전화)|전화(번호)?|주소|보호자|주치의|담당의"
)

# Half of the people of China, Korea and Vietnam bear one of these family names as it is written in China.
FAMILY = "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖田董袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鐘谭譚陆陸汪范石廖贾賈夏韦韋付方白邹鄒孟熊秦邱江尹薛闫阎雷侯龙龍史陶黎贺賀顾顧毛郝龚龔邵万萬钱錢严嚴武戴莫孔向汤湯"
HAN_PERSON = re.compile(rf"[{FAMILY}][\u4e00-\u9fff]{{1,2}}")
PERSON = re.compile(rf"{HAN_PERSON.pattern}|[^\W\d_][\w'’-]+, ?[^\W\d_][\w'’.-]+( [^\W\d_][\w'’.-]*)*")
# Of the cells are names. Nearly all differ: "Adenocarcinoma, NOS" stands in many rows; of Han names as few will do as no grading has.
MANY_PEOPLE, DIFFERENT, LEAST_PEOPLE = 0.9, 0.8, 8


@dataclass(frozen=True)
class Column:
    """One column of the data model.

    Attributes
    ----------
    name : str
        In our frames. What only the study names has a prefix there (lib/study/parts.py), so that it never meets a name of ours.
    kind : str
    code : str
        Of a value that is out of range or not among those allowed.
    required, filled : bool
        Whether the column must be there, and whether every row must hold a value.
    low, high : float, optional
        Smallest and largest value.
    allowed : dict of str to str, optional
        Code in the file -> value in the typed frame, in order; of a `rank`, to its place from 1 on.
    unit : str
    mistyped : str
        Error code of a value of another type.
    ordered : bool
        Whether the typed column is an ordered Categorical, not plain text.
    always : bool
        Whether the typed frame has the column even if the file lacks it.
    called : str, optional
        What study.yml calls it, if not by its name; "" where no column of the file is meant.
    """

    name: str
    kind: Kind
    code: str = "E016"
    required: bool = True
    filled: bool = True
    low: float | None = None
    high: float | None = None
    allowed: dict[str, str] | dict[str, int] | None = None
    unit: str = ""
    mistyped: str = ""
    ordered: bool = False
    always: bool = False
    called: str | None = None

    @property
    def declared(self) -> str:
        """What study.yml calls it."""
        return self.name if self.called is None else self.called

    @property
    def type_code(self) -> str:
        """Error code of a value of another type, or of none where there must be one."""
        return self.mistyped or {"id": "E011", "whole": "E015", "number": "E046", "date": "E020"}.get(
            self.kind, self.code
        )

    @property
    def rule(self) -> str:
        """What would be right, in plain words."""
        if self.kind in ("whole", "number"):
            return self._of_number()
        if self.kind in ("code", "rank") and self.allowed:
            known = list(self.allowed)
            return f"one of {', '.join(known)}" if len(known) <= 12 else f"one of the {len(known)} in study.yml"
        return {
            "id": "an id of letters, digits and . _ / -, at most 40, without a space",
            "date": f"an ISO date such as 2023-02-28, from {FIRST_DAY.year} to {LAST_DAY.year}",
            "flag": N_("0 or 1"),
        }.get(self.kind, N_("a text"))

    def _of_number(self) -> str:
        whole, unit = self.kind == "whole", self.unit
        low, high = ("" if limit is None else f"{limit:g}" for limit in (self.low, self.high))
        if low and high and unit:
            return f"a whole number from {low} to {high} {unit}" if whole else f"a number from {low} to {high} {unit}"
        if low and high:
            return f"a whole number from {low} to {high}" if whole else f"a number from {low} to {high}"
        if low and unit:
            return f"a whole number of at least {low} {unit}" if whole else f"a number of at least {low} {unit}"
        if low:
            return f"a whole number of at least {low}" if whole else f"a number of at least {low}"
        return N_("a whole number") if whole else N_("a number")


def optional(*columns: Column, always: bool = False) -> tuple[Column, ...]:
    """The same columns, which a file may lack and a row leave empty."""
    return tuple(replace(column, required=False, filled=False, always=always) for column in columns)


def columns_of(study: Study) -> dict[str, tuple[Column, ...]]:
    """Columns of every table of the data model, for this study."""
    patient, lesion, furthest = Column("patient_id", "id"), Column("lesion_id", "id"), study.furthest_visit
    visit = Column("visit", "number", low=-furthest, high=furthest, unit=study.time.unit)
    assessment = Column("assessment_date", "date")
    return {
        "patients": _patients(study),
        "lesions": (
            lesion,
            patient,
            Column("site", "code", allowed=_same(s.value for s in study.sites)),
            Column("target", "flag"),
            *optional(Column("treated", "flag"), always=True),
            *optional(Column("region", "code", allowed=_same(REGIONS))),
        ),
        "measurements": (
            lesion,
            assessment,
            visit,
            *(
                Column(axis, "number", "E044", filled=False, low=0, high=MAX_DIAMETER_MM, unit="mm")
                for axis in DIAMETERS
            ),
            *optional(Column("too_small", "flag"), Column("status", "code", allowed=_same(STATUSES)), always=True),
            *optional(Column("viable_mm", "number", "E044", filled=False, low=0, high=MAX_DIAMETER_MM, unit="mm")),
            *optional(Column("modality", "text"), patient),
        ),
        "assessments": (
            patient,
            assessment,
            visit,
            *optional(Column("new_lesion", "flag"), Column("reader_response", "code", allowed=_same(RESPONSES))),
        ),
        "markers": (
            patient,
            Column("sample_date", "date"),
            visit,
            Column("marker", "code", allowed=_same(m.id for m in study.markers)),
            Column("value", "number", filled=False),
            Column("unit", "text", "E064"),
            *optional(Column("below_limit", "flag"), Column("limit", "number", "E060", low=0), Column("above_limit", "flag"), always=True),
            *optional(
                Column("reference_low", "number", "E065", low=0), Column("reference_high", "number", "E065", low=0)
            ),
            *optional(Column("state", "code", allowed=_same(["suppressed", "stimulated"])), Column("positive", "flag")),
        ),
        "treatments": _treatments(patient, lesion),
        "adverse_events": _adverse_events(study, patient),
    }


def _patients(study: Study) -> tuple[Column, ...]:
    arms = {arm.code: arm.id for arm in study.arms}
    columns = [Column("patient_id", "id"), Column("arm", "code", "E012", allowed=arms, ordered=True)]
    columns += [_baseline(variable) for variable in study.baseline if variable.source is None]
    dates = {}
    for endpoint in study.endpoints:
        if endpoint.derived:
            used = endpoint.recorded
            dates |= {date: Column(date, "date", filled=False) for date in used if date not in dates}
            # Everybody was last seen on some day; not everybody need have been examined.
            dates |= {date: Column(date, "date", filled=date != EXAMINED) for date in ("time_zero", endpoint.censor) if date in DATE_COLUMNS}
            columns += [Column(FLAGS_OF_DATES[date], "flag") for date in used if date in FLAGS_OF_DATES]
        else:
            columns += _ready_made(endpoint)
    columns += _memberships(study)
    if study.holds("measurements"):  # how soon a tumour responds, and for how long
        dates.setdefault("time_zero", Column("time_zero", "date"))
    columns += dates.values()
    others = (
        *(Column(date, "date") for date in DATE_COLUMNS),
        *(Column(flag, "flag") for flag in FLAGS_OF_DATES.values()),
        Column("excluded", "text"),
    )
    columns = {column.name: column for column in [*columns, *optional(*others)][::-1]}
    return tuple(_in_the_file(column, study) for column in columns.values())[::-1]


def _memberships(study: Study) -> list[Column]:
    """Flags of the analysis populations, and how each patient's part in the study ended."""
    flags = [Column(p.flag, "code", called=p.column, allowed=_same((p.inside, p.outside))) for p in study.populations]
    ended = study.disposition
    if ended is None:
        return flags
    values = _same(level.value for level in ended.levels)
    return [*flags, Column(ended.flag, "code", called=ended.column, filled=False, allowed=values)]


def _in_the_file(column: Column, study: Study) -> Column:
    """The column with its name in the file: time zero has one of the study's, and what the study means otherwise is not ours."""
    if column.name == "time_zero":
        column = replace(column, called=study.time.zero)
    meant_otherwise = not column.required and column.declared in study.own_columns
    return replace(column, called="") if meant_otherwise else column


def _ready_made(endpoint: Endpoint) -> list[Column]:
    event, time = endpoint.event, endpoint.time
    longest = round(MOST_YEARS * DAYS["years"] / DAYS[time.unit])  # nobody is followed for two lifetimes
    codes = _same(code for code in (event.event, event.censored, event.competing) if code is not None)
    limits = {"low": 0, "high": longest, "unit": time.unit, "mistyped": "E103"}
    return [
        Column(endpoint.time_column, "number", "E103", filled=False, called=time.column, **limits),
        Column(endpoint.event_column, "code", "E102", filled=False, called=event.column, allowed=codes),
    ]


def _baseline(variable: Variable) -> Column:
    if variable.type == "category":
        values = [level.value for level in variable.levels]
        numeric = all(value.lstrip("-").isdigit() for value in values)
        code = "E017" if numeric else "E016"
        return Column(
            variable.column, "code", code, called=variable.id, filled=False, allowed=_same(values), ordered=True
        )
    kind = "whole" if variable.type == "integer" else "number"
    limits = {"low": variable.min, "high": variable.max, "unit": variable.unit}
    return Column(variable.column, kind, "E014", called=variable.id, filled=False, **limits)


def _treatments(patient: Column, lesion: Column) -> tuple[Column, ...]:
    return (
        patient,
        Column("component", "text"),
        Column("start_date", "date"),
        *optional(
            Column("end_date", "date"),
            Column("start_dose", "number", "E082", low=0),
            Column("lowest_dose", "number", "E082", low=0),
            lesion,
            Column("n_seeds", "whole", "E083", low=1, high=MAX_SEEDS, mistyped="E083"),
            *(Column(name, "number", "E083", low=low, high=high) for name, (low, high) in SEED_LIMITS.items()),
            Column("line", "whole", "E016", low=1, high=20),
            always=True,
        ),
    )


def _adverse_events(study: Study, patient: Column) -> tuple[Column, ...]:
    settings = study.adverse_events
    terms = settings.terms if settings else {}
    return (
        patient,
        Column("term", "code", "E074", allowed=_same(terms)),
        _severity(study),
        Column("onset_date", "date"),
        *optional(Column("end_date", "date"), Column("serious", "flag"), always=True),
        *optional(
            Column("system", "code", "E074", allowed=_same(dict.fromkeys(terms.values()))),
            Column("related", "code", allowed=_same(["drug", "procedure", "both", "no"])),
            Column("action", "code", allowed=_same(["none", "reduced", "interrupted", "stopped"])),
            Column("outcome", "code", allowed=_same(OUTCOMES)),
        ),
    )


def _severity(study: Study) -> Column:
    settings = study.adverse_events
    if settings and settings.levels:
        ranks = {level.value: rank for rank, level in enumerate(settings.levels, start=1)}
        return Column("grade", "rank", "E070", allowed=ranks)
    highest = settings.max_grade if settings else FATAL_GRADE
    return Column("grade", "whole", "E070", low=1, high=highest, mistyped="E070")


def _same(values) -> dict[str, str]:
    return {value: value for value in values}


def names_people(cells: pd.Series) -> bool:
    """Whether the cells of a column of text are names of persons, as far as their form tells: 李娜, "Schmidt, Anna"; codes and words are none."""
    filled = cells.dropna().astype(str).str.strip()
    named = filled[filled.map(lambda cell: bool(PERSON.fullmatch(cell)))]
    if len(named) < max(3, MANY_PEOPLE * len(filled)):
        return False
    return named.nunique() >= DIFFERENT * len(filled) or (named.nunique() >= LEAST_PEOPLE and all(map(HAN_PERSON.fullmatch, named)))


def looks_personal(column: str) -> bool:
    """Whether a column name looks like that of a name, birth date, address, telephone or hospital number.

    Parameters
    ----------
    column : str
        As the file names it: `PatientName`, `date_of_birth`, `Tel.`, `姓名`.
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower()
    plain = re.sub(r"[\W\d_]+", " ", spaced).strip()
    return bool(WORDS.search(THINGS.sub(" ", plain))) or bool(EASTERN.search(column))
