"""Small inputs of every kind, each with the proposal that is right or the questions that must be asked."""

from dataclasses import dataclass, field

import pytest

from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.reading import proposed, read_sheets
from lib.intake.tables import read_tables
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound


@dataclass(frozen=True)
class Case:
    """A file as text, and what must come of it: what is not named is not compared."""

    text: str
    asked: tuple = ()  # keys of the open questions
    endpoints: tuple = ()  # short name, unit, event code, number of events
    arms: tuple | None = None
    baseline: tuple | None = None
    patients: int | None = None
    personal: tuple = ()
    answers: dict = field(default_factory=dict)
    refused: str = ""


def _rows(header, *kinds, n=12):
    """A file of n rows: each kind is a function of the row's number."""
    return "\n".join([header, *(",".join(str(kind(i)) for kind in kinds) for i in range(1, n + 1))])


def _cycle(*values):
    return lambda i: values[i % len(values)]


ID, ARM, TIME, EVENT = (lambda i: f"P{i:02d}"), _cycle("A", "B"), (lambda i: 37 * i + 5), _cycle("0", "1", "1")
SEX, AGE = _cycle("F", "M", "M"), (lambda i: 40 + i)
USUAL = (ID, ARM, AGE, TIME, EVENT)
BEYOND = lambda i: ">500" if i in (3, 7) else "<0.1" if i == 5 else 10 * i  # noqa: E731
DAY = lambda i: f"2020-{i:02d}-11"  # noqa: E731
LATER = lambda i: f"2021-{i:02d}-21"  # noqa: E731

CASES = {
    # what the names and words say
    "death is certain": Case(_rows("id,arm,age,os_days,death", *USUAL), endpoints=(("OS", "days", "1", 8),)),
    "the unit in brackets": Case(_rows("id,arm,age,OS (months),death", *USUAL), endpoints=(("OS", "months", "1", 8),)),
    "the unit is asked": Case(_rows("id,arm,age,time,death", *USUAL), asked=("unit of time",)),
    "one unit for all times": Case(
        _rows("id,os_time,os_event,pfs_time,pfs_event", ID, TIME, EVENT, TIME, EVENT), asked=("unit of time",)
    ),
    "status is asked": Case(_rows("id,arm,age,os_days,status", *USUAL), asked=("event of status",)),
    "status 1 and 2 is asked": Case(_rows("id,os_days,status", ID, TIME, _cycle("1", "2")), asked=("event of status",)),
    "cens is asked": Case(_rows("id,arm,age,time_days,cens", *USUAL), asked=("event of cens",)),
    "cnsr alone is asked": Case(_rows("id,os_days,os_cnsr", ID, TIME, EVENT), asked=("event of os_cnsr",)),
    "CNSR of ADaM": Case(
        _rows("USUBJID,TRT01P,PARAMCD,AVAL,CNSR", ID, ARM, _cycle("OS"), TIME, EVENT), asked=("unit of time",)
    ),
    "CNSR of ADaM answered": Case(
        _rows("USUBJID,TRT01P,PARAMCD,AVAL,CNSR", ID, ARM, _cycle("OS"), TIME, EVENT),
        answers={"unit of time": "days"}, endpoints=(("OS", "days", "0", 4),),
    ),
    "answered the other way": Case(
        _rows("id,arm,age,os_days,status", *USUAL), answers={"event of status": "0"}, endpoints=(("OS", "days", "0", 4),)
    ),
    "words": Case(_rows("id,os_months,os_status", ID, TIME, _cycle("alive", "dead")), endpoints=(("OS", "months", "dead", 6),)),
    "cBioPortal": Case(
        _rows("PATIENT_ID,OS_MONTHS,OS_STATUS,DFS_MONTHS,DFS_STATUS", ID, TIME, _cycle("0:LIVING", "1:DECEASED"),
              TIME, _cycle("0:DiseaseFree", "1:Recurred/Progressed")),
        endpoints=(("OS", "months", "1:DECEASED", 6), ("DFS", "months", "1:Recurred/Progressed", 6)),
    ),
    "three words": Case(
        _rows("id,os_months,vital_status", ID, TIME, _cycle("Living", "Died of Disease", "Died of Other Causes")),
        asked=("vital_status = Died of Disease", "vital_status = Died of Other Causes"),
    ),
    "three words answered": Case(
        _rows("id,os_months,vital_status", ID, TIME, _cycle("Living", "Died of Disease", "Died of Other Causes")),
        answers={"vital_status = Died of Disease": "event", "vital_status = Died of Other Causes": "event"},
        endpoints=(("OS", "months", "event", 8),),
    ),
    "a competing event": Case(
        _rows("id,os_days,status", ID, TIME, _cycle("0", "1", "2")),
        answers={"status = 0": "censored", "status = 1": "competing", "status = 2": "event"},
        endpoints=(("OS", "days", "2", 4),),
    ),
    "yes under relapse": Case(_rows("id,rfs_days,relapse", ID, TIME, _cycle("no", "yes")), endpoints=(("RFS", "days", "yes", 6),)),
    "true under event": Case(_rows("id,time_days,event", ID, TIME, _cycle("FALSE", "TRUE")), endpoints=(("Time days", "days", "TRUE", 6),)),
    "all of them 1": Case(_rows("id,time_days,death", ID, TIME, _cycle("1")), asked=("death = 1",)),
    "alive is not a death": Case(_rows("id,time_days,alive", ID, TIME, EVENT), asked=("event of alive",)),
    # which columns belong together
    "os and status": Case(_rows("id,OS,status", ID, TIME, EVENT), asked=("unit of time", "event of status")),
    "OS_time and OS": Case(_rows("id,OS_time,OS", ID, TIME, EVENT), asked=("unit of time", "event of OS")),
    "futime and fustat": Case(_rows("id,futime,fustat", ID, TIME, EVENT), asked=("unit of time", "event of fustat")),
    "letters": Case(
        _rows("pat_id,rtime,recur,dtime,death", ID, TIME, EVENT, TIME, EVENT), answers={"unit of time": "days"},
        endpoints=(("TTR", "days", "1", 8), ("OS", "days", "1", 8)),
    ),
    "T and E": Case(_rows("id,T,E", ID, TIME, EVENT), asked=("unit of time", "event of E")),
    "two events for one time": Case(_rows("id,time,death,status", ID, TIME, EVENT, EVENT), asked=("event column of time",)),
    "which column is the event": Case(_rows("id,time,fin", ID, TIME, EVENT), asked=("event column of time",)),
    "no outcome among the baseline": Case(
        _rows("patient_id,arm,time_zero,last_contact_date,death,death_date,age,ttp_days,ttp_cnsr",
              ID, ARM, DAY, LATER, _cycle("0"), _cycle(""), AGE, TIME, EVENT),
        asked=("event of ttp_cnsr",), baseline=("age",),
    ),
    "a smoking status is no outcome": Case(
        _rows("id,os_days,death,smoking_status,er_status", *(ID, TIME, EVENT, SEX, SEX)),
        endpoints=(("OS", "days", "1", 8),), baseline=("smoking_status", "er_status"),
    ),
    "names of our own": Case(
        _rows("patient_id,arm,time,event,cause,weight", ID, ARM, TIME, EVENT, SEX, AGE),
        asked=("unit of time",), baseline=("cause", "weight"),
    ),
    # ids and arms
    "rows are numbered": Case(_rows("arm,age,os_days,death", ARM, AGE, TIME, EVENT), patients=12, endpoints=(("OS", "days", "1", 8),)),
    "R's row names": Case(_rows(",trt,age,os_days,death", lambda i: i, ARM, AGE, TIME, EVENT), patients=12, baseline=("age",)),
    "one group": Case(_rows("id,age,os_days,death", ID, AGE, TIME, EVENT), arms=("all",)),
    "two arms by name": Case(
        _rows("id,treatment,group,os_days,death", ID, ARM, SEX, TIME, EVENT), asked=("arm",)
    ),
    "the arm answered": Case(
        _rows("id,treatment,group,os_days,death", ID, ARM, SEX, TIME, EVENT), answers={"arm": "group"}, arms=("F", "M"),
    ),
    "a column that is not called so": Case(
        _rows("id,horTh,os_days,death", ID, _cycle("no", "yes"), TIME, EVENT), answers={"arm": "horTh"}, arms=("no", "yes")
    ),
    "a risk group": Case(_rows("id,risk_group,os_days,death", ID, ARM, TIME, EVENT), asked=("arm",)),
    "more than six": Case(_rows("id,treatment,os_days,death", ID, lambda i: f"T{i}", TIME, EVENT), asked=("arm",)),
    "patients without arm": Case(
        _rows("id,trt,os_days,death", ID, _cycle("1", "2", ""), TIME, EVENT), asked=("patients without trt",)
    ),
    "left out": Case(
        _rows("id,trt,os_days,death", ID, _cycle("1", "2", ""), TIME, EVENT),
        answers={"patients without trt": "leave out"}, patients=8, arms=("1", "2"),
    ),
    # structures
    "start and stop": Case(
        "id,treatment,start,stop,status\n" + "\n".join(f"{i},{'ab'[i % 2]},{s},{s + 10 + i},{int(s == 10 and i > 2)}" for i in range(1, 7) for s in (0, 10)),
        asked=("rows", "unit of time", "event of status"),
    ),
    "until the first event": Case(
        "id,treatment,start,stop,status\n" + "\n".join(f"{i},{'ab'[i % 2]},{s},{s + 10 + i},{int(s == 10 and i > 2)}" for i in range(1, 7) for s in (0, 10)),
        answers={"rows": "first event", "unit of time": "days", "event of status": "1"},
        patients=6, endpoints=(("STOP", "days", "1", 4),),
    ),
    "delayed entry": Case(
        "id,start,stop,event\n" + "\n".join(f"{i},{s},{s + 10 + i},{s // 14}" for i in range(1, 7) for s in (4, 14)), refused="delayed entry"
    ),
    "paired organs": Case(
        "id,eye,trt,time_days,status\n" + "\n".join(f"{i},{e},{e},{9 * i + e},{i % 2}" for i in range(1, 9) for e in (0, 1)), asked=("rows",)
    ),
    "the first row": Case(
        "id,time_days,event\n" + "\n".join(f"{i},{9 * i + e},{(i + e) % 2}" for i in range(1, 9) for e in (0, 1)),
        answers={"rows": "last"}, patients=8, endpoints=(("Time days", "days", "1", 4),),
    ),
    "visits without ids": Case("visit,time,status\n0,1,0\n1,5,0\n2,9,1\n", refused="several rows belong to one patient"),
    "endpoints in rows": Case(
        "id,etype,days,event\n" + "\n".join(f"{i},{e},{9 * i + e},{(i + e) % 2}" for i in range(1, 13) for e in (1, 2)), patients=12
    ),
    "one row a patient is a table of patients": Case(
        _rows("id,group,age,grade,time,event", ID, ARM, AGE, _cycle("2", "3"), TIME, EVENT), asked=("unit of time",), patients=12, baseline=("age", "grade")
    ),
    # cells
    "dates, day or month first": Case(
        _rows("id,time_zero,last_contact_date,death_date", ID, lambda i: f"0{i % 9 + 1}/02/2020", lambda i: f"0{i % 9 + 1}/03/2021", _cycle("")),
        asked=("order of dates",),
    ),
    "one column proves the order": Case(
        _rows("id,time_zero,last_contact_date,death_date", ID, lambda i: f"0{i % 9 + 1}/02/2020", lambda i: f"{i + 10}/03/2021", lambda i: f"{i + 10}/03/2021"),
        endpoints=(("OS", None, None, 12),),
    ),
    "which date is time zero": Case(
        _rows("id,diagnosis_date,treatment_start,last_contact_date,death_date", ID, DAY, DAY, LATER, _cycle("")), asked=("time zero",)
    ),
    "dead, and no date of death": Case(
        _rows("id,treatment_start,last_contact_date,death", ID, DAY, LATER, _cycle("no", "yes")), endpoints=(("OS", None, None, 6),)
    ),
    "a minus beside plus, nil beside mild": Case(
        _rows("id,os_days,death,her2,asthma", ID, TIME, EVENT, _cycle("-", "1+", "2+"), _cycle("Nil", "Mild", "Severe")),
        endpoints=(("OS", "days", "1", 8),), baseline=("her2", "asthma"),
    ),
    "999": Case(_rows("id,os_days,death,cea", ID, TIME, EVENT, lambda i: 999 if i == 5 else i), asked=("999 in cea",)),
    "beyond a limit": Case(_rows("id,os_days,death,tg", ID, TIME, EVENT, BEYOND, n=16), asked=("values beyond a limit",)),
    "beyond a limit is the limit": Case(_rows("id,os_days,death,tg", ID, TIME, EVENT, BEYOND, n=16), answers={"values beyond a limit": "limit"}, baseline=("tg",)),
    "beyond a limit is missing": Case(_rows("id,os_days,death,tg", ID, TIME, EVENT, BEYOND, n=16), answers={"values beyond a limit": "missing"}, baseline=("tg",)),
    "counts up to more than 2": Case(_rows("id,os_days,death,lesions", ID, TIME, EVENT, _cycle("0", "1", "2", ">2"), n=16), baseline=("lesions",)),
    "ages in bands": Case(_rows("id,os_days,death,band", ID, TIME, EVENT, _cycle("<60", ">=60"), n=16), baseline=("band",)),
    "a minus among words": Case(_rows("id,os_days,death,note", ID, TIME, EVENT, _cycle("-", "low", "high")), asked=("- in note",)),
    "personal or not": Case(
        _rows("id,Patient Name,hospital_days,birth_weight,hospital no,os_days,death", ID, AGE, AGE, AGE, AGE, TIME, EVENT),
        personal=("s: Patient Name", "s: hospital no"), baseline=("hospital_days", "birth_weight"),
    ),
    # languages
    "Chinese": Case(
        _rows("编号,姓名,组别,性别,年龄,随访时间（月）,生存状态", ID, AGE, _cycle("对照", "试验"), _cycle("男", "女"), AGE, TIME, _cycle("生存", "死亡")),
        endpoints=(("OS", "months", "死亡", 6),), arms=("对照", "试验"), personal=("s: 姓名",),
    ),
    "Chinese dates": Case(
        _rows("病人编号,治疗组,入组日期,末次随访日期,死亡,死亡日期", ID, ARM, lambda i: f"2020年{i}月1日", lambda i: f"2021年{i}月1日", _cycle("是", "否"),
              lambda i: ("", f"2021年{i}月1日")[i % 2 == 0]), endpoints=(("OS", None, None, 6),),
    ),
    "Japanese": Case(
        _rows("症例番号,治療群,性別,観察期間（日）,転帰", ID, ARM, _cycle("男", "女"), TIME, _cycle("生存", "死亡")),
        endpoints=(("OS", "days", "死亡", 6),),
    ),
    "German": Case(
        _rows("Patientennummer,Therapiearm,Alter,Geschlecht,Überlebenszeit (Monate),verstorben", ID, ARM, AGE, _cycle("m", "w"), TIME, _cycle("ja", "nein")),
        endpoints=(("OS", "months", "ja", 6),), baseline=("alter", "geschlecht"),
    ),
    # no name tells it: the outcome is asked for, then its time
    "no word of the language is known": Case(
        _rows("id,käsi,ikä,seuranta,kuolema", ID, ARM, AGE, TIME, _cycle("ei", "kyllä")), asked=("outcome",)
    ),
    "the outcome is named": Case(
        _rows("id,käsi,ikä,seuranta,kuolema", ID, ARM, AGE, TIME, _cycle("ei", "kyllä")),
        answers={"outcome": "kuolema"}, asked=("time column of kuolema",),
    ),
    "outcome, time, unit and event are named": Case(
        _rows("id,käsi,ikä,seuranta,kuolema", ID, ARM, AGE, TIME, _cycle("ei", "kyllä", "ei")),
        answers={"outcome": "kuolema", "time column of kuolema": "seuranta", "unit of time": "days", "event of kuolema": "kyllä"},
        endpoints=(("Kuolema seuranta", "days", "kyllä", 4),), baseline=("k_si", "ik"),
    ),
    "there is no outcome": Case(_rows("id,käsi,ikä", ID, ARM, AGE), answers={"outcome": "none"}, endpoints=()),
    "Portuguese": Case(
        _rows("Prontuário,Braço,Idade,Tempo (dias),Óbito", ID, ARM, AGE, TIME, _cycle("sim", "não")),
        endpoints=(("OS", "days", "sim", 6),), arms=("A", "B"), baseline=("idade",),
    ),
    "a vital status beside dates": Case(
        _rows("症例番号,治療群,登録日,最終観察日,転帰", ID, ARM, DAY, LATER, _cycle("生存", "死亡", "生存")), endpoints=(("OS", None, None, 4),)
    ),
    "Death above days": Case(
        _rows("id,arm,Date of randomised,Last seen on,Death", ID, ARM, DAY, LATER, _cycle("", "2021-12-30")), endpoints=(("OS", None, None, 6),)
    ),
    "dates before their names": Case(
        _rows("id,arm,date_enrolled,date_last_visit,date_death,dead", ID, ARM, DAY, LATER, _cycle("", "2021-12-30"), _cycle("0.0", "1.0")),
        endpoints=(("OS", None, None, 6),), baseline=(),
    ),
    "which date is asked": Case(
        _rows("id,arm,date_of_diagnosis,surgery_date,last_seen_date,died_on", ID, ARM, DAY, DAY, LATER, _cycle("", "2021-12-30")), asked=("time zero",)
    ),
    # dates alone: those that no name tells are asked for, all at once
    **{
        f"start, death and last contact: {header}": Case(
            _rows(header, ID, SEX, AGE, ARM, DAY, _cycle("", "2021-12-30"), LATER), endpoints=(("OS", None, None, 6),), arms=("A", "B")
        )
        for header in (
            "编号,性别,年龄,分组,开始日期,死亡日期,末次随访", "患者编号,性别,年龄,组别,手术日期,死亡时间,最后随访时间",
            "id,sex,age,group,start_date,death_date,last_follow_up", "patno,gender,age,arm,date_of_entry,dod,dlc",
            "Nr,Geschlecht,Alter,Gruppe,Beginn,Todesdatum,letzter Kontakt", "id,sexe,age,groupe,date debut,date deces,derniere nouvelle",
            "id,sexo,edad,grupo,fecha inicio,fecha muerte,ultimo control",
            "номер,пол,возраст,группа,дата начала лечения,дата смерти,дата последнего контакта", "환자번호,성별,나이,그룹,치료시작일,사망일,최종추적일", "Codice paziente,sesso,età,Braccio,Data intervento,Data decesso,Data ultimo contatto", "症例番号,性別,年齢,群,開始日,死亡日,最終確認日",
        )
    },
    **{
        f"no name tells time zero: {header}": Case(
            _rows(header, ID, SEX, AGE, ARM, DAY, _cycle("", "2021-12-30"), LATER), asked=("time zero",)
        )
        for header in (
            "patient,sex,age,treatment,date_in,died_on,last_seen", "id,sex,age,group,x1,death_date,last_follow_up",
            "id,sexe,age,groupe,date j0,date deces,derniere nouvelle", "编号,性别,年龄,分组,日期,死亡日期,末次随访",
        )
    },
    **{
        f"no date is known: {header}": Case(
            _rows(header, ID, SEX, AGE, ARM, DAY, _cycle("", "2021-12-30"), LATER), asked=("time zero", "last contact", "date of death"),
        )
        for header in (
            "k,s,a,g,x1,x2,x3", "numer,plec,wiek,grupa,poczatek,koniec,ostatnia",
            "no,cinsiyet,yaş,grup,tedavi tarihi,ölüm tarihi,son kontrol", "lp,plec,wiek,grupa,data operacji,data zgonu,ostatnia wizyta",
        )
    },
    "dates as answered": Case(
        _rows("no,s,a,g,x1,x2,x3", ID, SEX, AGE, ARM, DAY, _cycle("", "2021-12-30"), LATER),
        answers={"time zero": "x1", "last contact": "x3", "date of death": "x2"}, endpoints=(("OS", None, None, 6),),
    ),
    "no endpoint of dates": Case(
        _rows("no,a,x1,x2", ID, AGE, DAY, LATER), answers={"time zero": "none", "outcome": "none"}, endpoints=()
    ),
    "one date is no two": Case(
        _rows("no,x1,x2", ID, DAY, LATER), answers={"time zero": "x1", "last contact": "x1"}, refused="not an answer to: Which date is that of the last contact"
    ),
    "two dates of start, no last contact": Case(
        _rows("id,arm,diagnosis_date,surgery_date,seen_alive,death_date", ID, ARM, DAY, DAY, LATER, _cycle("", "2021-12-30")),
        asked=("time zero", "last contact"),
    ),
    "an age in years is no time": Case(_rows("id,age_years,x1,death_date,last_seen", ID, AGE, DAY, _cycle("", "2021-12-30"), LATER), asked=("time zero",)),
    "how long an operation took is no date": Case(
        _rows("编号,分组,手术时间,治疗时间,随访时间（月）,生存状态", ID, ARM, AGE, AGE, TIME, _cycle("生存", "死亡")), endpoints=(("OS", "months", "死亡", 6),),
        baseline=("variable", "variable_2"),
    ),
    "ready-made times need no dates": Case(_rows("id,x1,x2,os_days,death", ID, DAY, LATER, TIME, EVENT), endpoints=(("OS", "days", "1", 8),)),
    "a status says who died": Case(_rows("id,arm,x1,x2,status", ID, ARM, DAY, LATER, _cycle("alive", "dead")), asked=("time zero", "last contact")),
    # flags beside dates
    "a flag in words beside its date": Case(
        _rows("id,arm,surgery_date,vital_status,date_of_death,last_contact", ID, ARM, DAY, _cycle("alive", "dead"), _cycle("", "2021-12-30"), LATER), endpoints=(("OS", None, None, 6),)
    ),
    "状态 in words beside its date": Case(
        _rows("编号,组别,手术日期,生存状态,死亡日期,末次随访日期", ID, ARM, DAY, _cycle("存活", "死亡"), _cycle("", "2021-12-30"), LATER), endpoints=(("OS", None, None, 6),)
    ),
    "a flag says more than the dates": Case(
        _rows("编号,分组,手术日期,局部复发,复发日期,死亡,末次随访日期", ID, ARM, DAY, _cycle("有", "有", "无"), _cycle("2021-02-03", "", ""), _cycle("0", "1"), LATER),
        endpoints=(("PFS", None, None, 6), ("OS", None, None, 6)), baseline=(),
    ),
    "dates of eight digits": Case(
        _rows("编号,分组,首次治疗日期,死亡日期,末次随访", ID, ARM, lambda i: f"2020{i:02d}11", _cycle("", "20211230"), lambda i: f"2021{i:02d}21"),
        endpoints=(("OS", None, None, 6),),
    ),
    "numbers of eight digits are no dates": Case(
        _rows("id,arm,platelets,os_days,death", ID, ARM, lambda i: 20190300 + 11 * i, TIME, EVENT), baseline=("platelets",), endpoints=(("OS", "days", "1", 8),)
    ),
    # Korean, Russian
    "Korean times": Case(
        _rows("번호,군,나이,추적기간(개월),사망", ID, ARM, AGE, TIME, _cycle("0", "1", "1")), endpoints=(("OS", "months", "1", 8),), arms=("A", "B"), patients=12
    ),
    "Korean words": Case(
        _rows("환자번호,군,성별,생존기간(일),생존여부", ID, ARM, SEX, TIME, _cycle("생존", "사망")), endpoints=(("OS", "days", "사망", 6),), arms=("A", "B")
    ),
    "Russian": Case(
        _rows("номер,группа,возраст,Время наблюдения (мес),Смерть", ID, ARM, AGE, TIME, _cycle("да", "нет")), endpoints=(("OS", "months", "да", 6),), arms=("A", "B")
    ),
    "Russian status": Case(
        _rows("номер,группа,срок (дней),статус", ID, ARM, TIME, _cycle("жив", "умер", "умерла")), asked=("статус = умер", "статус = умерла")
    ),
    # what says nothing alone
    "√ for a death": Case(_rows("编号,组别,生存时间（月）,死亡", ID, ARM, TIME, _cycle("√", "", "")), asked=("nothing in 死亡",)),
    "√ as answered": Case(
        _rows("编号,组别,生存时间（月）,死亡", ID, ARM, TIME, _cycle("√", "", "")), answers={"nothing in 死亡": "censored"}, endpoints=(("OS", "months", "√", 4),)
    ),
    "1 for a death, nothing else": Case(
        _rows("id,arm,os_days,death", ID, ARM, TIME, _cycle("1", "")), answers={"nothing in death": "censored"}, endpoints=(("OS", "days", "1", 6),)
    ),
    "a status of eight words": Case(
        _rows("编号,组别,生存时间（月）,状态", ID, ARM, TIME, _cycle("死亡", "健在", "活", "脱落", "退组", "撤回同意", "失访", "在世")), endpoints=(("OS", "months", "event", 1),)
    ),
    "minutes are no time of a follow-up": Case(_rows("编号,组别,时间,状态", ID, ARM, lambda i: 40_000_000 + i, _cycle("存活", "死亡")), endpoints=()),
    "of two times the survival is that of a death": Case(
        _rows("编号,组别,生存天数,随访（年）,死亡", ID, ARM, TIME, lambda i: i / 4, EVENT), endpoints=(("OS", "days", "1", 8),)
    ),
    "two endpoints in Chinese": Case(
        _rows("编号,组别,总生存时间（月）,死亡,无进展生存时间（月）,进展或死亡", ID, ARM, TIME, EVENT, TIME, EVENT),
        endpoints=(("OS", "months", "1", 8), ("PFS", "months", "1", 8)), baseline=(),
    ),
    "local control is asked": Case(
        _rows("编号,组别,局部控制时间（月）,局部控制", ID, ARM, TIME, _cycle("是", "否")), asked=("event of 局部控制",)
    ),
    "who was not included is in no arm": Case(_rows("编号,分组,生存时间（月）,死亡", ID, _cycle("A", "B", "未入组"), TIME, EVENT), arms=("A", "B")),
    "nor in German": Case(_rows("id,Arm,OS (Monate),Tod", ID, _cycle("A", "B", "nicht eingeschlossen"), TIME, _cycle("ja", "nein")), arms=("A", "B")),
    # people
    **{
        f"personal data: {header}": Case(_rows(header, ID, _cycle("q", "w"), ARM, TIME, EVENT), personal=(f"s: {header.split(',')[1]}",), baseline=(), arms=("A", "B"))
        for header in (
            "번호,성명,군,추적기간(개월),사망", "번호,주민등록번호,군,추적기간(개월),사망", "번호,휴대폰,군,추적기간(개월),사망", "номер,ФИО,группа,срок (мес),Смерть",
            "номер,Адрес,группа,срок (мес),Смерть", "номер,СНИЛС,группа,срок (мес),Смерть", "编号,微信,组别,生存时间（月）,死亡", "编号,主管医生,组别,生存时间（月）,死亡",
            "編號,病歷號,組別,生存时间（月）,死亡", "id,pesel,arm,os_months,death",
        )
    },
    "names of people under another name": Case(
        _rows("编号,患者,组别,生存时间（月）,死亡", ID, lambda i: "李王张刘陈杨黄赵吴周徐孙"[i - 1] + "小明", ARM, TIME, EVENT), personal=("s: 患者",), baseline=()
    ),
    "names of people as ids": Case(
        _rows("Patient,Arm,OS (Monate),Tod", lambda i: f'"{["Schmidt", "Meyer", "Weber", "Wagner", "Becker", "Schulz", "Hoffmann", "Koch", "Bauer", "Richter", "Klein", "Wolf"][i - 1]}, Anna"', ARM, TIME, _cycle("ja", "nein")),
        personal=("s: Patient",), patients=12, arms=("A", "B"),
    ),
    "a disease is no person": Case(
        _rows("编号,合并症,组别,生存时间（月）,死亡", ID, _cycle("高血压", "白血病", "高血脂", "无"), ARM, TIME, EVENT), baseline=("variable",)
    ),
    "a histology is no person": Case(
        _rows("id,histology,arm,os_months,death", ID, lambda i: f'"{("Adenocarcinoma", "Carcinoma", "Sarcoma", "Lymphoma", "Melanoma")[i % 5]}, {("NOS", "papillary")[i % 2]}"', ARM, TIME, EVENT, n=60),
        personal=(), baseline=("histology",),
    ),
    "an onset is no birthday": Case(_rows("编号,发生日期,组别,生存时间（月）,死亡", ID, DAY, ARM, TIME, EVENT), personal=()),
    "a call is no telephone": Case(
        _rows("编号,组别,手术日期,死亡日期,末次电话随访日期", ID, ARM, DAY, _cycle("", "2021-12-30"), LATER), endpoints=(("OS", None, None, 6),), personal=()
    ),
    # ids that begin anew in each arm
    "ids of two arms": Case(
        _rows("no,group,age,os_days,death", lambda i: (i - 1) % 6 + 1, lambda i: "AB"[i > 6], AGE, TIME, EVENT), asked=("rows",)
    ),
    "every row is a patient": Case(
        _rows("no,group,age,os_days,death", lambda i: (i - 1) % 6 + 1, lambda i: "AB"[i > 6], AGE, TIME, EVENT),
        answers={"rows": "each"}, patients=12, arms=("A", "B"), endpoints=(("OS", "days", "1", 8),),
    ),
    # headers and ends
    "unit after in": Case(_rows("id,Gesamtüberleben in Monaten,Tod", ID, TIME, EVENT), endpoints=(("OS", "months", "1", 8),)),
    "everybody died": Case(_rows("id,os_days,death", ID, TIME, _cycle("1")), answers={"death = 1": "event"}, endpoints=(("OS", "days", "1", 12),)),
    "screen failures are no arm": Case(
        _rows("id,arm,os_days,death", ID, _cycle("A", "B", "Screening failure"), TIME, EVENT), arms=("A", "B")
    ),
    "failures in Chinese": Case(_rows("id,arm,os_days,death", ID, _cycle("A", "筛选失败", "B", "A"), TIME, EVENT), arms=("A", "B")),
    "a row of units": Case(
        "id,arm,age,os,death\n,,years,months,0/1\n" + _rows("", *USUAL).lstrip(), patients=12, endpoints=(("OS", "months", "1", 8),)
    ),
    "two rows of header": Case(
        "id,Baseline,,Outcome,\n,arm,age,os_days,death\n" + _rows("", *USUAL).lstrip(), patients=12, endpoints=(("OS", "days", "1", 8),), arms=("A", "B")
    ),
    "a total at the end": Case(_rows("id,arm,age,os_days,death", *USUAL) + "\nTotal,,46,,8\n", patients=12),
    "cells merged downwards": Case(
        _rows("arm,id,os_days,death", lambda i: {1: "A", 7: "B"}.get(i, ""), ID, TIME, EVENT), arms=("A", "B"), patients=12
    ),
}  # fmt: skip


@pytest.mark.parametrize("flag", ["有,有,无", "是,是,否", "1,1,0", "Yes,yes,No"])
def test_to_whom_it_happened_is_said_by_the_flag_not_by_the_dates(tmp_path, flag):
    """Of whom a recurrence is known without its day nobody makes a patient without one: the check asks for the day."""
    days = "2021-02-03", "", ""
    (tmp_path / "s.csv").write_text(_rows("编号,分组,手术日期,局部复发,复发日期,末次随访日期", ID, ARM, DAY, _cycle(*flag.split(",")), _cycle(*days), LATER), "utf-8")
    new = proposed("x", read_sheets([tmp_path / "s.csv"]))
    patients = new.tables["patients"]
    flags = patients.frame[patients.columns["local_progression"]]
    assert flags.value_counts().to_dict() == {"1": 8, "0": 4}
    (tmp_path / "x").mkdir()
    write_new_study(new, tmp_path / "x")
    with pytest.raises(ProblemsFound) as found:
        read_tables(read_study(tmp_path / "x"))
    assert len([problem for problem in found.value.problems if problem.code == "E027"]) == 4


@pytest.mark.parametrize(
    ("column", "values", "asked"),
    [("无复发", "是,否,否", set()), ("复发状态", "1,0,0", {"event of 复发状态"}), ("recurrence_free", "yes,no,no", set()), ("recurrence code", "1,0,0", {"event of recurrence code"})],
)
def test_a_column_beside_a_date_is_never_taken_for_its_opposite(tmp_path, column, values, asked):
    """`无复发` is yes where nobody relapsed, 1 may mean either: the dates alone say it, or it is asked."""
    date = "复发日期" if column.isascii() is False else "recurrence date"
    days = "", "2021-02-03", "2021-02-03"
    (tmp_path / "s.csv").write_text(_rows(f"编号,分组,手术日期,{column},{date},末次随访日期", ID, ARM, DAY, _cycle(*values.split(",")), _cycle(*days), LATER), "utf-8")
    new = proposed("x", read_sheets([tmp_path / "s.csv"]))
    assert set(new.proposal.questions.open) == asked
    patients = new.tables["patients"]
    if not asked:
        flags = patients.frame[patients.columns["local_progression"]]
        assert (flags == "1").equals(patients.frame[date].notna())


@pytest.mark.parametrize("name", CASES)
def test_each_input_comes_to_its_proposal_or_its_questions(tmp_path, name):
    case = CASES[name]
    (tmp_path / "s.csv").write_text(case.text, "utf-8")
    if case.refused:
        with pytest.raises(ProblemsFound, match=case.refused):
            proposed("x", read_sheets([tmp_path / "s.csv"]), case.answers)
        return
    new = proposed("x", read_sheets([tmp_path / "s.csv"]), case.answers)
    study, patients = new.proposal.study, new.tables["patients"]
    assert set(new.proposal.questions.open) == set(case.asked)
    if case.endpoints:
        assert [_seen(endpoint, patients) for endpoint in study["endpoints"]] == list(case.endpoints)
    if case.arms is not None:
        assert {arm["value"] for arm in study["arms"]} == set(case.arms)
    if case.baseline is not None:
        assert [variable["id"] for variable in study["baseline"]] == list(case.baseline)
    if case.patients is not None:
        assert len(patients.frame) == case.patients
    assert new.personal == list(case.personal)


def _seen(endpoint, patients):
    if "events" in endpoint:
        return endpoint["short"], None, None, int(patients.frame[patients.columns["death_date"]].notna().sum())
    codes = patients.frame[patients.columns[endpoint["event"]["column"]]]
    event = endpoint["event"]["event"]
    return endpoint["short"], endpoint["time"]["unit"], event, int(codes.eq(event).sum())


def test_columns_of_a_form_are_known_without_its_prefix(tmp_path):
    (tmp_path / "patients.csv").write_text(_rows("record_id,treatment_arm,os_days,death", ID, ARM, TIME, EVENT), "utf-8")
    events = _rows("record_id,ae_term,ae_grade,ae_start,ae_end,ae_serious,form_complete", ID, _cycle("Rash"), _cycle("1", "2"), DAY, LATER, _cycle("0"), _cycle("2"))
    (tmp_path / "form.csv").write_text(events, "utf-8")
    new = proposed("x", read_sheets([tmp_path]), {})
    assert new.tables["adverse_events"].columns == {
        "patient_id": "record_id", "term": "ae_term", "grade": "ae_grade", "onset_date": "ae_start", "end_date": "ae_end", "serious": "ae_serious",
    }  # fmt: skip


@pytest.mark.parametrize(("answer", "became"), [("limit", ["500", "500", "0.1"]), ("missing", ["", "", ""])])
def test_values_beyond_a_limit_become_what_was_answered_and_are_listed(tmp_path, answer, became):
    (tmp_path / "s.csv").write_text(_rows("id,os_days,death,Tg (ng/mL)", ID, TIME, EVENT, BEYOND, n=16), "utf-8")
    new = proposed("x", read_sheets([tmp_path / "s.csv"]), {"values beyond a limit": answer})
    changes = new.changes[new.changes["why"] == "a value beyond a limit"]
    assert sorted(changes["became"]) == sorted(became)
    assert sorted(changes["found"]) == ["<0.1", ">500", ">500"]
    cells = new.tables["patients"].frame[changes["column"].iat[0]]
    assert cells.dropna().map(float).sum() == sum(10 * i for i in range(1, 17) if i not in (3, 5, 7)) + sum(map(float, filter(None, became)))
    assert new.proposal.study["baseline"][0]["type"] in ("integer", "number")
