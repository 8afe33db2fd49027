# Reference values for the cohort report, from the shipped tables: tests of Table 1, completeness of follow-up (Clark),
# exposure and intervals between scans, in base R.
#   Rscript cohort.R OUT.json     (R 4.2.2; Debian package: jsonlite), run from tests/reference
library(jsonlite); out <- commandArgs(TRUE)[1]
rd <- function(study, table) read.csv(file.path("../../data", study, paste0(table, ".csv")), stringsAsFactors = FALSE, na.strings = "")
test <- function(x, arm, category) { k <- !is.na(x); x <- x[k]; arm <- arm[k]
  if (!category) return(kruskal.test(x ~ factor(arm))$p.value)
  t <- table(x, arm); e <- outer(rowSums(t), colSums(t))/sum(t)
  if (any(e < 5)) fisher.test(t, workspace = 2e7)$p.value else chisq.test(t, correct = FALSE)$p.value }
tests <- function(p, arm, numbers, categories) c(sapply(numbers, function(v) test(p[[v]], p[[arm]], FALSE), simplify = FALSE), sapply(categories, function(v) test(p[[v]], p[[arm]], TRUE), simplify = FALSE))
five <- function(x) c(length(x), mean(x), sd(x), quantile(x, c(0, .25, .5, .75, 1), type = 7, names = FALSE))

p <- rd("rair_dtc", "patients"); colon <- rd("colon", "patients"); zero <- as.Date(p$time_zero); cutoff <- as.Date("2025-02-28")
complete <- function(event, end) { observed <- as.numeric(end - zero); potential <- ifelse(event, observed, as.numeric(cutoff - zero))
  f <- function(k) c(sum(observed[k])/sum(potential[k]), sum(observed[k])/30.4375, sum(potential[k])/30.4375, sum((potential - observed)[k] > 180))
  c(sapply(split(seq_along(event), p$arm), f, simplify = FALSE), list(overall = f(seq_along(event)))) }
progression <- pmin(as.Date(p$local_progression_date), as.Date(p$death_date), na.rm = TRUE)
last <- as.Date(p$last_tumour_assessment); contact <- as.Date(p$last_contact_date)
t <- rd("rair_dtc", "treatments"); t <- t[t$line == 1, ]; t$arm <- p$arm[match(t$patient_id, p$patient_id)]
seeds <- t[t$component == "seeds", ]; total <- tapply(seeds$n_seeds, seeds$patient_id, sum)
both <- intersect(t$patient_id[t$component == "seeds"], t$patient_id[t$component == "anlotinib"])
start <- function(c) sapply(both, function(i) min(as.numeric(as.Date(t$start_date[t$component == c & t$patient_id == i]))))
m <- rd("rair_dtc", "measurements"); l <- rd("rair_dtc", "lesions"); m$patient <- l$patient_id[match(m$lesion_id, l$lesion_id)]
scans <- unique(m[c("patient", "assessment_date")]); gaps <- lapply(split(as.Date(scans$assessment_date), scans$patient), function(d) as.numeric(diff(sort(d))))
arm <- p$arm[match(names(gaps), p$patient_id)]
write_json(list(
  tests = list(rair_dtc = tests(p, "arm", c("age_years", "n_prior_rai", "cum_rai_gbq"), c("sex", "histology", "ecog")),
               colon = tests(colon, "rx", c("age", "nodes"), c("sex", "obstruct", "perfor", "adhere", "differ", "extent", "surg"))),
  completeness = list(lpfs = complete(!is.na(progression), as.Date(ifelse(is.na(progression), last, progression), origin = "1970-01-01")),
                      os = complete(p$death == 1, contact)),
  seeds = lapply(split(total, p$arm[match(names(total), p$patient_id)]), five), d90 = lapply(split(seeds$d90_gy, seeds$arm), five),
  between = five(abs(start("seeds") - start("anlotinib"))),
  interval = lapply(split(gaps, arm), function(g) five(unlist(g))), longest = lapply(split(gaps, arm), function(g) five(sapply(g, max)))),
  out, digits = NA, auto_unbox = TRUE, na = "null")
