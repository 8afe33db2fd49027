# Priors, likelihoods and posteriors of the hazard ratio and of shares, made with R.
# Run from this folder:  Rscript bayes.R            (R 4.2.2; survival 3.5-3, jsonlite)
# effect: of each data set the log partial likelihood (Efron) at values b of the log hazard ratio of an arm to the first
# one, the others at their best, less its value at 0; and by integrate() the posterior with a normal prior (mean, sd).
# normal: posterior of a mixture of normal priors and a normal likelihood, by integrate(). share: of a mixture of beta
# priors and a count of n. difference: of two such posteriors. predict: Box's prior predictive p-values.
suppressMessages({library(survival); library(jsonlite)})

quantile_of <- function(density, low, high, p) {
  total <- area(density, low, high)
  uniroot(function(q) area(density, low, q) / total - p, c(low, high), tol = 1e-12)$root
}
area <- function(f, low, high) integrate(f, low, high, rel.tol = 1e-11, abs.tol = 0, subdivisions = 5000L, stop.on.error = FALSE)$value

profile_at <- function(d, arm, b) {
  others <- setdiff(levels(d$arm)[-1], arm)
  d$b <- b * (d$arm == arm)
  for (i in seq_along(others)) d[[paste0("z", i)]] <- as.numeric(d$arm == others[i])
  f <- as.formula(paste("Surv(time, event) ~ offset(b)", paste(sprintf("+ z%d", seq_along(others)), collapse = " ")))
  fit <- suppressWarnings(coxph(if (length(others)) f else Surv(time, event) ~ offset(b), d, ties = "efron", control = coxph.control(eps = 1e-13, iter.max = 60)))
  tail(fit$loglik, 1)
}

effect <- function(file, arm, mean, sd) {
  d <- read.csv(file)
  d$arm <- factor(d$arm, levels = unique(as.character(d$arm)))
  zero <- profile_at(d, arm, 0)
  b <- c(-3, -1.2, -0.4, 0.3, 0.9, 2.5)
  seen <- function(x) sapply(x, function(v) exp(profile_at(d, arm, v) - zero))
  grid <- seq(mean - 7 * sd, mean + 7 * sd, length.out = 281)
  curve <- splinefun(grid, log(seen(grid)) + dnorm(grid, mean, sd, log = TRUE))
  top <- max(curve(grid))
  post <- function(x) exp(curve(x) - top)
  low <- min(grid); high <- max(grid); total <- area(post, low, high)
  list(file = sub("[.]csv$", "", file), arm = arm, prior = c(mean, sd), b = b, loglik = sapply(b, function(v) profile_at(d, arm, v)) - zero,
       mean = area(function(x) x * post(x), low, high) / total, below = area(post, low, 0) / total,
       ci = sapply(c(0.025, 0.975), function(p) quantile_of(post, low, high, p)))
}

normal <- function(w, m, s, est, se) {
  prior <- function(x) rowSums(sapply(seq_along(w), function(k) w[k] * dnorm(x, m[k], s[k])))
  post <- function(x) prior(x) * dnorm(x, est, se) / dnorm(0, 0, se)
  low <- min(m - 10 * s, est) ; high <- max(m + 10 * s, est)
  low <- max(low, est - 12 * se); high <- min(high, est + 12 * se)
  total <- area(post, low, high)
  kept <- sapply(seq_along(w), function(k) w[k] * area(function(x) dnorm(x, m[k], s[k]) * dnorm(x, est, se) / dnorm(0, 0, se), low, high))
  list(weight = w, mean = m, sd = s, estimate = est, std_err = se, posterior_weight = kept / sum(kept), posterior_mean = area(function(x) x * post(x), low, high) / total,
       below = area(post, low, 0) / total, ci = sapply(c(0.025, 0.975), function(p) quantile_of(post, low, high, p)))
}

share <- function(w, a, b, count, n) {
  # x = sin(t)^2 takes away the corners of a prior at 0 and 1
  part <- function(k) function(t) w[k] * 2 * sin(t)^(2 * (a[k] + count) - 1) * cos(t)^(2 * (b[k] + n - count) - 1) / beta(a[k], b[k]) * 1e6^(n / 30)
  post <- function(t) Reduce(`+`, lapply(seq_along(w), function(k) part(k)(t)))
  total <- area(post, 0, pi / 2)
  marginal <- sapply(seq_along(w), function(k) exp(log(w[k]) + lbeta(a[k] + count, b[k] + n - count) - lbeta(a[k], b[k])))
  kept <- marginal / sum(marginal)
  list(weight = w, a = a, b = b, count = count, n = n, posterior_weight = kept, mean = area(function(t) sin(t)^2 * post(t), 0, pi / 2) / total,
       ci = sin(sapply(c(0.025, 0.975), function(p) quantile_of(post, 0, pi / 2, p)))^2)
}

difference <- function(first, second, at) {
  # rows of weight, a, b of posteriors; P(first - second <= at) by integrate() over the second
  F1 <- function(x) rowSums(sapply(seq_along(first$w), function(k) first$w[k] * pbeta(x, first$a[k], first$b[k])))
  f2 <- function(x) rowSums(sapply(seq_along(second$w), function(k) second$w[k] * dbeta(x, second$a[k], second$b[k])))
  one <- function(d) {
    cuts <- sort(unique(pmin(pmax(c(0, -d, 1 - d, 1), 0), 1)))
    sum(sapply(seq_along(cuts)[-1], function(i) {
      lo <- cuts[i - 1]; hi <- cuts[i]
      area(function(t) { y <- pmin(pmax(lo + (hi - lo) * sin(t)^2, 1e-300), 1 - 1e-16); f2(y) * F1(y + d) * (hi - lo) * sin(2 * t) }, 0, pi / 2)
    }))
  }
  list(first = first, second = second, at = at, below = sapply(at, one))
}

box_normal <- function(m, s, est, se) 2 * pnorm(-abs(est - m) / sqrt(s^2 + se^2))
box_beta <- function(a, b, count, n) {
  p <- sapply(0:n, function(k) choose(n, k) * beta(a + k, b + n - k) / beta(a, b))
  sum(p[p <= p[count + 1] * (1 + 1e-9)])
}
jeffreys <- function(count, n) list(w = 1, a = count + 0.5, b = n - count + 0.5)

out <- list(
  effect = list(
    effect("edge_small_three_arm.csv", "c", 0, 0.24), effect("edge_small_three_arm.csv", "b", -0.4, 0.24), effect("edge_zero_events_in_c.csv", "c", 0, 0.5),
    effect("veteran.csv", levels(factor(read.csv("veteran.csv")$arm))[2], 0, 0.3), effect("edge_ties_at_visits.csv", "b", 0, 1)
  ),
  normal = list(
    normal(1, 0, 0.24, -1.1, 0.47), normal(1, -0.4, 0.24, -0.51, 0.12), normal(c(0.5, 0.5), c(-0.6, 0), c(0.15, 2), -1.1, 0.47),
    normal(c(0.4, 0.4, 0.2), c(-0.6, 0.3, 0), c(0.15, 0.1, 2), 0.9, 0.5), normal(c(0.9, 0.1), c(-2, 0), c(0.1, 2), 1.5, 0.3)
  ),
  share = list(
    share(1, 0.5, 0.5, 3, 14), share(1, 0.5, 0.5, 0, 9), share(c(0.5, 0.5), c(45.5, 0.5), c(31.5, 0.5), 3, 14), share(c(0.5, 0.5), c(45.5, 0.5), c(31.5, 0.5), 150, 300),
    share(c(0.2, 0.3, 0.5), c(45.5, 2.5, 0.5), c(31.5, 30.5, 0.5), 13, 13)
  ),
  difference = list(
    difference(jeffreys(10, 13), jeffreys(3, 14), c(-0.2, 0, 0.2, 0.5)), difference(jeffreys(0, 9), jeffreys(9, 9), c(-0.99, -0.5, 0)),
    difference(jeffreys(150, 300), list(w = c(0.3, 0.7), a = c(48.5, 3.5), b = c(42.5, 11.5)), c(-0.1, 0, 0.2))
  ),
  predict = list(normal = box_normal(c(0, -0.4), c(0.24, 0.24), -1.1, 0.47), beta = c(box_beta(45.5, 31.5, 3, 14), box_beta(45.5, 31.5, 8, 14), box_beta(0.5, 0.5, 0, 9)))
)
write_json(out, "expected/bayes.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
