# Restricted means after overlap weighting, in the shipped synthetic cohort and in resamples of its patients.
# Run from this folder:  Rscript weighted_rmst.R          (R 4.2.2; survival 3.5-3, nnet 7.3-18, jsonlite)
# Endpoint: local progression or death, months of 30.4375 days, tau 36. Covariates: age, sex, log thyroglobulin.
suppressMessages({library(survival); library(nnet); library(jsonlite)})
folder <- "../../data/rair_dtc"
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")), colClasses = "character")
day <- function(x) as.numeric(as.Date(x, "%Y-%m-%d"))
d <- read("patients")
end <- pmin(day(d$local_progression_date), day(d$death_date), na.rm = TRUE)
d$event <- as.integer(!is.na(end)); end[is.na(end)] <- day(d$last_tumour_assessment)[is.na(end)]
d$time <- (end - day(d$time_zero)) / 30.4375
d$arm <- factor(d$arm, levels = c("A", "B", "C")); d$age <- as.numeric(d$age_years); d$sex <- factor(d$sex)
k <- read("markers"); k <- k[k$marker == "tg" & k$visit == "0", ]
value <- as.numeric(k$value); low <- k$below_limit == "1"; value[low] <- as.numeric(k$limit[low]) / sqrt(2)
k$log_tg <- log(value); k <- k[order(k$sample_date), ]
d$log_tg <- k$log_tg[match(d$patient_id, k$patient_id)]
tau <- 36
area <- function(x) {                                  # area under one weighted curve, flat after its last time
  f <- survfit(Surv(time, event) ~ 1, x, weights = x$w); t <- f$time[f$time <= tau]; s <- f$surv[f$time <= tau]
  sum(c(1, s) * diff(c(0, t, tau))) }
means <- function(x) {
  fit <- multinom(arm ~ scale(age) + sex + scale(log_tg), x, trace = FALSE, maxit = 5000, reltol = 1e-16, abstol = 1e-12)
  e <- fitted(fit); x$w <- 1 / e[cbind(seq_len(nrow(x)), as.integer(x$arm))] / rowSums(1 / e)
  unname(sapply(levels(x$arm), function(a) area(x[x$arm == a, ]))) }
# resamples that any language can draw: patient (i (2 b + 1) + floor(i^2 / (b + 2))) mod 52, i = 0..51
drawn <- lapply(1:8, function(b) { i <- 0:51; (i * (2 * b + 1) + i^2 %/% (b + 2)) %% 52 + 1 })
out <- list(patients = means(d), resamples = lapply(drawn, function(i) means(d[i, ])))
write_json(out, "expected/weighted_rmst.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
