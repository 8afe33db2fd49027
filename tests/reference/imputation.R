# Rubin's rules of Cox models of the shipped trial with what is missing filled in by a rule, and Nelson-Aalen, made with R.
# Run from this folder:  Rscript imputation.R          (R 4.2.2; survival 3.5-3, jsonlite)
# The formulas are those of mice 3.16, pool.scalar(rule = "rubin1987") with dfcom = events - coefficients, as it takes for coxph.
suppressMessages({library(survival); library(jsonlite)})
d <- read.csv("../../data/colon/patients.csv")
d$rx <- factor(d$rx, levels = c("Obs", "Lev", "Lev+5FU"))
row <- seq_len(nrow(d))
filled <- lapply(1:5, function(k) {
  x <- d
  x$differ <- ifelse(is.na(x$differ), (row * k) %% 3 + 1, x$differ)
  x$nodes <- ifelse(is.na(x$nodes), (row + 3 * k) %% 7 + 1, x$nodes)
  x
})
fits <- lapply(filled, function(x) coxph(Surv(recurrence_days, recurrence_status) ~ rx + age + nodes + factor(differ), data = x, ties = "efron"))
q <- sapply(fits, coef); u <- sapply(fits, function(f) diag(vcov(f)))
m <- ncol(q); qbar <- rowMeans(q); ubar <- rowMeans(u); b <- apply(q, 1, var); t <- ubar + (1 + 1 / m) * b
dfcom <- fits[[1]]$nevent - nrow(q)
lambda <- (1 + 1 / m) * b / t
dfobs <- (dfcom + 1) / (dfcom + 3) * dfcom * (1 - lambda)
df <- (m - 1) / lambda^2 * dfobs / ((m - 1) / lambda^2 + dfobs)
r <- (1 + 1 / m) * b / ubar
reach <- qt(0.975, df) * sqrt(t)
hazard <- survfit(Surv(recurrence_days, recurrence_status) ~ 1, data = d, ctype = 1)
at <- c(20, 365, 1000, 3000)
write_json(list(
  coef = unname(qbar), std_err = unname(sqrt(t)), df = unname(df), hr = unname(exp(qbar)), ci_low = unname(exp(qbar - reach)),
  ci_high = unname(exp(qbar + reach)), p_value = unname(2 * pt(-abs(qbar / sqrt(t)), df)), missing_information = unname((r + 2 / (df + 3)) / (r + 1)),
  terms = names(qbar), nelson_aalen = list(time = at, hazard = summary(hazard, times = at)$cumhaz)
), "expected/imputation.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
