"""A page brings the signs that a reader's machine may have no font for: of each font those that it shows, a few kilobytes."""

from __future__ import annotations

__all__ = ["with_fonts"]

import base64
import io
import re
from functools import lru_cache

from lib.fonts import Font, drawn_by

# With this variable its style sheet begins each list of fonts. At the end of one, Chromium sets some texts before the font is there
# and leaves them as boxes; and it holds no sign that the others have.
VARIABLE = "--script"
# What a style sheet puts in is written by its number.
ESCAPED = re.compile(r"\\([0-9a-f]{4,5}) ")


def with_fonts(page: str) -> str:
    """Put fonts into a page for what `lib.fonts.MAIN` does not draw; a page that needs none stays as it is.

    Parameters
    ----------
    page : str
        HTML with a head and a Content-Security-Policy that allows images as data.
    """
    fonts = drawn_by(page + "".join(chr(int(code, 16)) for code in ESCAPED.findall(page)))
    if not fonts:
        return page
    faces = "".join(_face(font, "".join(sorted(signs))) for font, signs in fonts.items())
    families = ", ".join(f'"{font.family}"' for font in fonts)
    style = f"<style>{faces}:root {{ {VARIABLE}: {families}; }}</style>\n</head>"
    return page.replace("img-src data:;", "img-src data:; font-src data:;", 1).replace("</head>", style, 1)


@lru_cache(maxsize=64)
def _face(font: Font, signs: str) -> str:
    """A rule for a style sheet that holds a font with these signs alone."""
    from fontTools.subset import Options, Subsetter  # noqa: PLC0415  most pages need none
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    options = Options(flavor="woff", hinting=False, notdef_outline=True)
    with TTFont(font.path, fontNumber=font.face, lazy=True, recalcTimestamp=False) as file:
        subsetter = Subsetter(options)
        subsetter.populate(text=signs)
        subsetter.subset(file)
        file.flavor, held = "woff", io.BytesIO()
        file.save(held)
    data = base64.b64encode(held.getvalue()).decode()
    return f'@font-face {{ font-family: "{font.family}"; src: url(data:font/woff;base64,{data}); }}\n'
