# Time-to-event values that reference.R does not give, made with R.
# Run from this folder:  Rscript survival_more.R            (R 4.2.2; survival 3.5-3, cmprsk 2.2-11, coin 1.4-2, jsonlite)
# Per data set: Peto and Peto's test, Cox models with strata and with weights, KM quantities at float noise;
# then single cases: permutation tests, landmark analysis, Gray's test on small data with ties.
suppressMessages({library(survival); library(cmprsk); library(coin); library(jsonlite)})

terms_of <- function(m) { s <- summary(m)$coefficients
  list(coef = unname(coef(m)), se = unname(sqrt(diag(vcov(m)))),
       naive = if (!is.null(m$naive.var)) unname(sqrt(diag(m$naive.var))), p = unname(s[, ncol(s)])) }
tests_of <- function(m) list(lrt = 2 * diff(m$loglik), wald = unname(m$wald.test), score = m$score,
                             concordance = unname(summary(m)$concordance["C"]))

out <- list()
for (file in list.files(pattern = "[.]csv$")) {
  d <- read.csv(file)
  if (!all(c("time", "event", "arm") %in% names(d))) next
  d$arm <- factor(d$arm, levels = unique(as.character(d$arm)))
  d$weight <- 0.5 + (seq_len(nrow(d)) * 7) %% 11 / 4          # between 0.5 and 3, the same in the Python test
  d$pair <- (seq_len(nrow(d)) - 1) %/% 2
  x <- survdiff(Surv(time, event) ~ arm, d, rho = 1)
  found <- list(peto = list(chisq = x$chisq, observed = unname(x$obs), expected = unname(x$exp)))
  if (all(tapply(d$event, d$arm, sum) > 0)) {
    found$cox <- tests_of(coxph(Surv(time, event) ~ arm, d, ties = "efron", eps = 1e-11))
    found$weighted <- terms_of(coxph(Surv(time, event) ~ arm, d, weights = weight, robust = TRUE, eps = 1e-11))
    found$clustered <- terms_of(coxph(Surv(time, event) ~ arm, d, weights = weight, robust = TRUE, cluster = pair, eps = 1e-11))
    if ("stratum" %in% names(d)) {
      m <- coxph(Surv(time, event) ~ arm + strata(stratum), d, ties = "efron", eps = 1e-11)
      found$stratified <- c(terms_of(m), tests_of(m))
    }
  }
  out[[sub("[.]csv$", "", file)]] <- found
}

# times apart by float noise only: survival's timefix joins them
noisy <- data.frame(time = c(0.1 + 0.2, 0.3, 0.3, 0.6, 0.3 * 2, 1.2, 0.1 * 3, 0.9), event = c(1, 1, 0, 1, 1, 0, 1, 1),
                    arm = rep(c("a", "b"), each = 4))
out$noisy <- list(time = noisy$time, event = noisy$event, arm = noisy$arm,
                  n_risk = survfit(Surv(time, event) ~ 1, noisy)$n.risk,
                  chisq = survdiff(Surv(time, event) ~ arm, noisy)$chisq,
                  coef = unname(coef(coxph(Surv(time, event) ~ arm, noisy, eps = 1e-11))))

d <- read.csv("edge_small_three_arm.csv"); d$arm <- factor(d$arm)
e <- droplevels(d[d$arm != "b", ])
exact <- logrank_test(Surv(time, event) ~ arm, e, distribution = "exact")
set.seed(20250101)
many <- logrank_test(Surv(time, event) ~ arm, d, distribution = approximate(1e6))
out$permutation <- list(two_arms = list(chisq = statistic(exact)^2, p = as.numeric(pvalue(exact))),
                        three_arms = list(chisq = statistic(many), p = as.numeric(pvalue(many)), n = 1e6))

d <- read.csv("colon_recurrence.csv"); d$late <- d$x_nodes > 3; mark <- 365
l <- d[d$time > mark & !is.na(d$late), ]
x <- survdiff(Surv(time - mark, event) ~ late, l)
out$landmark <- list(mark = mark, n = nrow(l), chisq = x$chisq, p = pchisq(x$chisq, 1, lower.tail = FALSE))

set.seed(7)
out$gray <- lapply(1:12, function(i) { n <- c(12, 30, 80)[i %% 3 + 1]; k <- i %% 3 + 2
  time <- if (i %% 2) sample(1:10, n, TRUE) else round(rexp(n), 3)
  cause <- sample(0:2, n, TRUE, prob = c(.3, .5, .2)); arm <- sample(letters[1:k], n, TRUE); arm[1:k] <- letters[1:k]
  ci <- cuminc(time, cause, arm, cencode = 0)
  marks <- unname(quantile(time, c(.3, .6), type = 1)); tp <- timepoints(ci, marks)
  list(time = time, cause = cause, arm = arm, chisq = unname(ci$Tests[, 1]), p = unname(ci$Tests[, 2]),
       marks = sort(unique(marks)), curve = rownames(tp$est), est = unname(tp$est), var = unname(tp$var)) })
write_json(out, "expected/survival_more.json", digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null", null = "null")
