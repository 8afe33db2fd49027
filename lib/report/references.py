"""Sources of the statistical methods, for the methods section of a report."""

from __future__ import annotations

__all__ = ["cite"]

from collections.abc import Iterable

# A phrase of a method -> where it was published, of the methods that several outputs share or that their data choose.
SOURCES = {
    "Kaplan-Meier": "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457",
    "Brookmeyer-Crowley": "Brookmeyer R, Crowley J. Biometrics 1982;38:29",
    "log-rank test": "Mantel N. Cancer Chemother Rep 1966;50:163",
    "Cox regression": "Cox DR. J R Stat Soc B 1972;34:187; ties: Efron B. J Am Stat Assoc 1977;72:557",
    "Firth": "Heinze G, Schemper M. Biometrics 2001;57:114",
    "restricted mean": "Royston P, Parmar MK. BMC Med Res Methodol 2013;13:152",
    "cumulative incidence": "Aalen OO, Johansen S. Scand J Stat 1978;5:141",
    "Gray's test": "Gray RJ. Ann Stat 1988;16:1141",
    "Clopper-Pearson": "Clopper CJ, Pearson ES. Biometrika 1934;26:404",
    "Fisher-Freeman-Halton": "Freeman GH, Halton JH. Biometrika 1951;38:141",
    "Holm": "Holm S. Scand J Stat 1979;6:65",
    "Miettinen-Nurminen": "Miettinen O, Nurminen M. Stat Med 1985;4:213",
    "Hodges-Lehmann": "Hodges JL, Lehmann EL. Ann Math Stat 1963;34:598",
    "Kruskal-Wallis": "Kruskal WH, Wallis WA. J Am Stat Assoc 1952;47:583",
    "Dunn": "Dunn OJ. Technometrics 1964;6:241",
    "standardized": "Austin PC. Stat Med 2009;28:3083; Yang D, Dalton JE. SAS Global Forum 2012, paper 335",
    "mixed model": "Laird NM, Ware JH. Biometrics 1982;38:963",
    "overlap weights": "Li F, Li F. Ann Appl Stat 2019;13:2389",
    "Turnbull": "Turnbull BW. J R Stat Soc B 1976;38:290",
    "interval-censored times": "Finkelstein DM. Biometrics 1986;42:845",
}


def cite(method: str, own: Iterable[str] = ()) -> list[str]:
    """Sources of the methods that a phrase names, and those that its outputs have of their own (in the catalogue).

    Examples
    --------
    >>> cite("Dunn's test, two-sided")
    ['Dunn OJ. Technometrics 1964;6:241']
    """
    shared = [source for phrase, source in SOURCES.items() if phrase.lower() in method.lower()]
    return [*shared, *dict.fromkeys(source for source in own if source)]
