"""Which fonts draw a text, and in what lines: the one that comes with matplotlib, and where that lacks a sign those that are installed beside it.

They are the same files on every machine, so a text has the same width and a report the same bytes. Fonts of the machine are
never asked.
"""

from __future__ import annotations

__all__ = ["FAMILIES", "MAIN", "MARKED", "families_of", "files", "fill", "undrawn", "wrap"]

import functools
import re
import textwrap
import unicodedata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple


class _Font(NamedTuple):
    """A family, the package that brings it, its file there and its number in that file."""

    family: str
    package: str
    file: str
    face: int = 0


MAIN = "DejaVu Sans"
# Chinese; Japanese and Korean draw some of the same signs in other forms, which have as many signs and the same widths.
CHINESE, JAPANESE, KOREAN = "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR"
# Whose marks above and below letters have no code of their own in a PDF, so that it cannot conform to PDF/UA.
MARKED = (THAI, DEVANAGARI) = ("Noto Sans Thai", "Noto Sans Devanagari")
FONTS = (
    _Font(MAIN, "matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf"),
    _Font(CHINESE, "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", face=2),
    _Font(THAI, "fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf"),
    _Font(DEVANAGARI, "fontpkg_noto_sans_devanagari", "files/NotoSansDevanagari[wdth,wght].ttf"),
)
FAMILIES = tuple(font.family for font in FONTS)
# Signs twice as wide as a letter, between which a line may end; and what begins none.
WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
CLOSING = "，。、：；！？）》」』】〉〕％ー々"
KANA, HANGUL = re.compile("[\u3041-\u30ff\uff66-\uff9f]"), re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")


def files() -> list[Path]:
    """Return the file of each of `FAMILIES`."""
    return [_path(font) for font in FONTS]


def _path(font: _Font) -> Path:
    found = find_spec(font.package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {font.package}, which brings the font {font.family}, is not installed", name=font.package)
    return Path(found.submodule_search_locations[0]) / font.file


@functools.cache
def _signs(font: _Font) -> frozenset[str]:
    """What a font can draw."""
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415  most texts are plain Latin, and most commands draw nothing

    return frozenset(map(chr, FT2Font(str(_path(font)), face_index=font.face).get_charmap()))


def _is_silent(sign: str) -> bool:
    """Whether a sign has no picture of its own: joiners, marks of direction, selectors of a variant, spaces, ends of lines."""
    return unicodedata.category(sign) in ("Cf", "Cc", "Zs", "Zl", "Zp") or "\ufe00" <= sign <= "\ufe0f"


def _beyond(text: str) -> set[str]:
    """The signs of a text that need looking up."""
    return set() if text.isascii() else {sign for sign in set(text) if not sign.isascii() and not _is_silent(sign)}


def undrawn(text: str) -> str:
    """Return the signs of a text that no font has, each once, in their order."""
    left = _beyond(text)
    for font in FONTS:
        left = left and left - _signs(font)
    return "".join(dict.fromkeys(sign for sign in text if sign in left))


def families_of(text: str, context: str = "") -> tuple[str, ...]:
    """Return the families that draw a text: `MAIN`, and those that it needs beside.

    Han is Chinese, unless the text or what it stands in has kana, which makes it Japanese, or Hangul, which makes it Korean.
    """
    left, needed = _beyond(text), [MAIN]
    for font in FONTS:
        if found := left & _signs(font) if left else set():
            needed += [font.family] if font.family != MAIN else []
            left -= found
    told = context or text
    han = JAPANESE if KANA.search(told) else KOREAN if HANGUL.search(told) else CHINESE
    return tuple(han if family == CHINESE else family for family in needed)


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
