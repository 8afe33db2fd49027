"""Which fonts draw a text, and in what lines: the one that comes with matplotlib, and where that lacks a sign those that are installed beside it.

They are the same files on every machine, so a text has the same width and a report the same bytes. Fonts of the machine are
never asked.
"""

from __future__ import annotations

__all__ = ["FAMILIES", "MAIN", "MARKED", "Font", "drawn_by", "families_of", "files", "fill", "undrawn", "wrap"]

import functools
import re
import textwrap
import unicodedata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple


class Font(NamedTuple):
    """A family, the package that brings it, its file there and its number in that file."""

    family: str
    package: str
    file: str
    face: int = 0

    @property
    def path(self) -> Path:
        """Where its file is."""
        found = find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(f"the package {self.package}, which brings the font {self.family}, is not installed", name=self.package)
        return Path(found.submodule_search_locations[0]) / self.file


MAIN = "DejaVu Sans"
CHINESE = "Noto Sans CJK SC"
# Whose marks above and below letters have no code of their own in a PDF, so that it cannot conform to PDF/UA.
MARKED = (THAI, DEVANAGARI) = ("Noto Sans Thai", "Noto Sans Devanagari")
FONTS = (
    Font(MAIN, "matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf"),
    Font(CHINESE, "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", face=2),
    Font(THAI, "fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf"),
    Font(DEVANAGARI, "fontpkg_noto_sans_devanagari", "files/NotoSansDevanagari[wdth,wght].ttf"),
)
# Japanese and Korean draw some of the signs in other forms, in fonts of as many signs and the same widths.
JAPANESE, KOREAN = ("Noto Sans CJK JP", 0), ("Noto Sans CJK KR", 1)
FAMILIES = tuple(font.family for font in FONTS)
# What `MAIN` draws need not be looked up in it: Latin, Cyrillic, punctuation, raised and lowered digits, arrows, mathematics.
COMMON = "\u0000-\u024f\u0400-\u04ff\u2010-\u203a\u2074-\u208e\u2190-\u22ff"
# What `CHINESE` draws, likewise: Han, kana, Hangul, their punctuation, wide letters and digits.
EASTERN = "\u3001-\u301f\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fef\uac00-\ud7a3\uff01-\uff5e"
# Signs twice as wide as a letter, between which a line may end; and what begins none.
WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
CLOSING = "，。、：；！？）》」』】〉〕％ー々"
RARE = re.compile(f"[^{COMMON}]")
KANA, HANGUL = re.compile("[\u3041-\u30ff\uff66-\uff9f]"), re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")


def files() -> list[Path]:
    """Return the file of each of `FAMILIES`."""
    return [font.path for font in FONTS]


@functools.cache
def _signs(font: Font) -> frozenset[str]:
    """What a font can draw."""
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415  most texts have common signs alone, and most commands draw nothing

    return frozenset(map(chr, FT2Font(str(font.path), face_index=font.face).get_charmap()))


def _is_silent(sign: str) -> bool:
    """Whether a sign has no picture of its own: joiners, marks of direction, selectors of a variant, spaces, ends of lines."""
    return unicodedata.category(sign) in ("Cf", "Cc", "Zs", "Zl", "Zp") or "\ufe00" <= sign <= "\ufe0f"


def _beyond(text: str) -> set[str]:
    """The signs of a text that need looking up."""
    return {sign for sign in RARE.findall(text) if not _is_silent(sign)}


def undrawn(text: str) -> str:
    """Return the signs of a text that no font has, each once, in their order."""
    left = _beyond(re.sub(f"[{EASTERN}]", "", text))
    for font in FONTS:
        left = left and left - _signs(font)
    return "".join(dict.fromkeys(sign for sign in text if sign in left))


def drawn_by(text: str, context: str = "") -> dict[Font, set[str]]:
    """Return the fonts other than `MAIN` that a text needs, each with the signs that it draws.

    Han is Chinese, unless the text or what it stands in has kana, which makes it Japanese, or Hangul, which makes it Korean.
    """
    left, told, found = _beyond(text), context or text, {}
    for font in FONTS:
        own = left and left & _signs(font)
        left = left - own
        if own and font.family == CHINESE and (KANA.search(told) or HANGUL.search(told)):
            family, face = JAPANESE if KANA.search(told) else KOREAN
            font = font._replace(family=family, face=face)  # noqa: PLW2901
        if own and font.family != MAIN:
            found[font] = own
    return found


def families_of(text: str, context: str = "") -> tuple[str, ...]:
    """Return the families that draw a text: `MAIN`, and those that it needs beside (`drawn_by`)."""
    return (MAIN, *(font.family for font in drawn_by(text, context)))


class _Wrapper(textwrap.TextWrapper):
    """Breaks between wide signs too, each of which is made two letters long by a sign of no width."""

    def _split(self, text: str) -> list[str]:
        wide = rf"[{WIDE}](?:[{CLOSING}])*|[^{WIDE}]+"
        parts = (part for chunk in super()._split(text) for part in re.findall(wide, chunk))
        return [re.sub(f"([{WIDE}])", "\\1\u2060", part) for part in parts]


def wrap(text: str, width: int, **options: Any) -> list[str]:
    """Break a text into lines of so many letters, as `textwrap.wrap` does with its options; a Han sign takes the room of two."""
    if text.isascii():
        return textwrap.wrap(text, width, **options)
    return [line.replace("\u2060", "") for line in _Wrapper(width, **options).wrap(text)]


def fill(text: str, width: int, **options: Any) -> str:
    """The lines of `wrap` as one text."""
    return "\n".join(wrap(text, width, **options))
