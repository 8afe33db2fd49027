# Volume of single target lesions of the shipped synthetic cohort: random intercepts per patient and per lesion in it.
# Run from this folder:  Rscript lesions.R          (R 4.2.2; lme4 1.1-31, lmerTest 3.1-3, emmeans 1.8.4-1, jsonlite)
# Baseline, 6 and 12 months; a vanished lesion counts as one too small to measure, a ball of 5 mm.
suppressMessages({library(lmerTest); library(emmeans); library(jsonlite)})
folder <- "../../data/rair_dtc"
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")), stringsAsFactors = FALSE)
p <- read("patients"); l <- read("lesions"); m <- read("measurements")
m <- merge(m, l[l$target == 1, c("lesion_id", "patient_id")])
m <- m[m$lesion_id %in% m$lesion_id[m$visit == 0], ]
m$volume <- pi / 6 * m$longest_mm * m$short_mm * m$third_mm / 1000
m$volume <- ifelse(m$status == "absent", pi / 6 * 0.125, m$volume)
m <- m[m$visit %in% c(0, 6, 12) & !is.na(m$volume), ]
m <- m[order(m$assessment_date), ]; m <- m[!duplicated(m[, c("lesion_id", "visit")]), ]
m$arm <- factor(p$arm[match(m$patient_id, p$patient_id)], levels = c("A", "B", "C")); m$month <- factor(m$visit)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-11, maxfun = 1e5))
fit <- lmer(log(volume) ~ arm * month + (1 | patient_id / lesion_id), m, REML = TRUE, control = tight)
v <- as.data.frame(VarCorr(fit)); v <- setNames(v$vcov, v$grp)
e <- emmeans(fit, ~ month | arm, lmer.df = "satterthwaite")
within <- summary(contrast(e, "trt.vs.ctrl", adjust = "none"), infer = TRUE)
between <- as.data.frame(summary(contrast(emmeans(fit, ~ arm * month, lmer.df = "satterthwaite"),
  interaction = c("revpairwise", "trt.vs.ctrl")), infer = TRUE, adjust = "none"))
f <- anova(fit, type = 3, ddf = "Satterthwaite")
keep <- function(d) list(coef = d$estimate, se = d$SE, df = d$df, p = d$p.value)
naive <- lmer(log(volume) ~ arm * month + (1 | patient_id), m, REML = TRUE, control = tight)
out <- list(n = nrow(m), lesions = length(unique(m$lesion_id)), patient = unname(v["patient_id"]), lesion = unname(v["lesion_id:patient_id"]),
            residual = unname(v["Residual"]), loglik = as.numeric(logLik(fit)), within = keep(within), between = keep(between),
            f = f[["F value"]], df = f[["DenDF"]], p = f[["Pr(>F)"]], loglik_patients_only = as.numeric(logLik(naive)))
# small made-up sets: unequal numbers of lesions, a component at zero
set.seed(5)
made <- function(between, nested) { d <- expand.grid(visit = 0:2, lesion = 1:4, patient = 1:12)
  d$id <- paste(d$patient, d$lesion); d <- d[d$lesion <= 1 + d$patient %% 4, ]; d$arm <- ifelse(d$patient %% 2, "A", "B")
  d$value <- round(exp(1 + rnorm(12, 0, between)[d$patient] + rnorm(48, 0, nested)[as.integer(factor(d$id))] - 0.3 * d$visit + rnorm(nrow(d), 0, 0.4)), 4); d }
one <- function(d) { fit <- lmer(log(value) ~ arm * factor(visit) + (1 | patient / id), d, REML = TRUE, control = tight)
  v <- as.data.frame(VarCorr(fit)); v <- setNames(v$vcov, v$grp)
  list(data = d[, c("patient", "id", "arm", "visit", "value")], patient = unname(v["patient"]), lesion = unname(v["id:patient"]),
       residual = unname(v["Residual"]), loglik = as.numeric(logLik(fit)), means = unname(fixef(fit))) }
out$made <- suppressMessages(list(both = one(made(0.8, 0.6)), no_patient = one(made(0, 0.7)), no_lesion = one(made(0.9, 0))))
write_json(out, "expected/lesions.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
