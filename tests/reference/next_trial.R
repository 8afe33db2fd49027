# Events and patients of the next trial, assurance, and random effects, each by its closed formula or a numeric integral.
# Run from this folder:  Rscript next_trial.R          (R 4.2.2; jsonlite)
# No package at hand holds them: power.prop.test, integrate and uniroot are R's own; the others are written out.
library(jsonlite)
z <- function(power, alpha = 0.05) qnorm(1 - alpha / 2) + qnorm(power)
two <- function(hr, power, share) {
  k <- share / (1 - share)
  list(hr = hr, power = power, share = share, schoenfeld = z(power)^2 / (share * (1 - share) * log(hr)^2),
       freedman = z(power)^2 * (1 + k * hr)^2 / (k * (1 - hr)^2)) }
assured <- function(events, coef, std_err, share) {
  s <- 1 / sqrt(events * share * (1 - share))
  f <- function(b) pnorm(-b / s - qnorm(0.975)) * dnorm(b, coef, std_err)
  reach <- coef + c(-12, 12) * std_err
  list(events = events, coef = coef, std_err = std_err, share = share, assurance = integrate(f, reach[1], reach[2], rel.tol = 1e-12, subdivisions = 1000)$value) }
seen <- function(h, f, a, l) {
  p <- function(u) h / (h + l) * (1 - exp(-(h + l) * u))
  list(hazard = h, follow_up = f, accrual = a, loss = l, share = if (a == 0) p(f) else integrate(function(u) p(u) / a, f, f + a, rel.tol = 1e-12)$value) }
several <- function(b, power, p = rep(1 / length(b), length(b))) {
  k <- length(b)
  l <- uniroot(function(l) pchisq(qchisq(0.95, k - 1), k - 1, l, lower.tail = FALSE) - power, c(0, 1e3), tol = 1e-13)$root
  list(coefs = b, power = power, shares = p, events = l / (sum(p * b^2) - sum(p * b)^2)) }
shares <- function(a, b, power) {
  n <- power.prop.test(p1 = a, p2 = b, power = power, sig.level = 0.05, tol = 1e-12)$n
  list(first = a, second = b, power = power, n = n, corrected = n / 4 * (1 + sqrt(1 + 4 / (n * abs(a - b))))^2) }
pooled <- function(y, s, level) {
  k <- length(y)
  Q <- function(t) { w <- 1 / (s^2 + t); sum(w * (y - weighted.mean(y, w))^2) - (k - 1) }
  tau2 <- if (Q(0) > 0) uniroot(Q, c(0, 100), tol = 1e-15)$root else 0
  w <- 1 / (s^2 + tau2); m <- weighted.mean(y, w); q <- Q(0) + k - 1; a <- 1 - (1 - level) / 2
  se <- sqrt(max(1, sum(w * (y - m)^2) / (k - 1)) / sum(w))
  list(y = y, s = s, level = level, estimate = m, std_err = se, ci = m + c(-1, 1) * qt(a, k - 1) * se, tau2 = tau2, chisq = q,
       i2 = max(0, 1 - (k - 1) / q), pi = m + c(-1, 1) * qt(a, k - 2) * sqrt(tau2 + se^2)) }
set.seed(20250228)
drawn <- function(k, spread) { s <- runif(k, 0.1, 0.5); pooled(rnorm(k, -0.3, sqrt(s^2 + spread^2)), s, 0.95) }
write_json(list(
  two = lapply(list(c(0.33, 0.8, 0.5), c(0.57, 0.9, 0.5), c(0.75, 0.8, 1 / 3), c(0.75, 0.9, 2 / 3), c(0.97, 0.8, 0.5)), function(x) two(x[1], x[2], x[3])),
  assurance = lapply(list(c(26, -1.1, 0.48, 0.5), c(196, -1.1, 0.48, 0.5), c(380, -0.51, 0.12, 0.49), c(1e4, -0.1, 0.05, 0.3), c(50, 0.2, 0.4, 0.5)), function(x) assured(x[1], x[2], x[3], x[4])),
  seen = lapply(list(c(0.04, 60, 40, 0.0024), c(0.04, 24, 0, 0), c(0.16, 6.3, 3, 0.1), c(0.001, 12, 250, 0.02)), function(x) seen(x[1], x[2], x[3], x[4])),
  several = list(several(c(0, -0.04, -1.1), 0.8), several(c(0, 0.2, -0.2, 0.1), 0.9), several(c(0, -0.04, -1.1), 0.9, c(14, 25, 13) / 52), several(rep(c(0, -0.3), 3), 0.8)),
  shares = lapply(list(c(0.36, 0.56, 0.8), c(0.36, 0.85, 0.9), c(0.01, 0.03, 0.8), c(0.5, 0.49, 0.9)), function(x) shares(x[1], x[2], x[3])),
  pooled = c(list(pooled(c(-0.9, -0.2, -0.35, 0.1, -0.6), c(0.2, 0.15, 0.3, 0.25, 0.1), 0.95), pooled(c(-0.3, -0.31, -0.29), c(0.2, 0.1, 0.3), 0.9)),
             list(drawn(3, 0.5), drawn(10, 0.3), drawn(40, 0.1), drawn(200, 0.4)))),
  "expected/next_trial.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
