# The shipped studies' own time-to-event results, made with R from the tables, by a path that shares no code with lib/.
# Run from this folder:  Rscript study.R            (R 4.2.2; survival 3.5-3, cmprsk 2.2-11, jsonlite)
# rair_dtc: days from time_zero to the first date that counts, else to the last assessment or contact; months of 30.4375 days.
# colon: ready-made days and status; years of 365.25 days. tau: 36 months, 5 years. null = not reached or not estimable.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})

per_arm <- function(fit) { t <- summary(fit)$table
  list(n = unname(t[, "records"]), n_events = unname(t[, "events"]), median = unname(t[, "median"]),
       ci_low = unname(t[, "0.95LCL"]), ci_high = unname(t[, "0.95UCL"])) }

analyse <- function(d, arms, times, tau) {
  d$arm <- factor(d$arm, levels = arms); out <- list(arms = arms, tau = tau)
  fit <- survfit(Surv(time, event) ~ arm, d, conf.type = "log-log")
  out$median <- per_arm(fit)
  d$censored <- if ("cause" %in% names(d)) d$cause == 0 else d$event == 0
  out$follow_up <- per_arm(survfit(Surv(time, censored) ~ arm, d, conf.type = "log-log"))
  s <- summary(fit, times = times, extend = TRUE); last <- tapply(d$time, d$arm, max)
  arm <- sub("arm=", "", as.character(s$strata)); beyond <- s$time > last[arm] & s$surv > 0
  out$landmark <- list(time = s$time, group = arm, estimate = ifelse(beyond, NA, s$surv), ci_low = ifelse(beyond, NA, s$lower),
                       ci_high = ifelse(beyond, NA, s$upper), n_risk = s$n.risk)
  x <- survdiff(Surv(time, event) ~ arm, d); k <- length(arms)
  out$logrank <- list(chisq = x$chisq, df = k - 1, p_value = pchisq(x$chisq, k - 1, lower.tail = FALSE))
  pairs <- combn(arms, 2, simplify = FALSE)
  raw <- sapply(pairs, function(p) { e <- droplevels(d[d$arm %in% p, ]); z <- survdiff(Surv(time, event) ~ arm, e)
    pchisq(z$chisq, 1, lower.tail = FALSE) })
  out$logrank_pairwise <- list(group = sapply(pairs, function(p) paste(p[2], "vs", p[1])), p_value = raw, p_adjusted = p.adjust(raw, "holm"))
  m <- coxph(Surv(time, event) ~ arm, d, ties = "efron"); c <- summary(m)
  out$cox <- list(group = paste(arms[-1], "vs", arms[1]), coef = unname(coef(m)), std_err = unname(sqrt(diag(vcov(m)))),
                  hr = unname(exp(coef(m))), ci_low = unname(c$conf.int[, "lower .95"]), ci_high = unname(c$conf.int[, "upper .95"]),
                  p_value = unname(c$coefficients[, "Pr(>|z|)"]))
  out$cox_likelihood_ratio <- list(chisq = 2 * diff(m$loglik)); out$cox_wald <- list(chisq = unname(m$wald.test)); out$cox_score <- list(chisq = m$score)
  z <- cox.zph(m, transform = "km", terms = FALSE)$table
  out$proportional_hazards <- list(chisq = unname(z[, "chisq"]), p_value = unname(z[, "p"]))
  r <- summary(fit, rmean = tau)$table
  out$rmst <- list(estimate = unname(r[, "rmean"]), std_err = unname(r[, "se(rmean)"]))
  if ("cause" %in% names(d)) { ci <- cuminc(d$time, d$cause, d$arm, cencode = 0); tp <- timepoints(ci, times)
    out$cumulative_incidence <- list(time = times, curve = rownames(tp$est), estimate = unname(tp$est), variance = unname(tp$var))
    out$gray <- list(chisq = unname(ci$Tests[1, 1]), p_value = unname(ci$Tests[1, 2])) }
  out
}

read <- function(study) read.csv(file.path("..", "..", "data", study, "patients.csv"), na.strings = "")
days <- function(a, b) as.numeric(as.Date(a) - as.Date(b))
p <- read("rair_dtc"); arms <- c("A", "B", "C"); zero <- p$time_zero
progressed <- days(p$local_progression_date, zero); died <- days(p$death_date, zero)
scan <- days(p$last_tumour_assessment, zero); contact <- days(p$last_contact_date, zero)
first <- pmin(progressed, died, na.rm = TRUE); month <- 365.25 / 12; out <- list()
lpfs <- data.frame(arm = p$arm, event = as.integer(!is.na(first)), time = ifelse(is.na(first), scan, first) / month)
os <- data.frame(arm = p$arm, event = as.integer(!is.na(died)), time = ifelse(is.na(died), contact, died) / month)
cause <- ifelse(is.na(first), 0, ifelse(!is.na(progressed) & progressed == first, 1, 2))
ttlp <- data.frame(arm = p$arm, event = as.integer(cause == 1), cause = cause, time = lpfs$time)
out$rair_dtc <- list(lpfs = analyse(lpfs, arms, c(12, 24, 36), 36), os = analyse(os, arms, c(12, 24, 36), 36),
                     ttlp = analyse(ttlp, arms, c(12, 24, 36), 36))
p <- read("colon"); p$arm <- sub("Lev[+]5FU", "Lev5FU", p$rx); arms <- c("Obs", "Lev", "Lev5FU")
trial <- function(name) analyse(data.frame(arm = p$arm, time = p[[paste0(name, "_days")]] / 365.25, event = p[[paste0(name, "_status")]]), arms, c(1, 3, 5), 5)
out$colon <- list(recurrence = trial("recurrence"), death = trial("death"))
write_json(out, "expected/study.json", digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null")
