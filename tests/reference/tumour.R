# Reference values of response, tumour volume and markers on the shipped cohort.
#   Rscript tumour.R ../../data/rair_dtc expected/tumour.json
# (R 4.2.2; Debian packages: exactRankTests, lme4, lmerTest, emmeans, survival, cmprsk, jsonlite)
# Derives the response from the tables itself, in base R, so that it is a second reading of the rule.
suppressMessages({library(exactRankTests); library(lmerTest); library(emmeans); library(survival); library(cmprsk); library(jsonlite)})
a <- commandArgs(TRUE); folder <- a[1]; out <- list()
table_of <- function(name) read.csv(file.path(folder, paste0(name, ".csv")), stringsAsFactors = FALSE)
patients <- table_of("patients"); lesions <- table_of("lesions"); scans <- table_of("measurements"); samples <- table_of("markers")
patients$arm <- factor(patients$arm, levels = c("A", "B", "C"))
rownames(patients) <- patients$patient_id
# A new lesion: first seen after the baseline scan, whether followed as a target or not
seen <- merge(scans[scans$status != "absent", ], lesions[, c("lesion_id", "patient_id")], by = "lesion_id")
first <- aggregate(assessment_date ~ lesion_id + patient_id, seen, min)
baseline <- aggregate(assessment_date ~ patient_id, seen[seen$visit == 0, ], min)
first <- first[first$assessment_date > baseline$assessment_date[match(first$patient_id, baseline$patient_id)], ]
scans <- merge(scans, lesions[lesions$target == 1, c("lesion_id", "patient_id", "site")], by = "lesion_id")

# Sum of diameters and volume per patient and assessment
node <- scans$site == "cervical_lymph_node"
scans$diameter <- ifelse(scans$status == "absent", 0, ifelse(scans$too_small == 1, 5, ifelse(node, scans$short_mm, scans$longest_mm)))
scans$gone <- scans$diameter == 0 | (node & scans$diameter < 10)
scans$volume <- ifelse(scans$status == "absent", 0, pi / 6 * scans$longest_mm * scans$short_mm * scans$third_mm / 1000)
by_scan <- aggregate(cbind(diameter, volume) ~ patient_id + assessment_date + visit, scans, sum)
by_scan$gone <- aggregate(gone ~ patient_id + assessment_date + visit, scans, all)$gone
by_scan <- by_scan[order(by_scan$patient_id, by_scan$assessment_date), ]
by_scan$sum10 <- round(by_scan$diameter * 10)
course <- function(x) {
  base <- x$sum10[x$visit == 0]; nadir <- cummin(x$sum10); nadir <- c(NA, head(nadir, -1))
  grown <- x$sum10 * 10 >= nadir * 12 & x$sum10 - nadir >= 50
  grown[is.na(grown)] <- FALSE
  grown <- grown | paste(x$patient_id, x$assessment_date) %in% paste(first$patient_id, first$assessment_date)
  x$response <- ifelse(cumsum(grown) > 0, "PD", ifelse(x$gone, "CR", ifelse(x$sum10 * 10 <= base * 7, "PR", "SD")))
  x$response[x$visit == 0] <- NA
  x$change <- 100 * (x$sum10 - base) / base
  x
}
by_scan <- do.call(rbind, lapply(split(by_scan, by_scan$patient_id), course))
# Stable disease before day 42 is no best response
by_scan$day <- as.numeric(as.Date(by_scan$assessment_date) - as.Date(patients[by_scan$patient_id, "time_zero"]))
by_scan$best <- ifelse(by_scan$response %in% "SD" & by_scan$day < 42, NA, by_scan$response)
best <- function(r) { r <- r[!is.na(r)]; c("CR", "PR", "SD", "PD")[min(match(r, c("CR", "PR", "SD", "PD")))] }
patients$best <- tapply(by_scan$best, by_scan$patient_id, best)[patients$patient_id]
known <- by_scan[by_scan$visit > 0 & ave(by_scan$response %in% "PD", by_scan$patient_id, FUN = cumsum) <= 1, ]
patients$change <- tapply(known$change, known$patient_id, min)[patients$patient_id]
out$best <- as.list(as.data.frame.matrix(t(table(patients$arm, factor(patients$best, c("CR", "PR", "SD", "PD"))))))
out$best_change <- as.list(setNames(patients$change, patients$patient_id))

# Response at the visits: exact tests on all treated
at <- function(visit) { x <- by_scan[by_scan$visit == visit, ]; r <- x$response[match(patients$patient_id, x$patient_id)]
  before <- by_scan[by_scan$visit < visit & by_scan$response %in% "PD", "patient_id"]
  ifelse(is.na(r) & patients$patient_id %in% before, "PD", r) }
pairs <- list("B vs A" = c("B", "A"), "C vs A" = c("C", "A"), "C vs B" = c("C", "B"))
rates <- function(good) { t <- table(factor(good, c(FALSE, TRUE)), patients$arm)
  p <- sapply(pairs, function(g) fisher.test(t[, g])$p.value)
  list(count = as.numeric(t[2, ]), p = fisher.test(t)$p.value, chisq = unname(chisq.test(t, correct = FALSE)$statistic), pairs = unname(p), holm = unname(p.adjust(p, "holm"))) }
out$response <- suppressWarnings(lapply(c("6" = 6, "12" = 12), function(v) rates(at(v) %in% c("CR", "PR"))))
out$control <- suppressWarnings(lapply(c("6" = 6, "12" = 12), function(v) rates(at(v) %in% c("CR", "PR", "SD"))))
r6 <- at(6) %in% c("CR", "PR"); r12 <- at(12) %in% c("CR", "PR")
out$paired <- lapply(split(seq_along(r6), patients$arm), function(i) { g <- sum(!r6[i] & r12[i]); l <- sum(r6[i] & !r12[i])
  list(gained = g, lost = l, p = if (g + l) binom.test(g, g + l)$p.value else 1) })

# Change of a quantity between arms and within them; wilcox.test has no exact interval where values are tied
tests <- function(x) {
  within <- lapply(split(x$d, x$arm), function(d) { w <- outer(d, d, "+")[lower.tri(diag(length(d)), diag = TRUE)] / 2
    list(n = length(d), p = suppressWarnings(wilcox.exact(d, exact = TRUE))$p.value, estimate = median(w),
         ci = if (anyDuplicated(abs(d)) || any(d == 0)) NULL else as.numeric(wilcox.test(d, exact = TRUE, conf.int = TRUE)$conf.int)) })
  k <- kruskal.test(d ~ arm, x); r <- rank(x$d); n <- length(r); ties <- table(r)
  s2 <- n * (n + 1) / 12 - sum(ties^3 - ties) / (12 * (n - 1)); m <- tapply(r, x$arm, mean); s <- tapply(r, x$arm, length)
  z <- sapply(pairs, function(g) unname((m[g[1]] - m[g[2]]) / sqrt(s2 * sum(1 / s[g])))); p <- 2 * pnorm(-abs(z))
  shift <- lapply(pairs, function(g) { a <- x$d[x$arm == g[1]]; b <- x$d[x$arm == g[2]]
    list(estimate = median(outer(a, b, "-")), ci = if (anyDuplicated(c(a, b))) NULL else as.numeric(wilcox.test(a, b, exact = TRUE, conf.int = TRUE)$conf.int)) })
  list(within = within, kruskal = c(unname(k$statistic), k$p.value), dunn = unname(p), holm = unname(p.adjust(p, "holm")), shift = unname(shift)) }
volume_at <- function(v) { x <- by_scan[by_scan$visit == v, ]; x <- x[!duplicated(x$patient_id), ]; b <- by_scan[by_scan$visit == 0, ]
  base <- b$volume[match(x$patient_id, b$patient_id)]; data.frame(d = 100 * (x$volume - base) / base, arm = patients[x$patient_id, "arm"]) }
out$volume <- lapply(c("6" = 6, "12" = 12), function(v) tests(volume_at(v)))

# The marker: antibody-positive patients left out, values below the limit as limit / sqrt(2)
antibody <- unique(samples$patient_id[samples$marker == "tgab" & samples$value > 40])
# Visits of the marker in study.yml; a patient whose baseline lies above the assay's limit has no change
tg <- samples[samples$marker == "tg" & samples$visit %in% c(0, 3, 6, 12), ]; beyond <- tg$patient_id[tg$visit == 0 & tg$above_limit == 1]
tg$value <- ifelse(tg$below_limit == 1, tg$limit / sqrt(2), tg$value)
tg$arm <- patients[tg$patient_id, "arm"]; tg$month <- factor(tg$visit); tg$id <- tg$patient_id
used <- tg[!tg$patient_id %in% c(antibody, beyond), ]
tg_at <- function(v) { x <- used[used$visit == v, ]; b <- used[used$visit == 0, ]; data.frame(d = log(x$value / b$value[match(x$id, b$id)]), arm = x$arm) }
out$tg <- lapply(c("3" = 3, "6" = 6, "12" = 12), function(v) tests(tg_at(v)))
model <- function(x) {
  m <- lmer(log(value) ~ arm * month + (1 | id), x, REML = TRUE, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10)))
  e <- emmeans(m, ~ month | arm, lmer.df = "satterthwaite")
  within <- summary(contrast(e, "trt.vs.ctrl", adjust = "none"), infer = TRUE)
  between <- as.data.frame(summary(contrast(emmeans(m, ~ arm * month, lmer.df = "satterthwaite"), interaction = c("revpairwise", "trt.vs.ctrl")), infer = TRUE, adjust = "none"))
  v <- as.data.frame(VarCorr(m))$vcov; f <- anova(m, type = 3, ddf = "Satterthwaite")
  keep <- function(d) list(coef = d$estimate, se = d$SE, df = d$df, p = d$p.value, low = exp(d$lower.CL), high = exp(d$upper.CL))
  list(variance = v, within = keep(within), between = keep(between), f = f[["F value"]], p = f[["Pr(>F)"]]) }
out$model <- model(used)
out$model_all <- model(tg)
# Response over time: first response, with progression and death competing; survival by response from a landmark on
unit <- 30.4375; day <- function(x) as.numeric(as.Date(x, "%Y-%m-%d")); zero <- day(patients$time_zero)
by_scan$day <- day(by_scan$assessment_date)
earliest <- function(kind) { x <- by_scan[by_scan$response %in% kind, ]; tapply(x$day, x$patient_id, min)[patients$patient_id] }
responded <- earliest(c("CR", "PR")); ended <- pmin(earliest("PD"), day(patients$death_date), na.rm = TRUE)
last <- tapply(by_scan$day[by_scan$visit > 0], by_scan$patient_id[by_scan$visit > 0], max)[patients$patient_id]
cause <- ifelse(!is.na(responded), 1, ifelse(!is.na(ended), 2, 0))
time <- ifelse(cause == 1, responded, ifelse(cause == 2, ended, last)) - zero; time[is.na(time)] <- 0; time <- time / unit
incidence <- cuminc(time, cause, patients$arm, cencode = 0); ends <- c(6, 12) + 24 / unit
at_ends <- timepoints(incidence, ends)
out$incidence <- list(estimate = unname(at_ends$est[1:3, ]), variance = unname(at_ends$var[1:3, ]), gray = unname(incidence$Tests[1, 1:2]))
end <- pmin(day(patients$local_progression_date), day(patients$death_date), na.rm = TRUE)
lpfs <- Surv((ifelse(is.na(end), day(patients$last_tumour_assessment), end) - zero) / unit, !is.na(end))
death <- day(patients$death_date); os <- Surv((ifelse(is.na(death), day(patients$last_contact_date), death) - zero) / unit, !is.na(death))
landmark <- function(s, visit, end) {
  x <- data.frame(t = s[, 1] - end, e = s[, 2], response = at(visit)); x <- x[x$t > 0 & !is.na(x$response), ]
  x$good <- x$response %in% c("CR", "PR"); d <- survdiff(Surv(t, e) ~ good, x); m <- coxph(Surv(t, e) ~ good, x, eps = 1e-11)
  f <- summary(survfit(Surv(t, e) ~ good, x, conf.type = "log-log"))$table
  list(n = nrow(x), chisq = d$chisq, hr = unname(exp(coef(m))), ci = unname(exp(confint(m))[1, ]), median = unname(f[, "median"]), low = unname(f[, "0.95LCL"])) }
out$landmark <- list(landmark(lpfs, 6, ends[1]), landmark(lpfs, 12, ends[2]), landmark(os, 6, ends[1]), landmark(os, 12, ends[2]))
# Volume against diameters: do the changes rank patients alike?
out$concordance <- lapply(c(6, 12), function(v) { x <- by_scan[by_scan$visit == v, ]; x <- x[!duplicated(x$patient_id), ]; b <- by_scan[by_scan$visit == 0, ]
  d <- 100 * (x$volume / b$volume[match(x$patient_id, b$patient_id)] - 1); list(n = nrow(x), spearman = cor(d, x$change, method = "spearman")) })
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
