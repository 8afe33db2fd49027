"""How journals write numbers: the point, the p-value, the interval, the count with its percentage. formats asks here.

A style changes how a number is written, never which number it is; results.csv knows none. A process makes one page at a
time, so the style in force is a setting of the process: a page takes it when it begins (lib/report/page.py).

Sources, as of 2026; where a journal asks for less than a verdict needs, the verdict comes first (a p-value that rounding
would put on the limit keeps more decimals, as the AMA manual asks too):

- nejm: N Engl J Med, author center, statistical reporting guidelines: P values above 0.01 to two decimals, from 0.01 to
  0.001 to three, below as P<0.001. Printed there: "P=0.04", "95% CI, 0.55 to 0.87".
- lancet: Lancet, information for authors, formatting: decimal points at the middle of the line, p values to two
  significant figures and at most four decimals ("p=0·043", "p<0·0001"). Printed there: "95% CI 0·55–0·87", with "to"
  where a limit is negative; "10 (77%) of 13".
- jama: JAMA, instructions for authors, and the AMA Manual of Style, 11th edition, sections 18.7.1 and 19.5: P values to
  two decimals, three below .01, P < .001, P > .99, no zero before the point of P; "95% CI, 0.55-0.87", with "to" where
  a limit is negative; "10 of 13 (77%)".

Thousands stand apart by a thin space in every style (ISO 80000-1, 7.3.1), so no comma is taken for a decimal point.
"""

from __future__ import annotations

__all__ = ["PLAIN", "STYLES", "Style", "in_force", "use"]

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """A way to write numbers.

    Attributes
    ----------
    name : str
        What "How was this computed?" calls it.
    p, p_value : str
        The letter, and the word, within a sentence.
    sign : str
        What stands between the letter and the number, with "{}" for the sign: " {} " or "{}".
    decimals : tuple of (float, int)
        From which p-value on, how many decimals; largest first.
    least, most : float
        Beyond these a p-value is said to be below or above.
    zero : bool
        Whether a p-value has a zero before its point.
    point : str
        Decimal point.
    joins : str
        What joins the limits of an interval that are both plain numbers.
    ci : str
        What stands between "95%" and the interval.
    share : str
        Count, denominator and percentage.
    """

    name: str
    p: str = "p"
    p_value: str = "p-value"
    sign: str = " {} "
    decimals: tuple[tuple[float, int], ...] = ((0.0, 3),)
    least: float = 0.001
    most: float = 0.999
    zero: bool = True
    point: str = "."
    joins: str = " to "
    ci: str = "CI"
    share: str = "{count}/{n} ({percent})"

    def decimals_of(self, p: float) -> int:
        """Decimals of a p-value, before its side of the limit is looked at."""
        return next(decimals for start, decimals in self.decimals if p >= start)


PLAIN = Style("plain")
STYLES = {
    "plain": PLAIN,
    "nejm": Style("New England Journal of Medicine", "P", "P value", "{}", ((0.01, 2), (0.0, 3)), most=0.99, ci="CI,"),
    "lancet": Style("Lancet", "p", "p value", "{}", ((0.0995, 2), (0.00995, 3), (0.0, 4)), 0.0001, 0.99, point="·", joins="–",
                    share="{count} ({percent}) of {n}"),
    "jama": Style("JAMA", "P", "P value", " {} ", ((0.01, 2), (0.0, 3)), most=0.99, zero=False, joins="-", ci="CI,",
                  share="{count} of {n} ({percent})"),
}  # fmt: skip

_in_force = {"style": PLAIN}


def use(name: str) -> None:
    """Write numbers in this style from now on; "" is plain."""
    _in_force["style"] = STYLES[name or "plain"]


def in_force() -> Style:
    """The style in which numbers are written."""
    return _in_force["style"]
