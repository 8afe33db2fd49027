"""What clinics call things, in the languages most of them write: columns, answers, outcomes, units. One table of synonyms.

Names are written as `known_name` writes them: small letters and digits of any script, `_` between words.
"""

from __future__ import annotations

__all__ = [
    "CALLED",
    "CENSORED",
    "DEATH",
    "ENDPOINTS",
    "ENDPOINT_KEYS",
    "EVENT_NAMES",
    "HAPPENED",
    "NO",
    "SCREEN_FAILURE",
    "STATUS_NAMES",
    "TIME_NAMES",
    "TRUE_NAMES",
    "UNIT_WORDS",
    "YES",
    "known_name",
    "language_of",
    "words",
]

import re
import unicodedata
from collections.abc import Iterable


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def known_name(text: str) -> str:
    """Write a name of any language for comparison: `OS-Zeit (Monate)` -> `os_zeit_monate`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFKC", text))
    return re.sub(r"[\W_]+", "_", spaced.casefold()).strip("_")


def language_of(names: Iterable[str]) -> str:
    """In which language tables name their columns, where letters alone tell it: simplified Chinese, by characters that Japanese has not; else ""."""
    letters = {letter for name in names for letter in name if "\u4e00" <= letter <= "\u9fff"}
    chinese, japanese = ({letter for letter in letters if _is_in(letter, charset)} for charset in ("gb2312", "shift_jis"))
    return "zh" if chinese - japanese and not japanese - chinese else ""


def _is_in(letter: str, charset: str) -> bool:
    return bool(letter.encode(charset, "ignore"))


# Our column -> what it is usually called, in plain names (see `plain_name`); SDTM and ADaM names among them.
CALLED = {
    "patient_id": "patient_id patient patientid pat_id patid patno pat_no patient_no patient_nr patient_number subject subject_id "
    "subjid usubjid case case_id case_no participant participant_id record_id study_id id no nr",
    "arm": "arm treat group treatment_group treatment_arm study_arm arm_code cohort treatment trt trt01a trt01p trta trtp rx therapy "
    "allocation regimen gruppe bras actarm",
    "time_zero": "time_zero day_0 day0 treatment_start start_of_treatment start_date accept_date rand_date trtsdt",
    "last_tumour_assessment": "last_tumour_assessment last_tumor_assessment last_assessment last_scan last_imaging last_ct",
    "local_progression": "local_progression progression progressed progressive_disease local_recurrence relapse",
    "local_progression_date": "local_progression_date pd_date",
    "distant_progression_date": "distant_progression_date",
    "death": "death dead died deceased dthfl vital_status death_flag",
    "death_date": "death_date dod dthdt dthdtc",
    "last_contact_date": "last_contact_date dlc last_contact last_follow_up last_followup last_fu last_seen lstalvdt last_known_alive "
    "last_date last_alive",
    "excluded": "excluded exclusion exclusion_reason reason_for_exclusion",
    "lesion_id": "lesion_id lesion lesion_no lesion_nr target_lesion tulnkid",
    "site": "site location lesion_site organ tuloc",
    "target": "target is_target target_lesion_flag",
    "treated": "treated locally_treated",
    "region": "region",
    "assessment_date": "assessment_date scan_date date_of_scan imaging_date date_of_assessment date trdtc",
    "visit": "visit visit_month month timepoint visitnum",
    "longest_mm": "longest_mm longest longest_diameter longest_diameter_mm ld_mm d1 d1_mm diameter_1",
    "short_mm": "short_mm short short_axis short_axis_mm sd_mm d2 d2_mm diameter_2",
    "third_mm": "third_mm third d3 d3_mm diameter_3 height_mm",
    "too_small": "too_small too_small_to_measure",
    "status": "status lesion_status",
    "modality": "modality method imaging_method",
    "reader_response": "reader_response response overall_response recist best_response ovrlresp",
    "new_lesion": "new_lesion new_lesions",
    "sample_date": "sample_date date_of_sample lab_date lbdtc date blood_date",
    "marker": "marker analyte test parameter lbtestcd paramcd lab_test",
    "value": "value result lbstresn aval lab_value",
    "unit": "unit units lbstresu",
    "below_limit": "below_limit below_detection below_lod",
    "limit": "limit lod loq detection_limit",
    "above_limit": "above_limit above_range above_uloq above_loq",
    "reference_low": "reference_low ref_low lln lower_limit normal_low a1lo lbstnrlo lbornrlo 参考下限 下限",
    "reference_high": "reference_high ref_high uln upper_limit normal_high a1hi lbstnrhi lbornrhi 参考上限 上限",
    "positive": "positive",
    "state": "state tsh_state",
    "component": "component treatment drug therapy agent extrt",
    "start_date": "start_date start exstdtc date_start treatment_start first_dose date",
    "end_date": "end_date stop_date stop end exendtc date_end last_dose aeendtc resolved resolution_date",
    "start_dose": "start_dose dose starting_dose exdose",
    "lowest_dose": "lowest_dose reduced_dose",
    "n_seeds": "n_seeds seeds number_of_seeds",
    "seed_activity_mci": "seed_activity_mci seed_activity activity_mci",
    "prescription_gy": "prescription_gy prescribed_dose_gy prescription_dose",
    "d90_gy": "d90_gy d90",
    "line": "line treatment_line line_of_therapy",
    "term": "term event adverse_event ae aeterm aedecod preferred_term pt toxicity",
    "system": "system soc system_organ_class aesoc aebodsys",
    "grade": "grade ctcae_grade severity aetoxgr toxicity_grade ctc_grade aesev",
    "onset_date": "onset_date onset start_date date_of_onset aestdtc start date",
    "related": "related relationship causality aerel attribution",
    "serious": "serious sae aeser",
    "action": "action action_taken aeacn",
    "outcome": "outcome aeout outcome_of_event event_outcome ae_outcome",
}

# Our date -> what happened on it: it is called so in any order (`date_of_death`, `death_date`, `date_death`, `died_on`).
DATED = {
    "time_zero": "randomisation randomization randomised randomized registration registered enrolment enrollment enrolled entry "
    "inclusion included treatment_start start_of_treatment start therapy_start first_treatment first_dose treatment index baseline "
    "implantation surgery operation resection transplantation transplant diagnosis diagnosed",
    "last_tumour_assessment": "last_tumour_assessment last_tumor_assessment last_assessment last_scan last_imaging last_ct",
    "local_progression_date": "local_progression local_recurrence progression progressed recurrence relapse relapsed",
    "distant_progression_date": "distant_progression metastasis",
    "death_date": "death died",
    "last_contact_date": "last_contact last_follow_up last_followup last_fu last_seen last_visit follow_up followup fu last_alive "
    "last_known_alive last_news last_contact_or_death",
}

# The same in other languages, after the English names.
ELSEWHERE = {
    "patient_id": "prontuário prontuario patienten_id patientennummer patientennr pat_nr patient_nummer fallnr num_patient id_patient numero_patient "
    "numéro_patient no_patient n_patient code_patient sujet proband probanden_id probandennummer paciente paciente_id id_paciente num_paciente "
    "numero_paciente número_paciente código_paciente codigo_paciente cod_paciente nhc sujeto folio expediente paziente id_paziente "
    "numero_paziente codice_paziente soggetto patiënt patiënt_id patient_id_nr patiëntnummer patientnummer pasient pasient_id pasientnummer "
    "potilas potilas_id pacjent pacjent_id id_pacjenta numer_pacjenta pacient pacient_id páciens hasta hasta_no hasta_id пациент id_пациента номер "
    "номер_пациента ασθενής 환자 환자번호 환자_id 등록번호 연구번호 번호 연번 "
    "編號 患者編號 病人編號 受試者編號 患者编号 病人编号 病例号 患者id 编号 序号 患者号 患者 病人 登记号 受试者 受试者编号 筛选号 患者番号 症例番号 被験者番号 症例id 症例 被験者",
    "arm": "behandlungsgruppe therapiearm behandlung therapie behandlungsarm groupe traitement grupo tratamiento gruppo "
    "braccio trattamento braço braco группа grup grupa ramię ramie skupina csoport ομάδα 그룹 군 치료군 투여군 배정군 치료 组别 分组 治疗组 治疗方案 治疗方式 治疗 组 群 治療群 投与群 治療 組別 分組 治療組 治療方式 治療方案",
    "time_zero": "beginn datum_beginn beginn_datum beginndatum date_debut date_de_debut fecha_inicio fecha_de_inicio data_inicio data_inizio data_intervento data_randomizzazione data_arruolamento therapiebeginn behandlungsbeginn randomisierung datum_randomisierung randomisierungsdatum startdatum "
    "einschlussdatum date_debut_traitement 开始日期 开始时间 起始日期 起始时间 入组日期 入组时间 治疗开始日期 治疗开始时间 开始治疗日期 开始治疗时间 手术日期 治疗日期 随机日期 随机时间 开始日 開始日 登録日 治療開始日 割付日 手術日 開始日期 入組日期 治療日期 手術日期 隨機日期 首次治疗日期 дата_начала_лечения дата_начала дата_рандомизации дата_операции дата_включения 치료시작일 수술일 등록일 시작일 무작위배정일",
    "last_tumour_assessment": "letzte_bildgebung letztes_staging 末次影像日期 末次评估日期 最終評価日 最終画像日",
    "local_progression": "recidiva progressione progress progression_jn rezidiv 进展 复发 局部进展 局部复发 疾病进展 是否进展 是否复发 是否局部复发 増悪 再発 进展状态 progressão recidiva прогрессирование рецидив 재발 진행",
    "local_progression_date": "data_recidiva data_progressione datum_progress datum_des_progresses progressionsdatum rezidivdatum datum_progression datum_rezidiv progress_datum date_de_progression "
    "进展日期 复发日期 局部复发日期 局部进展日期 疾病进展日期 进展时间 複發日期 復發日期 進展日期 増悪日 再発日 дата_прогрессирования дата_рецидива 재발일 진행일",
    "death": "tod verstorben gestorben deces décès decede décédé muerte fallecido decesso óbito obito morte falecido 死亡 是否死亡 死亡有無 смерть умер 사망 사망여부",
    "death_date": "data_decesso data_di_morte fecha_de_muerte fecha_fallecimiento fecha_exitus data_morte data_obito todesdatum sterbedatum datum_tod verstorben_am date_deces date_de_deces date_décès fecha_muerte "
    "死亡日期 死亡时间 死亡日 死亡時間 дата_смерти 사망일 사망일자 사망날짜",
    "last_contact_date": "letzter_kontakt letzte_nachsorge datum_letzter_kontakt letztes_follow_up date_dernieres_nouvelles "
    "date_derniere_nouvelle fecha_ultimo_contacto derniere_nouvelle dernière_nouvelle dernieres_nouvelles dernières_nouvelles ultimo_control último_control "
    "data_ultimo_contatto ultimo_contatto data_ultimo_controllo fecha_ultimo_control ultimo_contacto último_contacto "
    "末次隨訪 末次隨訪日期 末次追蹤日期 最後追蹤日期 末次随访日期 末次随访时间 最后随访日期 随访日期 末次随访 最后随访 最后随访时间 随访截止 随访截止日期 随访截止时间 最終確認日 最終生存確認日 最終観察日 最終受診日 末次电话随访日期 最后联系日期 末次联系日期 дата_последнего_контакта дата_последнего_визита дата_последнего_наблюдения 최종추적일 마지막추적일 최종관찰일 최종방문일 추적종료일",
    "excluded": "ausgeschlossen ausschlussgrund 排除原因 剔除原因 除外理由",
    "site": "lokalisation 部位 病灶部位",
    "lesion_id": "läsion läsions_id 病灶编号",
    "visit": "visite besuch 访视 随访点",
    "marker": "laborwert 检验项目 检测项目 检查项目 指标 标志物 肿瘤标志物 项目 検査項目",
    "value": "ergebnis wert 结果 检验结果 检测结果 检测值 数值 検査値 結果",
    "unit": "einheit 单位 単位",
    "sample_date": "abnahmedatum probendatum 采样日期 采样时间 采血日期 检验日期 检测日期 检查日期 日期 採血日 検査日",
    "term": "nebenwirkung ereignis 不良事件 不良反应 不良事件名称 不良反应名称 毒性 副作用 有害事象",
    "grade": "grad schweregrad 分级 级别 等级 严重程度 不良事件分级 ctcae分级 グレード",
    "onset_date": "beginn debut début inicio 开始日期 开始时间 发生日期 发生时间 出现日期 出现时间 开始 開始日 開始日期 発現日 発生日",
    "end_date": "ende fin 结束日期 结束时间 终止日期 恢复日期 缓解日期 结束 終了日 回復日",
    "start_date": "beginn debut début inicio 开始日期 开始时间 用药日期 给药日期 治疗日期 开始 開始日 投与開始日",
    "component": "medikament wirkstoff 药物 药品 药名 治疗 治疗方式 薬剤",
}


def _with_dates(ours: str) -> str:
    orders = ("{}_date", "date_of_{}", "date_{}", "{}_on")
    return " ".join(order.format(what) for what in DATED.get(ours, "").split() for order in orders)


CALLED = {ours: f"{names} {_with_dates(ours)} {ELSEWHERE.get(ours, '')}" for ours, names in CALLED.items()}

YES = words("yes y true t да 예 네 x ja j oui si sí sim 是 有 はい あり 有り positive_yes")
NO = words("no n false f нет 아니오 아니요 nein non não nao 否 无 無 いいえ なし 無し")
# Values that say in words that the event happened, or that it did not: all of a text, or how it begins.
HAPPENED = re.compile(
    r"(?:dead|died|deceased|death|deaths|expired|event|progress(?:ed|ion)|relapse[d]?|recurr(?:ed|ence|ent)|failed|failure|"
    r"verstorben|gestorben|tot|tod|décédée?|decede|décès|muert[oae]|fallecid[oa]|deceduto|morto|morte|óbito|falecid[oa]|死亡|已死亡|亡故|病故|去世|死|复发|已复发|进展|再発|増悪|умер(?:ла)?|смерть|рецидив|прогрессирование|사망|재발|진행)\b.*",
    re.IGNORECASE | re.DOTALL,
)
CENSORED = re.compile(
    r"(?:alive|living|censored|censor|no event|no evidence|(?:event|disease|progression|relapse|recurrence|failure)[- ]?free|lost|withdrawn|not progressed|"
    r"no (?:death|relapse|recurrence|progression)|lebt|lebend|am leben|zensiert|vivante?|en vie|censurée?|viv[oa]|censurad[oa]|censurat[oa]|"
    r"生存|存活|健在|在世|活|删失|失访|脱落|退组|撤回同意|未复发|未进展|无复发|无进展|未死亡|打ち切り|無再発|жив(?:а)?|цензурирован\w*|생존|중도절단)\b.*",
    re.IGNORECASE | re.DOTALL,
)
DEATH = re.compile(r"(?:\d+\s*[:=.)-]\s*)?(?:dead|died|deceased|death|expired|verstorben|gestorben|tot|décédée?|muert[oae]|fallecid[oa]|deceduto|morto|morte|óbito|falecid[oa]|已?死亡|病故|去世|死|умер(?:ла)?|смерть|사망)\b.*", re.IGNORECASE)
# What tells the rows of a patient apart that are different endpoints, each of which becomes columns of its own.
ENDPOINT_KEYS = words("etype endpoint event_type type_of_event paramcd param parameter outcome_type endpunkt")
# Names of a column in which yes, or 1 beside 0, can only mean that it happened.
TRUE_NAMES = words("death dead died deceased event events evt relapse relapsed recurrence recurred recur progression progressed failure "
    "observed verstorben gestorben tod deces décès décédé óbito obito 死亡 是否死亡 复发 是否复发 进展 是否进展 进展或死亡 疾病进展或死亡 再発 rezidiv 사망 사망여부 재발 재발여부 진행 смерть умер рецидив")
EVENT_NAMES = TRUE_NAMES | words("e delta evento événement evenement arrest fail failed fustat 事件 事件发生 结局事件 イベント ereignis vital alive living lebt mort exitus rel")
# Names of a column that holds some coding of event and censoring, whichever way round.
STATUS_NAMES = words("status stat state cens censor censored censoring cnsr indicator ind flag outcome fustat code "
    "状态 生存状态 存活状态 结局 转归 статус исход 상태 생존여부 zensiert zensur statut estado 転帰 打ち切り")
TIME_NAMES = words("time times tte t duration futime fu follow up followup of to in on until till from survtime aval interval lifetime "
    "lifespan obstime zeit beobachtungszeit überlebenszeit nachbeobachtung délai durée suivi tiempo tempo stop tstop "
    "时间 随访时间 随访 观察时间 期間 観察期間 時間 추적기간 관찰기간 기간 время наблюдения срок")
UNIT_WORDS = {
    "days": words("days day d tage tagen tag jours jour dias días giorni 天 日 日数 天数 日間 일 일수 дней дни день"),
    "weeks": words("weeks week wk wks wochen woche semaines semanas 周 週 周数 주 недель недели"),
    "months": words("months month mo mos mth mths mon monate monaten monat mois meses mesi 月 个月 月数 ヶ月 か月 カ月 개월 мес месяц месяцев месяцы"),
    "years": words("years year yr yrs y jahre jahren jahr ans années años anni 年 年数 лет год годы"),
}
# An "arm" of patients who were never in one.
SCREEN_FAILURE = (
    r"(?:not included|excluded)?[ ,:(]*screen(?:ing)?[ _-]?(?:fail|versag|ausfall).*|scrnfail.*|(?:échec|echec) (?:de |au |à la |a la )?(?:la )?(?:sélection|selection|screening).*|"
    r"fallo (?:de|en el) (?:la )?(?:selección|seleccion|cribado|screening).*|falha (?:de|na|no) (?:triagem|seleção|screening).*|筛选失败.*|未入组.*|未入選.*|排除|剔除|nicht eingeschlossen.*|not enrol.*|не включ[её]н.*|선별 ?탈락.*|スクリーニング(?:脱落|不適格|失敗).*"
)
# Kind of outcome -> what it is called, its label and its short name.
ENDPOINTS = {
    "os": ("os survival surv death dead died deceased vital mort alive overall 总生存 总生存期 生存 生存期 死亡 사망 사망여부 생존 생존기간 전체생존 전체생존기간 смерть умер выживаемость überleben "
           "gesamtüberleben verstorben gestorben tod décès deces lebt exitus óbito obito morte 全生存 全生存期間", "Overall survival", "OS"),
    "pfs": ("pfs progression_free 无进展生存 无进展生存期 无进展生存时间 进展或死亡 疾病进展或死亡 無増悪生存 무진행생존 무진행생존기간", "Progression-free survival", "PFS"),
    "dfs": ("dfs disease_free 无病生存 无病生存期 無病生存", "Disease-free survival", "DFS"),
    "rfs": ("rfs relapse_free recurrence_free 无复发生存 无复发生存期 無再発生存", "Relapse-free survival", "RFS"),
    "efs": ("efs event_free", "Event-free survival", "EFS"),
    "mfs": ("mfs dmfs metastasis_free", "Metastasis-free survival", "MFS"),
    "css": ("css dss cancer_specific", "Cancer-specific survival", "CSS"),
    "ttp": ("ttp progression progressed prog progress 进展 増悪", "Time to progression", "TTP"),
    "ttr": ("ttr recur recurrence recurred relapse relapsed rel rec rezidiv 复发 再発 재발 рецидив", "Time to recurrence", "TTR"),
    "ttf": ("ttf", "Time to treatment failure", "TTF"),
    "lc": ("local_control local_failure 局部控制 局部控制时间 局部失败 局部控制期 局所制御", "Local control", "LC"),
}  # fmt: skip
