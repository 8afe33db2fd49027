"""Sources of the statistical methods, and the methods in sentences, for the methods section of a report."""

from __future__ import annotations

__all__ = ["cite", "paragraph"]

from collections.abc import Iterable, Mapping

# A phrase of a method -> where it was published, of the methods that several outputs share or that their data choose.
# A phrase that holds another stands instead of it: a weighted log-rank test is not Mantel's.
SOURCES = {
    "Kaplan-Meier": "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457",
    "change with 1 - Kaplan-Meier": "Grambsch PM, Therneau TM. Biometrika 1994;81:515",
    "Brookmeyer-Crowley": "Brookmeyer R, Crowley J. Biometrics 1982;38:29",
    "landmark analysis": "Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983;1:710",
    "log-rank test": "Mantel N. Cancer Chemother Rep 1966;50:163",
    "log-rank test, stratified": "Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719",
    "weighted log-rank test": "Harrington DP, Fleming TR. Biometrika 1982;69:553",
    "permutation log-rank test": "Heinze G, Gnant M, Schemper M. Biometrics 2003;59:1151",
    "Schoenfeld": "Schoenfeld DA. Biometrics 1983;39:499",
    "Cox regression": "Cox DR. J R Stat Soc B 1972;34:187",
    "Efron ties": "Efron B. J Am Stat Assoc 1977;72:557",
    "Breslow ties": "Breslow N. J R Stat Soc B 1972;34:216",
    "Firth": "Heinze G, Schemper M. Biometrics 2001;57:114",
    "robust Wald": "Lin DY, Wei LJ. J Am Stat Assoc 1989;84:1074",
    "restricted mean": "Royston P, Parmar MK. BMC Med Res Methodol 2013;13:152",
    "area under the Kaplan-Meier curve": "Royston P, Parmar MK. BMC Med Res Methodol 2013;13:152",
    "cumulative incidence": "Aalen OO, Johansen S. Scand J Stat 1978;5:141",
    "Gray's test": "Gray RJ. Ann Stat 1988;16:1141",
    "completeness index (Clark)": "Clark TG, Altman DG, De Stavola BL. Lancet 2002;359:1309",
    "Clopper-Pearson": "Clopper CJ, Pearson ES. Biometrika 1934;26:404",
    "Fisher's exact test": "Fisher RA. J R Stat Soc 1922;85:87",
    "Fisher-Freeman-Halton": "Freeman GH, Halton JH. Biometrika 1951;38:141",
    "Pearson chi-square": "Pearson K. Philos Mag 1900;50:157",
    "Holm": "Holm S. Scand J Stat 1979;6:65",
    "Miettinen-Nurminen": "Miettinen O, Nurminen M. Stat Med 1985;4:213",
    "Hodges-Lehmann": "Hodges JL, Lehmann EL. Ann Math Stat 1963;34:598",
    "rank-sum test": "Mann HB, Whitney DR. Ann Math Stat 1947;18:50",
    "Kruskal-Wallis": "Kruskal WH, Wallis WA. J Am Stat Assoc 1952;47:583",
    "Dunn": "Dunn OJ. Technometrics 1964;6:241",
    "Spearman": "Spearman C. Am J Psychol 1904;15:72",
    "Cohen's kappa": "Cohen J. Educ Psychol Meas 1960;20:37",
    "exact conditional interval": "Przyborowski J, Wilenski H. Biometrika 1940;31:313",
    "standardized": "Austin PC. Stat Med 2009;28:3083",
    "Yang-Dalton": "Yang D, Dalton JE. SAS Global Forum 2012, paper 335",
    "mixed model": "Laird NM, Ware JH. Biometrics 1982;38:963",
    "Satterthwaite": "Satterthwaite FE. Biometrics Bull 1946;2:110",
    "overlap weights": "Li F, Li F. Ann Appl Stat 2019;13:2389",
    "Kish": "Kish L. Survey Sampling, 1965",
    "Turnbull": "Turnbull BW. J R Stat Soc B 1976;38:290",
    "permutation test of interval-censored times": "Finkelstein DM. Biometrics 1986;42:845",
}
# A phrase of a method -> what was done, as a sentence of a paper; in this order, each at most once.
SENTENCES = {
    "standardized": "Balance of the arms at baseline was described by standardized differences",
    "reverse Kaplan-Meier": "Median follow-up was estimated by the reverse Kaplan-Meier method",
    "Kaplan-Meier, log-log": "Time-to-event curves were estimated by the Kaplan-Meier method with log-log confidence intervals",
    "Brookmeyer-Crowley": "Medians have Brookmeyer-Crowley confidence intervals",
    "log-rank test, chi-square": "Curves were compared by the log-rank test",
    "Cox regression (Efron ties), Wald": "Hazard ratios come from Cox regression with Efron's handling of ties",
    "change with 1 - Kaplan-Meier": "Proportionality of hazards was examined by the score test on scaled Schoenfeld residuals",
    "Firth": "Cox regression with Firth's penalty was used where events were few, or to see whether the answer holds",
    "restricted means by Kaplan-Meier": "Restricted mean times up to a common horizon were compared as a further measure of effect",
    "cumulative incidence": "With competing events, cumulative incidences were estimated by the Aalen-Johansen method",
    "Gray's test": "Cumulative incidences were compared by Gray's test",
    "landmark analysis": "Times after a response were analysed from landmarks",
    "weighted log-rank test": "A weighted log-rank test was a sensitivity analysis",
    "permutation log-rank test": "A permutation log-rank test was a sensitivity analysis",
    "log-rank test, stratified": "A stratified log-rank test was a sensitivity analysis",
    "Turnbull": "Times known only to lie between two visits were described by Turnbull's estimator",
    "overlap weights": "Arms were weighted by overlap weights from a propensity model of the declared covariates",
    "E-value": "E-values say how strong an unmeasured confounder would have to be",
    "Clopper-Pearson": "Proportions have exact Clopper-Pearson confidence intervals",
    "Newcombe": "Differences of proportions have Newcombe's score intervals",
    "Miettinen-Nurminen": "Risk differences have Miettinen-Nurminen score intervals",
    "Fisher's exact test": "Two proportions were compared by Fisher's exact test",
    "Fisher-Freeman-Halton": "Tables of several arms were compared by the exact test of Fisher, Freeman and Halton",
    "McNemar": "Changes of response within patients were tested by the exact McNemar test",
    "signed-rank": "Changes of measurements within patients were tested by the Wilcoxon signed-rank test",
    "Kruskal-Wallis": "Measurements of several arms were compared by the Kruskal-Wallis test",
    "Dunn": "Pairs of arms were then compared by Dunn's test",
    "Hodges-Lehmann": "Differences between two arms are Hodges-Lehmann shifts",
    "linear mixed model": "Repeated measurements were analysed on the log scale by linear mixed models",
    "exact Poisson": "Rates of events per time at risk have exact Poisson intervals",
    "Cohen's kappa": "Agreement of readers was measured by Cohen's kappa",
    "Holm": "p-values of pairs of arms were adjusted by Holm's method",
}


def cite(method: str, own: Iterable[str] = ()) -> list[str]:
    """Sources of the methods that a phrase names, and those that its outputs have of their own (in the catalogue).

    Examples
    --------
    >>> cite("Dunn's test, two-sided")
    ['Dunn OJ. Technometrics 1964;6:241']
    >>> cite("permutation log-rank test")
    ['Heinze G, Gnant M, Schemper M. Biometrics 2003;59:1151']
    """
    named = [phrase for phrase in SOURCES if phrase.lower() in method.lower()]
    widest = [phrase for phrase in named if not any(phrase != other and phrase in other for other in named)]
    return list(dict.fromkeys([*(SOURCES[phrase] for phrase in widest), *filter(None, own)]))


def paragraph(methods: Mapping[str, Iterable[str]]) -> list[str]:
    """What was done, in sentences to paste into a paper, each with its sources.

    Parameters
    ----------
    methods : mapping of str to iterable of str
        Method -> the sources of its own that its outputs have.
    """
    said = []
    for phrase, sentence in SENTENCES.items():
        method = next((method for method in methods if phrase.lower() in method.lower()), None)
        if method is not None:
            sources = cite(phrase, methods[method])
            said.append(f"{sentence} ({'; '.join(sources)})." if sources else f"{sentence}.")
    return said
