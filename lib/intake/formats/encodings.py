"""Bytes -> text, where nobody says the encoding: by mark, as strict UTF-8, else the encoding that gives the likeliest text.

A general detector is a coin toss on the few words of a table (Chinese headers in GB18030 and Korean ones in EUC-KR are
both letters in either), so candidates are ranked by what they give: characters that the language uses, ahead of those that
are merely possible. What was taken is said with a word of the file, and so is a second encoding that reads nearly as well.
"""

from __future__ import annotations

__all__ = ["decode"]

import codecs
import re
import unicodedata

from lib.intake.cells import Unreadable
from lib.study.yaml_file import shown

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
SAMPLE = 20_000  # bytes of lines that are not plain ASCII, by which encodings are ranked
PLAUSIBLE = 0.5  # of 2: below it no candidate gives a text
CERTAIN = 1.9
CLOSE = 0.7  # of the best: a second encoding that is named
# One wrong byte among so many right ones is damage, not another encoding.
DAMAGED = 0.1

NAMES = {
    "gb18030": "GB18030 (simplified Chinese)", "cp950": "Big5 (traditional Chinese)", "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)", "cp949": "EUC-KR (Korean)", "cp1252": "Windows-1252 (Western European)",
    "cp1251": "Windows-1251 (Cyrillic)",
}  # fmt: skip
# First bytes of the characters in daily use, and of punctuation, full-width letters and kana: the standards sort them so.
DAILY = {
    "gb18030": (range(0xB0, 0xD8), range(0xA1, 0xA4)),
    "cp950": (range(0xA4, 0xC7), range(0xA1, 0xA4)),
    "cp932": (range(0x88, 0x99), range(0x81, 0x84)),
    "euc_jp": (range(0xB0, 0xD0), range(0xA1, 0xA6)),
    "cp949": (range(0xB0, 0xC9), range(0xA1, 0xA4)),
}
KANA = "".join(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC, 0x3005]))
JAPANESE = KANA + (
    "年月日男女性別齢患者名号番死亡生存無有治療群薬量検査結果診断病院期間再発転移手術開始終了歳体重身長観察投与試験"
    "対照群登録症例初回最終追跡原因腫瘍反応進行完全部分安定不明副作用程度重軽中等所見山田太郎本川村木林井高橋佐藤鈴子美大小値前後左右一二三四五六"
)
# What tables of patients are made of, and the characters that are most frequent anyway.
FREQUENT = {
    "gb18030": "的一是了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "患者编号姓名性别男女年龄岁组治疗方案药剂量死亡存活否日期随访天月周开始结束进展复发转移手术放化疗效评价完全部分缓解稳定"
    "疾病不良反应级分轻度中重检查结果阴阳肿瘤直径长短甲状腺肺肝肾血白红蛋细胞高低正常异无未知其他原因住院入出诊断身体重吸烟史"
    "术前后状态事件时间总生存期对照试验观察第次单位值测定初始基线终点备注失联系最近末检验标本型左右侧淋巴结骨脑区域远处张王李赵刘陈杨黄周吴徐孙明小红华丽伟三四五甲乙丙丁省市县",
    "cp950": "的一是了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡"
    "患者病編號姓名性別男女年齡歲組治療方案藥劑量死亡存活否日期隨訪追蹤天月週開始結束進展復發轉移手術放化療效評價完全部分緩解穩定"
    "疾不良反應級輕度重檢查結果陰陽腫瘤直徑長短甲狀腺肺肝腎血白紅蛋細胞高低正常異無未知其他原因住院入出診斷身體重吸菸史"
    "術前狀態事件時間總存期對照試驗觀察第次單位值測定初始基線終點備註失聯絡最近末標本型左右側淋巴結骨腦區域遠處張王李趙劉陳楊黃周吳徐孫明小紅華麗偉文三四五甲乙丙丁省市縣",
    "cp932": JAPANESE,
    "euc_jp": JAPANESE,
    "cp949": "이다는의에가을를로하고자남여환한지은인기사도시과나그리서대정일년월성별번호세상전주어부해수보장제아연관군치료약"
    "용량투여사망생존추적날짜개작종등급재발이전행수술완전분안질병반응양음검결무유경증중심진단명체키몸게흡력태건간총조험"
    "첫마막원신체값단위기타알없음있예니오후방항암선폐신혈백적호르몬림프뼈뇌코드령방식군대조름표시점김박최철민영현준희갑을병",
}  # fmt: skip
WESTERN = frozenset("äöüÄÖÜßéèêëàâáãåæçñíìîïóòôõøúùûýÿœÉÈÊÀÁÂÃÅÆÇÑÍÓÔÕØÚŠšŽž°µ±²³½¼·«»§€–—’‘“”…•®©™¿¡ªº× ")
CYRILLIC = frozenset("оеаинтсрвлкмдпуяызьбгчйхжшюцщэфъёОЕАИНТСРВЛКМДПУЯЗБГЧХЖШЮЦЩЭФ№«»–—°")


def decode(raw: bytes) -> tuple[str, list[str]]:
    """Decode a file of text.

    Parameters
    ----------
    raw : bytes

    Returns
    -------
    text : str
        Without a byte-order mark.
    notes : list of str
        The encoding, unless it is UTF-8.

    Raises
    ------
    Unreadable
        E006 damaged or of no known encoding, E104 no text.
    """
    for mark, name in MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(name), [f"encoding: {name.upper()}"]
            except UnicodeDecodeError:
                raise Unreadable("E006", f"begins as {name.upper()} and is none; save it as UTF-8") from None
    if b"\x00" in raw:
        return _without_mark(raw)
    try:
        text = raw.decode("utf-8-sig")
        return text, _other_reading(raw, text) if len(raw) < SAMPLE else []
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        reason = f"encoding is not UTF-8 (byte 0x{raw[error.start]:02x}){{}}; save the file as CSV UTF-8"
    replaced = raw[:1_000_000].decode("utf-8", "replace")
    wrong = replaced.count("\ufffd")
    if wrong <= DAMAGED * sum(not c.isascii() for c in replaced):
        raise Unreadable("E006", reason.format(", and the rest is: it is damaged"), row=row)
    ranked = _ranked(raw)
    if not ranked:
        raise Unreadable("E006", reason.format(", and none of those that are known"), row=row)
    return _chosen(raw, ranked)


def _without_mark(raw: bytes) -> tuple[str, list[str]]:
    """UTF-16 that no mark announces: one of its two orders gives text."""
    for name, zero in (("utf-16-le", 1), ("utf-16-be", 0)):
        in_place, elsewhere = raw[zero:SAMPLE:2].count(0), raw[1 - zero : SAMPLE : 2].count(0)
        # a zero is the first half of every plain letter, and the second of few others
        if in_place > elsewhere and len(raw) % 2 == 0:
            try:
                text = raw.decode(name)
            except UnicodeDecodeError:
                continue
            if _is_text(text[:SAMPLE]):
                return text, [f"encoding: {name.upper()} (no byte-order mark)"]
    raise Unreadable("E104", "not readable as text: a binary file")


def _other_reading(raw: bytes, text: str) -> list[str]:
    """Say what else a short text of letters in pairs of bytes may be: a few words in GB18030 are UTF-8 by chance."""
    foreign = [c for c in text if not c.isascii()]
    if not foreign or any(c >= "\u0800" or c in WESTERN or c in CYRILLIC for c in foreign):
        return []
    others = [f"{NAMES[name]} would give {_words(other)}" for score, name, other in _ranked(raw) if score >= CERTAIN]
    return [f"encoding: UTF-8, by its words: {_words(text)} ({'; '.join(others)})"] if others else []


def _is_text(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Co", "Cn", "Cs") and c not in "\t\r\n\f" for c in text)


def _chosen(raw: bytes, ranked: list[tuple[float, str, str]]) -> tuple[str, list[str]]:
    (best, name, sample), *others = ranked
    word, note = _words(sample), f"encoding: {NAMES[name]}"
    note += f", by its words: {word}" if word else ""
    near = [f"{NAMES[other]} would give {_words(text)}" for score, other, text in others if score >= CLOSE * best]
    near = [said for said in near if not said.endswith(f"would give {word}")]
    return raw.decode(name), [note + (f" ({'; '.join(near)})" if near else "")]


def _words(text: str) -> str:
    """The first words that are not plain ASCII: what a reader judges the encoding by."""
    words = dict.fromkeys(word for word in re.findall(r"[^\s,;|\"]+", text) if not word.isascii())
    return ", ".join(shown(word[:20]) for word in list(words)[:3])


def _ranked(raw: bytes) -> list[tuple[float, str, str]]:
    """Score, name and sample of every encoding in which the whole is a plausible text, the likeliest first."""
    lines, size = [], 0
    for line in raw.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size > SAMPLE:
                break
    found = []
    for order, name in enumerate(NAMES):
        try:
            raw.decode(name)
            sample = b"".join(lines).decode(name)
        except UnicodeDecodeError:
            continue
        score = _score(sample, name)
        if score >= PLAUSIBLE:
            found.append((-score, order, name, sample))
    return [(-score, name, sample) for score, _, name, sample in sorted(found)]


def _score(text: str, name: str) -> float:
    """From 0 (no text) to 2: the share of characters in daily use, and of those that tables of patients are full of."""
    places = [i for i, c in enumerate(text) if not c.isascii()]
    if not _is_text(text):
        return 0
    if name not in DAILY:
        return _score_letters(text, name, places)
    daily = frequent = 0
    letters, marks = DAILY[name]
    for i in places:
        encoded = text[i].encode(name)
        lead = encoded[0] if len(encoded) == 2 else 0
        # the second half of GBK, beside the core, is of rare characters
        core = name not in ("gb18030", "cp949", "euc_jp") or encoded[-1] >= 0xA1
        usual = core and (lead in letters or lead in marks) and not _beside_a_small_letter(text, i)
        daily += usual
        frequent += usual and (text[i] in FREQUENT[name] or lead in marks)
    return (daily + frequent) / len(places)


def _beside_a_small_letter(text: str, i: int) -> bool:
    """Ideographs stand beside capitals (CD4细胞, A组), never inside a word of small letters as a wrong accent does."""
    around = text[max(i - 1, 0) : i] + text[i + 1 : i + 2]
    return any("a" <= c <= "z" for c in around)


def _score_letters(text: str, name: str, places: list[int]) -> float:
    """Share of the characters that stand in words as a language of letters writes them."""
    write = _western if name == "cp1252" else _cyrillic
    words = (word for word in re.findall(r"[^\s,;|\"]+", text) if not word.isascii())
    return 2 * sum(sum(not c.isascii() for c in word) for word in words if write(word)) / len(places)


def _western(word: str) -> bool:
    """Accents stand alone or in pairs among plain letters; quotes and signs stand at their edges."""
    accented = "".join("x" if c.isascii() else "é" if c.isalpha() else "-" for c in word)
    signs_inside = re.search(r"[^\W\d_][‘“”„…•®©™¿¡ªº×][^\W\d_]", word)
    usual = all(c in WESTERN for c in word if not c.isascii())
    return usual and "ééé" not in accented and not signs_inside and not re.search(r"é-|-é|--", accented)


def _cyrillic(word: str) -> bool:
    """A word is of one alphabet, and small, capital, or begins with a capital."""
    runs = [run for run in re.findall(r"[^\W\d_]+", word) if not run.isascii()]
    usual = all(c in CYRILLIC for c in word if not c.isascii())
    return usual and all(run in (run.lower(), run.upper(), run.title()) and not re.search("[A-Za-z]", run) for run in runs)
