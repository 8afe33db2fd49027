"""Which fonts draw a text, what none draws, and where lines end."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.ft2font import FT2Font

from lib.fonts import COMMON, EASTERN, FONTS, MAIN, families_of, fill, undrawn, wrap
from lib.show.plots import style

NEEDED = {
    "Hazard ratio ≥ 1, ±0.5 µm², Œuvre, Çığ, ﬁ": (),
    "Выживаемость, Επιβίωση, Հայերեն, ქართული, عربية, עברית": (),
    "总生存期": ("Noto Sans CJK SC",),
    "直径 あり": ("Noto Sans CJK JP",),
    "ﾊﾝｶｸ": ("Noto Sans CJK JP",),
    "直径 한국": ("Noto Sans CJK KR",),
    "ไทย 中 हिन्दी": ("Noto Sans CJK SC", "Noto Sans Thai", "Noto Sans Devanagari"),
}


@pytest.mark.parametrize(("text", "needed"), NEEDED.items())
def test_the_fonts_that_a_text_needs(text, needed):
    assert families_of(text) == (MAIN, *needed)
    assert undrawn(text) == ""


@pytest.mark.parametrize(("text", "signs"), [("a🩺b🩺", "🩺"), ("中ᚠ𓀀", "ᚠ𓀀"), ("A\u200d\ufe0f\u2009é", "")])
def test_what_no_font_draws_is_named_once_in_order(text, signs):
    assert undrawn(text) == "".join(dict.fromkeys(signs))


@pytest.mark.parametrize(("taken", "font", "last"), [(COMMON, FONTS[0], 0x3000), (EASTERN, FONTS[1], 0xFFFF)])
def test_what_is_not_looked_up_is_drawn(taken, font, last):
    signs = set(map(chr, FT2Font(str(font.path), face_index=font.face).get_charmap()))
    common = re.findall(f"[{taken}]", "".join(map(chr, range(last))))
    assert len(common) > 1000
    assert {sign for sign in common if sign not in signs and unicodedata.category(sign) not in ("Cc", "Cf", "Zl", "Zp")} == set()


@given(st.text(st.characters(max_codepoint=0x24F, exclude_categories=["Cc", "Cs", "Cn"]), max_size=40))
def test_latin_of_any_kind_is_drawn_by_the_font_of_the_pictures(text):
    assert families_of(text) == (MAIN,)
    assert undrawn(text) == ""


@pytest.mark.parametrize("text", [*NEEDED, "Time"])
def test_a_picture_names_the_fonts_it_needs_and_measures_with_them(text, caplog):
    """Matplotlib warns of a glyph that it lacks, and warnings are errors; of a weight that it lacks it writes a line to a log."""
    with style.picture(2) as (figure, axes):
        axes.set_xlabel(text)
        axes.set_title(text, weight="bold")
        svg = style.write_figure(figure, "f", "t", "a").svg
    assert caplog.text == ""
    assert "font-family: " + ", ".join(f"'{family}'" for family in families_of(text)[::-1]) + ", sans-serif" in svg
    assert "font-family: 'DejaVu Sans', sans-serif" in svg, "the numbers of the axes"


def test_han_beside_japanese_is_japanese():
    with style.picture(2) as (figure, axes):
        axes.set_xlabel("直径")
        axes.set_ylabel("あり")
        svg = style.write_figure(figure, "f", "t", "a").svg
    assert "CJK JP" in svg
    assert "CJK SC" not in svg


WRAPPED = {
    ("Iodine-125 seeds and drug", 12): ["Iodine-125", "seeds and", "drug"],
    ("安罗替尼联合碘125粒子植入组", 12): ["安罗替尼联合", "碘125粒子植", "入组"],
    ("无进展生存期（风险比），完", 10): ["无进展生存", "期（风险", "比），完"],
    ("Überleben über 5 Jahre", 12): ["Überleben", "über 5 Jahre"],
    ("무진행 생존기간", 8): ["무진행", "생존기간"],
}


@pytest.mark.parametrize(("given", "lines"), WRAPPED.items())
def test_lines_are_as_long_as_they_are_drawn(given, lines):
    assert wrap(*given) == lines


def test_what_is_cut_says_so():
    assert fill("因其他疾病死亡而删失的患者，以及失访的患者", 20, max_lines=1, placeholder="…") == "因其他疾病死亡而删…"


@given(st.text("ab 中，日é-", max_size=60), st.integers(4, 30))
def test_no_sign_is_lost_and_no_line_too_long(text, width):
    lines = wrap(text, width)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    marks = [sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in re.sub("，+", "", line)) for line in lines]
    assert max(marks, default=0) <= width
