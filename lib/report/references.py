"""Sources of the statistical methods, and the methods in sentences, for the methods section of a report."""

from __future__ import annotations

__all__ = ["cite", "paragraph"]

import re
from collections.abc import Iterable, Mapping

from lib.languages.speech import N_, _
from lib.show.formats import p_value

# A phrase of a method -> where it was published, of the methods that several outputs share or that their data choose.
# A phrase that holds another stands instead of it: a weighted log-rank test is not Mantel's.
SOURCES = {
    "Kaplan-Meier": "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. doi:10.1080/01621459.1958.10501452",
    "change with 1 - Kaplan-Meier": "Grambsch PM, Therneau TM. Biometrika 1994;81:515-526. doi:10.1093/biomet/81.3.515",
    "Brookmeyer-Crowley": "Brookmeyer R, Crowley J. Biometrics 1982;38:29-41. doi:10.2307/2530286",
    "landmark analysis": "Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983;1:710-719. doi:10.1200/JCO.1983.1.11.710",
    "clones, artificial censoring and weights": "Hernán MA, Robins JM. Am J Epidemiol 2016;183:758-764. doi:10.1093/aje/kwv254; Maringe C, Benitez Majano S, Exarchakou A, et al. Int J Epidemiol 2020;49:1719-1729. doi:10.1093/ije/dyaa057",
    "log-rank test": "Mantel N. Cancer Chemother Rep 1966;50:163-170; Peto R, Peto J. J R Stat Soc A 1972;135:185-207. doi:10.2307/2344317",
    "log-rank test for trend": "Tarone RE. Biometrika 1975;62:679-682. doi:10.1093/biomet/62.3.679",
    "log-rank test, stratified": "Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748. doi:10.1093/jnci/22.4.719",
    "weighted log-rank test": "Peto R, Peto J. J R Stat Soc A 1972;135:185-207. doi:10.2307/2344317; Harrington DP, Fleming TR. Biometrika 1982;69:553-566. doi:10.1093/biomet/69.3.553",
    "permutation log-rank test": "Heinze G, Gnant M, Schemper M. Biometrics 2003;59:1151-1157. doi:10.1111/j.0006-341X.2003.00132.x",
    "Schoenfeld": "Schoenfeld DA. Biometrics 1983;39:499-503. doi:10.2307/2531021",
    "Cox regression": "Cox DR. J R Stat Soc B 1972;34:187-220. doi:10.1111/j.2517-6161.1972.tb00899.x",
    "Efron ties": "Efron B. J Am Stat Assoc 1977;72:557-565. doi:10.1080/01621459.1977.10480613",
    "Breslow ties": "Breslow N. J R Stat Soc B 1972;34:216-217",
    "Firth": "Heinze G, Schemper M. Biometrics 2001;57:114-119. doi:10.1111/j.0006-341X.2001.00114.x",
    "robust Wald": "Lin DY, Wei LJ. J Am Stat Assoc 1989;84:1074-1078. doi:10.1080/01621459.1989.10478874",
    "restricted mean": "Royston P, Parmar MK. BMC Med Res Methodol 2013;13:152. doi:10.1186/1471-2288-13-152",
    "area under the Kaplan-Meier curve": "Royston P, Parmar MK. BMC Med Res Methodol 2013;13:152. doi:10.1186/1471-2288-13-152",
    "cumulative incidence": "Aalen OO, Johansen S. Scand J Stat 1978;5:141-150",
    "robust by patient": "Lin DY, Wei LJ. J Am Stat Assoc 1989;84:1074-1078. doi:10.1080/01621459.1989.10478874",
    "cluster-robust": "Liang KY, Zeger SL. Biometrika 1986;73:13-22. doi:10.1093/biomet/73.1.13",
    "Gray's test": "Gray RJ. Ann Stat 1988;16:1141-1154. doi:10.1214/aos/1176350951",
    "completeness index (Clark)": "Clark TG, Altman DG, De Stavola BL. Lancet 2002;359:1309-1310. doi:10.1016/S0140-6736(02)08272-7",
    "Clopper-Pearson": "Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. doi:10.1093/biomet/26.4.404",
    "Cochran-Armitage": "Cochran WG. Biometrics 1954;10:417-451. doi:10.2307/3001616; Armitage P. Biometrics 1955;11:375-386. doi:10.2307/3001775",
    "Fisher's exact test": "Fisher RA. J R Stat Soc 1935;98:39-82. doi:10.2307/2342435",
    "Fisher-Freeman-Halton": "Freeman GH, Halton JH. Biometrika 1951;38:141-149. doi:10.1093/biomet/38.1-2.141",
    "Pearson chi-square": "Pearson K. Philos Mag 1900;50:157-175. doi:10.1080/14786440009463897",
    "Holm": "Holm S. Scand J Stat 1979;6:65-70",
    "Miettinen-Nurminen": "Miettinen O, Nurminen M. Stat Med 1985;4:213-226. doi:10.1002/sim.4780040211",
    "Hodges-Lehmann": "Hodges JL, Lehmann EL. Ann Math Stat 1963;34:598-611. doi:10.1214/aoms/1177704172",
    "rank-sum test": "Mann HB, Whitney DR. Ann Math Stat 1947;18:50-60. doi:10.1214/aoms/1177730491",
    "Kruskal-Wallis": "Kruskal WH, Wallis WA. J Am Stat Assoc 1952;47:583-621. doi:10.1080/01621459.1952.10483441",
    "Dunn": "Dunn OJ. Technometrics 1964;6:241-252. doi:10.1080/00401706.1964.10490181",
    "Spearman": "Spearman C. Am J Psychol 1904;15:72-101. doi:10.2307/1412159",
    "Cohen's kappa": "Cohen J. Educ Psychol Meas 1960;20:37-46. doi:10.1177/001316446002000104",
    "exact conditional interval": "Przyborowski J, Wilenski H. Biometrika 1940;31:313-323. doi:10.1093/biomet/31.3-4.313",
    "standardized": "Austin PC. Stat Med 2009;28:3083-3107. doi:10.1002/sim.3697",
    "Yang-Dalton": "Yang D, Dalton JE. SAS Global Forum 2012, paper 335",
    "analysis of covariance": "Vickers AJ, Altman DG. BMJ 2001;323:1123-1124. doi:10.1136/bmj.323.7321.1123",
    "a variance for each arm": "Johansen S. Biometrika 1980;67:85-92. doi:10.1093/biomet/67.1.85",
    "exact conditional test that the odds ratios": "Zelen M. Biometrika 1971;58:129-137. doi:10.1093/biomet/58.1.129",
    "mixed model": "Laird NM, Ware JH. Biometrics 1982;38:963-974. doi:10.2307/2529876",
    "Satterthwaite": "Satterthwaite FE. Biometrics Bull 1946;2:110-114. doi:10.2307/3002019",
    "overlap weights": "Li F, Li F. Ann Appl Stat 2019;13:2389-2415. doi:10.1214/19-AOAS1282",
    "Kish": "Kish L. Survey Sampling, 1965",
    "Turnbull": "Turnbull BW. J R Stat Soc B 1976;38:290-295. doi:10.1111/j.2517-6161.1976.tb01597.x",
    "permutation test of interval-censored times": "Finkelstein DM. Biometrics 1986;42:845-854. doi:10.2307/2530698",
}
# A phrase of a method -> what was done, as a sentence of a paper; in this order, each at most once.
SENTENCES = {
    "standardized": N_("Balance of the arms at baseline was described by standardized differences"),
    "reverse Kaplan-Meier": N_("Median follow-up was estimated by the reverse Kaplan-Meier method"),
    "Kaplan-Meier, log-log": N_("Time-to-event curves were estimated by the Kaplan-Meier method with log-log confidence intervals"),
    "Brookmeyer-Crowley": N_("Medians have Brookmeyer-Crowley confidence intervals on the log-log scale"),
    "log-rank test, chi-square": N_("Curves were compared by the log-rank test"),
    "log-rank test for trend": N_("A trend over the ordered arms was tested by the log-rank test for trend"),
    "Cox regression (Efron ties), Wald": N_("Hazard ratios come from Cox regression with Efron's handling of ties"),
    "change with 1 - Kaplan-Meier": N_("Proportionality of hazards was examined by the score test on scaled Schoenfeld residuals"),
    "restricted cubic spline": N_("Whether the log hazard is a straight line in a number was tested against restricted cubic splines"),
    "optimism by bootstrap": N_("The concordance of the model was corrected for optimism by the bootstrap"),
    "Firth": N_("Cox regression with Firth's penalty was used where events were few, or to see whether the answer holds"),
    "restricted means by Kaplan-Meier": N_("Restricted mean times up to a common horizon were compared as a further measure of effect"),
    "cumulative incidence": N_("With competing events, cumulative incidences were estimated by the Aalen-Johansen method"),
    "Gray's test": N_("Cumulative incidences were compared by Gray's test"),
    "grouped by patient": N_("Treated lesions were analysed one by one, with intervals and tests that allow for lesions of one patient being alike"),
    "pseudo-values": N_("Control of a lesion was related to its dose by logistic regression of pseudo-values"),
    "landmark analysis": N_("Survival by response was compared from landmarks, among patients still free of the event"),
    "weighted log-rank test": N_("The Peto-Peto test, a weighted log-rank test, was a sensitivity analysis"),
    "permutation log-rank test": N_("A permutation log-rank test was a sensitivity analysis"),
    "log-rank test, stratified": N_("A stratified log-rank test was a sensitivity analysis"),
    "Turnbull": N_("Times known only to lie between two visits were described by Turnbull's estimator"),
    "overlap weights": N_("Arms were weighted by overlap weights from a propensity model of the declared covariates"),
    "Rubin's rules": N_("What was missing of covariates was imputed by chained equations, and the models put together by Rubin's rules"),
    "E-value": N_("E-values were computed for confounding by what was not measured"),
    "Clopper-Pearson": N_("Proportions have exact Clopper-Pearson confidence intervals"),
    "Newcombe": N_("Differences of proportions also have Newcombe's score confidence intervals"),
    "Miettinen-Nurminen": N_("Risk differences have Miettinen-Nurminen score confidence intervals"),
    "Fisher's exact test": N_("Two proportions were compared by Fisher's exact test"),
    "Fisher-Freeman-Halton": N_("Tables of several arms were compared by the exact test of Fisher, Freeman and Halton"),
    "Cochran-Armitage": N_("A trend of proportions over the ordered arms was tested by the Cochran-Armitage test"),
    "McNemar": N_("Changes of response within patients were tested by the exact McNemar test"),
    "signed-rank": N_("Changes of measurements within patients were tested by the Wilcoxon signed-rank test"),
    "Kruskal-Wallis": N_("Measurements of several arms were compared by the Kruskal-Wallis test"),
    "Dunn": N_("Pairs of arms were then compared by Dunn's test"),
    "Hodges-Lehmann": N_("Differences between two arms are Hodges-Lehmann shifts"),
    "analysis of covariance": N_("Changes from baseline were also compared by analysis of covariance, adjusted for the baseline, each arm with a variance of its own"),
    "linear mixed model": N_("Repeated measurements were analysed on the log scale by linear mixed models"),
    "exact Poisson": N_("Rates of events per time at risk have exact Poisson confidence intervals"),
    "Cohen's kappa": N_("Agreement of the derived response with the reader's was measured by Cohen's kappa"),
    "Holm": N_("The {p_values} of pairs of arms were adjusted by Holm's method"),
}


def cite(method: str, own: Iterable[str] = ()) -> list[str]:
    """Sources of the methods that a phrase names, and those that its outputs have of their own (in the catalogue).

    Examples
    --------
    >>> cite("Dunn's test, two-sided")
    ['Dunn OJ. Technometrics 1964;6:241-252. doi:10.1080/00401706.1964.10490181']
    >>> cite("permutation log-rank test")
    ['Heinze G, Gnant M, Schemper M. Biometrics 2003;59:1151-1157. doi:10.1111/j.0006-341X.2003.00132.x']
    """
    named = [phrase for phrase in SOURCES if phrase.lower() in method.lower()]
    widest = [phrase for phrase in named if not any(phrase != other and phrase in other for other in named)]
    found = "; ".join([*(SOURCES[phrase] for phrase in widest), *filter(None, own)])
    return list(dict.fromkeys(filter(None, found.split("; "))))


def _short(source: str) -> str:
    """A source as it stands within a sentence, to its first page: the list of methods below has it whole."""
    return re.sub(r"(?<=\d:)(\w+)(?:-\w+)?(?:\. doi:\S+)?$", r"\1", source)


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
            words = _(sentence, p_values=p_value(several=True))
            said.append(_("{words} ({sources}).", words=words, sources="; ".join(map(_short, sources))) if sources else _("{words}.", words=words))
    return said
