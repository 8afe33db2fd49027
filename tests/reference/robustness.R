# Robustness, subgroups and confounding of the shipped synthetic cohort, made with R.
# Run from this folder:  Rscript robustness.R          (R 4.2.2; survival 3.5-3, nnet 7.3-18, cmprsk 2.2-11, jsonlite)
# Endpoint: local progression or death, months of 30.4375 days, from ../../data/rair_dtc.
suppressMessages({library(survival); library(nnet); library(cmprsk); library(jsonlite)})
folder <- "../../data/rair_dtc"
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")), colClasses = "character")
day <- function(x) as.numeric(as.Date(x, "%Y-%m-%d"))
d <- read("patients")
zero <- day(d$time_zero); progression <- day(d$local_progression_date); death <- day(d$death_date)
end <- pmin(progression, death, na.rm = TRUE)
d$event <- as.integer(!is.na(end)); end[is.na(end)] <- day(d$last_tumour_assessment)[is.na(end)]
d$time <- (end - zero) / 30.4375
d$first <- as.integer(!is.na(progression) & progression == end)
d$arm <- factor(d$arm, levels = c("A", "B", "C")); d$age <- as.numeric(d$age_years); d$sex <- factor(d$sex)
p_of <- function(time, event, arm = d$arm, ...) { x <- survdiff(Surv(time, event) ~ arm, ...); pchisq(x$chisq, sum(x$exp > 0) - 1, lower.tail = FALSE) }
out <- list(declared = p_of(d$time, d$event), peto = p_of(d$time, d$event, rho = 1), first_event = p_of(d$time, d$first),
            competing = unname(cuminc(d$time, ifelse(d$first == 1, 1, ifelse(d$event == 1, 2, 0)), d$arm, cencode = 0)$Tests[1, "pv"]))

# clock from the later component (arm C): first start of each component of the first line
t <- read("treatments"); t <- t[t$line == "1", ]
starts <- tapply(day(t$start_date), list(t$patient_id, t$component), min)
later <- apply(starts, 1, max)[d$patient_id]
shift <- ifelse(d$arm == "C", pmax(later - zero, 0), 0)
out$later_component <- p_of(d$time - shift / 30.4375, d$event)
out$gap <- list(median = unname(median((later - zero)[d$arm == "C"])), max = max((later - zero)[d$arm == "C"]))

# progression half-way between the scan before and the scan that found it
m <- merge(read("measurements"), read("lesions")[, c("lesion_id", "patient_id")])
before <- sapply(seq_len(nrow(d)), function(i) {
  s <- day(m$assessment_date[m$patient_id == d$patient_id[i]]); s <- s[!is.na(progression[i]) & s < progression[i]]
  if (length(s)) max(s, zero[i]) else zero[i] })
half <- ifelse(d$first == 1, ((before - zero) + (progression - zero)) / 2 / 30.4375, d$time)
out$midpoint <- p_of(half, d$event)
hr <- coxph(Surv(half, d$event) ~ d$arm, ties = "efron", eps = 1e-11)
out$midpoint_hr <- unname(exp(coef(hr)["d$armC"]))
year <- format(as.Date(d$time_zero), "%Y")
x <- survdiff(Surv(d$time, d$event) ~ d$arm + strata(year)); out$calendar <- pchisq(x$chisq, 2, lower.tail = FALSE)

out$without_each <- sapply(seq_len(nrow(d)), function(i) p_of(d$time[-i], d$event[-i], d$arm[-i]))
# smallest p of all ways to turn one, and largest of all ways to turn two, of C's censored patients into events
censored <- which(d$arm == "C" & d$event == 0)
turn <- function(k) sapply(combn(censored, k, simplify = FALSE), function(i) { e <- d$event; e[i] <- 1; p_of(d$time, e) })
out$turned <- list(one = max(turn(1)), two = max(turn(2)))
longest <- max(d$time); own <- d$arm == "C"; cens <- d$event == 0
out$worst <- p_of(ifelse(cens & !own, longest, d$time), d$event | (cens & own))
out$best <- p_of(ifelse(cens & own, longest, d$time), d$event | (cens & !own))

# strata of the colon trial, two of them crossed
co <- read.csv("../../data/colon/patients.csv"); co <- co[!is.na(co$extent) & !is.na(co$surg), ]
co$rx <- factor(co$rx, levels = c("Obs", "Lev", "Lev+5FU")); co$t <- co$recurrence_days / 365.25
x <- survdiff(Surv(t, recurrence_status) ~ rx + strata(extent, surg), co)
m <- coxph(Surv(t, recurrence_status) ~ rx + strata(extent, surg), co, ties = "efron", eps = 1e-11)
out$stratified <- list(n = nrow(co), chisq = x$chisq, p = pchisq(x$chisq, 2, lower.tail = FALSE), hr = unname(exp(coef(m)[2])), ci = unname(exp(confint(m))[2, ]))

# landmark on a reference data set, where patients leave before it
v <- read.csv("veteran.csv"); v$arm <- factor(v$arm, levels = unique(v$arm)); late <- v[v$time > 30, ]
x <- survdiff(Surv(time - 30, event) ~ arm, late); out$landmark <- list(n = nrow(late), p = pchisq(x$chisq, length(x$n) - 1, lower.tail = FALSE))

# subgroups: hazard ratio within a level from the model of all arms; interaction by likelihood ratio
level <- coxph(Surv(time, event) ~ arm, d[d$sex == "F", ], eps = 1e-11)
limits <- exp(confint(level))["armC", ]
out$female <- list(hr = unname(exp(coef(level)["armC"])), low = unname(limits[1]), high = unname(limits[2]))
d$old <- d$age >= 60
for (g in c("sex", "old")) { d$g <- d[[g]]
  a <- coxph(Surv(time, event) ~ arm + g, d, eps = 1e-11); b <- coxph(Surv(time, event) ~ arm * g, d, eps = 1e-11)
  x <- 2 * (b$loglik[2] - a$loglik[2]); out[[paste0("interaction_", g)]] <- list(chisq = x, p = pchisq(x, 2, lower.tail = FALSE)) }

# propensity, overlap weights, weighted comparison
k <- read("markers"); k <- k[k$marker == "tg" & k$visit == "0", ]
value <- as.numeric(k$value); low <- k$below_limit == "1"; value[low] <- as.numeric(k$limit[low]) / sqrt(2)
k$log_tg <- log(value); k <- k[order(k$sample_date), ]
d$log_tg <- k$log_tg[match(d$patient_id, k$patient_id)]
fit <- multinom(arm ~ age + sex + log_tg, d, trace = FALSE, maxit = 5000, reltol = 1e-16, abstol = 1e-12)
e <- fitted(fit); w <- 1 / e[cbind(seq_len(nrow(d)), as.integer(d$arm))] / rowSums(1 / e); d$w <- w
out$propensity <- list(coef = unname(coef(fit)[, -1]), se = unname(summary(fit)$standard.errors[, -1]), scores = unname(e), weights = w)
out$ess <- unname(tapply(w, d$arm, sum)^2 / tapply(w^2, d$arm, sum))
m <- coxph(Surv(time, event) ~ arm, d, weights = w, robust = TRUE, eps = 1e-11)
out$weighted <- list(coef = unname(coef(m)), se = unname(sqrt(diag(vcov(m)))))
s <- survfit(Surv(time, event) ~ arm, d, weights = w)
out$weighted_curve <- list(n = unname(s$strata), time = s$time, surv = s$surv)
rr <- function(h) (1 - 0.5^sqrt(h)) / (1 - 0.5^sqrt(1 / h)); ev <- function(r) { r <- ifelse(r < 1, 1 / r, r); r + sqrt(r * (r - 1)) }
out$e_value <- list(estimate = ev(rr(0.326)), limit = ev(rr(0.837)), rare = ev(0.326))

# power: exponential with medians 10, 10, 30 in 14, 25, 13 patients, all censored at 45
detectable <- function(events, n1, n2) { p <- n1 / (n1 + n2); exp(-(qnorm(.975) + qnorm(.8)) / sqrt(events * p * (1 - p))) }
out$detectable <- detectable(sum(d$event[d$arm != "B"]), 13, 14)
set.seed(11); n <- c(14, 25, 13); arm <- rep(1:3, n); medians <- c(10, 10, 30); B <- 4000
hit <- replicate(B, { t <- rexp(52, log(2) / medians[arm]); c <- 45; x <- survdiff(Surv(pmin(t, c), t <= c) ~ arm); pchisq(x$chisq, 2, lower.tail = FALSE) < .05 })
out$power <- list(n = n, medians = medians, censored_at = 45, power = mean(hit), simulations = B)
write_json(out, "expected/robustness.json", digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null", null = "null")
