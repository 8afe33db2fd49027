"""The catalogue's rows of the page on models; how they are read and what they mean stands in outputs and catalogue."""

from __future__ import annotations

__all__ = ["MODELS"]

from lib.analyses.catalogue import AGAIN, ALL, EXPLORATORY, NOT_EXAMINED, OVERLAP, Output

PATIENTS = "patients"

MODELS = (
    # What remains when other things are held alike
    Output("regression_count", PATIENTS, NOT_EXAMINED),
    Output("regression_missing", PATIENTS, NOT_EXAMINED),
    Output("regression_crude", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("regression_crude_test", "", NOT_EXAMINED, tests=EXPLORATORY),
    Output("regression_adjusted", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("regression_adjusted_test", "", NOT_EXAMINED, tests=EXPLORATORY),
    Output("regression_same", PATIENTS, NOT_EXAMINED),
    Output("regression_fit", PATIENTS, NOT_EXAMINED, source="Peduzzi P et al. J Clin Epidemiol 1995;48:1503-1510. doi:10.1016/0895-4356(95)00048-8; Vittinghoff E, McCulloch CE. Am J Epidemiol 2007;165:710-718. doi:10.1093/aje/kwk052"),
    Output("subdistribution_crude", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY, source="Fine JP, Gray RJ. J Am Stat Assoc 1999;94:496-509. doi:10.1080/01621459.1999.10474144"),
    Output("subdistribution_adjusted", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY, source="Fine JP, Gray RJ. J Am Stat Assoc 1999;94:496-509. doi:10.1080/01621459.1999.10474144"),
    Output("response_regression_count", PATIENTS, NOT_EXAMINED),
    Output("response_regression_missing", PATIENTS, NOT_EXAMINED),
    Output("response_regression_crude", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("response_regression_crude_test", "", NOT_EXAMINED, tests=EXPLORATORY),
    Output("response_regression_adjusted", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("response_regression_adjusted_test", "", NOT_EXAMINED, tests=EXPLORATORY),
    Output("response_regression_same", PATIENTS, NOT_EXAMINED),
    Output("response_regression_fit", PATIENTS, NOT_EXAMINED, source="Peduzzi P et al. J Clin Epidemiol 1995;48:1503-1510. doi:10.1016/0895-4356(95)00048-8; Vittinghoff E, McCulloch CE. Am J Epidemiol 2007;165:710-718. doi:10.1093/aje/kwk052"),
    Output("model_verdicts", "models", NOT_EXAMINED),
    # Whether models fit
    Output("model_fit", PATIENTS, NOT_EXAMINED, source="Peduzzi P, et al. J Clin Epidemiol 1995;48:1503-1510. doi:10.1016/0895-4356(95)00048-8; Vittinghoff E, McCulloch CE. Am J Epidemiol 2007;165:710-718. doi:10.1093/aje/kwk052"),
    Output("model_missing", PATIENTS, NOT_EXAMINED),
    Output("model_linearity", "", NOT_EXAMINED, tests=EXPLORATORY, source="Durrleman S, Simon R. Stat Med 1989;8:551-561. doi:10.1002/sim.4780080504"),
    Output("model_quartiles", "", NOT_EXAMINED, source="Durrleman S, Simon R. Stat Med 1989;8:551-561. doi:10.1002/sim.4780080504"),
    Output("model_proportional", "", NOT_EXAMINED, tests=EXPLORATORY, source="Grambsch PM, Therneau TM. Biometrika 1994;81:515-526. doi:10.1093/biomet/81.3.515"),
    Output("model_proportional_all", "", NOT_EXAMINED, tests=EXPLORATORY, source="Grambsch PM, Therneau TM. Biometrika 1994;81:515-526. doi:10.1093/biomet/81.3.515"),
    Output("model_proportional_arm", "", NOT_EXAMINED, tests=EXPLORATORY, source="Grambsch PM, Therneau TM. Biometrika 1994;81:515-526. doi:10.1093/biomet/81.3.515"),
    Output("model_period", PATIENTS, NOT_EXAMINED, source="Fisher LD, Lin DY. Annu Rev Public Health 1999;20:145-157. doi:10.1146/annurev.publhealth.20.1.145"),
    Output("model_period_test", "", NOT_EXAMINED, tests=EXPLORATORY, source="Fisher LD, Lin DY. Annu Rev Public Health 1999;20:145-157. doi:10.1146/annurev.publhealth.20.1.145"),
    Output("model_interaction", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("model_subgroup", PATIENTS, NOT_EXAMINED),
    Output("model_concordance", "", NOT_EXAMINED, source="Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361-387. doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4"),
    # Covariates that are missing
    Output("missing_covariate", PATIENTS, NOT_EXAMINED),
    Output("missing_events", PATIENTS, NOT_EXAMINED),
    Output("missing_logarithm", PATIENTS, NOT_EXAMINED),
    Output("missing_pattern", PATIENTS, NOT_EXAMINED, denominator=ALL),
    Output("imputed_cox", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY, source="Buuren S van, Groothuis-Oudshoorn K. J Stat Softw 2011;45:1-67. doi:10.18637/jss.v045.i03; White IR, Royston P. Stat Med 2009;28:1982-1998. doi:10.1002/sim.3618; Barnard J, Rubin DB. Biometrika 1999;86:948-955. doi:10.1093/biomet/86.4.948"),
    Output("complete_cox", PATIENTS, NOT_EXAMINED, tests=AGAIN),
    # A component that takes time to be added
    Output("strategy_patients", PATIENTS, NOT_EXAMINED, denominator=OVERLAP),
    Output("immortal_time", PATIENTS, NOT_EXAMINED, source="Suissa S. Am J Epidemiol 2008;167:492-499. doi:10.1093/aje/kwm324"),
    Output("strategy_hr", PATIENTS, NOT_EXAMINED, denominator=OVERLAP),
    Output("strategy_risk", PATIENTS, NOT_EXAMINED, denominator=OVERLAP),
    Output("strategy_mean", PATIENTS, NOT_EXAMINED, denominator=OVERLAP),
    Output("strategy_share", "", NOT_EXAMINED),
    Output("strategy_leaving", PATIENTS, NOT_EXAMINED, denominator=OVERLAP, source="D'Agostino RB, Lee ML, Belanger AJ, et al. Stat Med 1990;9:1501-1515. doi:10.1002/sim.4780091214"),
    Output("strategy_weight", PATIENTS, NOT_EXAMINED, denominator=OVERLAP, source="Cole SR, Hernán MA. Am J Epidemiol 2008;168:656-664. doi:10.1093/aje/kwn164"),
    # What was known before, and what is known now
    Output("prior_effect", "", NOT_EXAMINED, source="Box GEP. J R Stat Soc A 1980;143:383-430. doi:10.2307/2982063"),
    Output("posterior_effect", PATIENTS, NOT_EXAMINED, source="Spiegelhalter DJ, Freedman LS, Parmar MKB. J R Stat Soc A 1994;157:357-416. doi:10.2307/2983527; Schmidli H, Gsteiger S, Roychoudhury S, et al. Biometrics 2014;70:1023-1032. doi:10.1111/biom.12242"),
    Output("posterior_effect_other", "", NOT_EXAMINED, source="Spiegelhalter DJ, Freedman LS, Parmar MKB. J R Stat Soc A 1994;157:357-416. doi:10.2307/2983527; Schmidli H, Gsteiger S, Roychoudhury S, et al. Biometrics 2014;70:1023-1032. doi:10.1111/biom.12242"),
    Output("prior_share", "", NOT_EXAMINED, source="Box GEP. J R Stat Soc A 1980;143:383-430. doi:10.2307/2982063"),
    Output("posterior_share", PATIENTS, NOT_EXAMINED, source="Spiegelhalter DJ, Freedman LS, Parmar MKB. J R Stat Soc A 1994;157:357-416. doi:10.2307/2983527; Schmidli H, Gsteiger S, Roychoudhury S, et al. Biometrics 2014;70:1023-1032. doi:10.1111/biom.12242"),
    Output("posterior_share_difference", "", NOT_EXAMINED, source="Spiegelhalter DJ, Freedman LS, Parmar MKB. J R Stat Soc A 1994;157:357-416. doi:10.2307/2983527; Schmidli H, Gsteiger S, Roychoudhury S, et al. Biometrics 2014;70:1023-1032. doi:10.1111/biom.12242"),
    # The next trial, and what others found
    Output("next_trial", "", NOT_EXAMINED, source="Freedman LS. Stat Med 1982;1:121-129. doi:10.1002/sim.4780010204; O'Hagan A, Stevens JW, Campbell MJ. Pharm Stat 2005;4:187-201. doi:10.1002/pst.175"),
    Output("next_trial_assumed", "", NOT_EXAMINED, source="Lachin JM, Foulkes MA. Biometrics 1986;42:507-519. doi:10.2307/2531201"),
    Output("next_trial_arms", "", NOT_EXAMINED, source="Makuch RW, Simon RM. J Chronic Dis 1982;35:861-867; Ahnn S, Anderson SJ. Stat Med 1998;17:2525-2534"),
    Output("next_response", "", NOT_EXAMINED, source="Fleiss JL, Tytun A, Ury HK. Biometrics 1980;36:343-346. doi:10.2307/2529990"),
    Output("evidence", "patients or patients of another study", NOT_EXAMINED),
    Output("evidence_pooled", "", NOT_EXAMINED, source="Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385. doi:10.6028/jres.087.022; Hartung J, Knapp G. Stat Med 2001;20:3875-3889. doi:10.1002/sim.1009; Röver C, Knapp G, Friede T. BMC Med Res Methodol 2015;15:99. doi:10.1186/s12874-015-0091-1; Higgins JP, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137-159. doi:10.1111/j.1467-985X.2008.00552.x"),
)  # fmt: skip
