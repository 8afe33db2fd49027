"""Column names that give a person away: they are never read."""

from __future__ import annotations

__all__ = ["looks_personal"]

import re

# Words of a column name, in English, German and French, and in Chinese, which is written without spaces.
WORDS = re.compile(
    r"""\b( names? | (sur|fore|first|last|full|middle|maiden)names? | initials | (birth(day|date)?) | dob | born
    | (tele)?phones? | tel | mobile | fax | e?mails? | address(es)? | street | city | zip(code)? | post(al|code)
    | mrn | hospital | ssn | nhs | passport | insurance | pid | photos?
    | (vor|nach)name | geburts(datum|tag|ort) | geburt | telefon | handy | anschrift | adresse | stra(ss|ß)e | plz
    | fallnummer | nom | pr[eé]nom | naissance | portable )\b""",
    re.VERBOSE,
)
CHINESE = ("姓名", "名字", "出生", "生日", "电话", "手机", "地址", "住院号", "病历号", "门诊号", "身份证", "医保")


def looks_personal(column: str) -> bool:
    """Whether a column name looks like that of a name, birth date, address, telephone or hospital number.

    Parameters
    ----------
    column : str
        As the file names it: `PatientName`, `date_of_birth`, `Tel.`, `姓名`.
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower()
    return bool(WORDS.search(re.sub(r"[\W\d_]+", " ", spaced))) or any(part in column for part in CHINESE)
