# Reference values at 2,000, 20,000 and 200,000 patients, and for shares near 0 and 1 of up to a million.
# Run from this folder:  Rscript large.R            (R 4.2.2; survival 3.5-3, cmprsk 2.2-11, jsonlite)
# No data are kept: patients come from a sequence that test_large_reference.py makes with the same whole numbers.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})

# Lehmer's sequence with Park and Miller's multiplier: every product is a whole number below 2^53, so exact.
sequence <- function(seed, n) { state <- seed; u <- numeric(n)
  for (i in seq_len(n)) { state <- (16807 * state) %% 2147483647; u[i] <- state / 2147483647 }
  u }

# Times are whole days, score has many ties, fine hardly any. cause: 0 censored, 1 event, 2 competing event.
patients <- function(n) { u <- matrix(sequence(n, 8 * n), n); arm <- floor(3 * u[, 1])
  from <- 1 + floor(3000 * u[, 2] * u[, 2] * (1 + .1 * arm)); censored <- 1 + floor(3000 * u[, 3])
  data.frame(arm, time = pmin(from, censored), cause = ifelse(from <= censored, ifelse(u[, 4] < .3, 2, 1), 0),
             score = floor(100 * (u[, 5] - u[, 6] + .02 * arm)), fine = floor(1e9 * (u[, 7] - u[, 8] * u[, 5] + .01 * arm)),
             before = u[, 5] < .4, after = u[, 6] < .41) }

# fisher.test and the score limits by the same equations, solved to the last digit: uniroot stops at 1e-4 by default.
root <- function(f, ends) uniroot(f, ends, tol = 1e-20, maxiter = 10000)$root
conditional <- function(x, n, y, m) { s <- max(0, x + y - m):min(n, x + y); w <- dhyper(s, n, m, x + y, log = TRUE)
  density <- function(b) { d <- w + b * s; d <- exp(d - max(d)); d / sum(d) }
  solve <- function(f) exp(root(f, c(-40, 40)))
  first <- x == s[1]; last <- x == max(s)
  c(if (first) 0 else if (last) NA else solve(function(b) sum((s - x) * density(b))),
    if (first) 0 else solve(function(b) sum(density(b)[s >= x]) - .025), if (last) NA else solve(function(b) sum(density(b)[s <= x]) - .025)) }
# Miettinen and Nurminen 1985; the restricted shares maximise the likelihood, found on the log of the smaller share.
score <- function(d, x, n, y, m) { if (d < 0) return(-score(-d, y, m, x, n))
  slope <- function(l) { q <- exp(l); p <- q + d; x / p - (n - x) / (1 - p) + y / q - (m - y) / (1 - q) }
  ends <- c(-80, log1p(-d) - 1e-9)
  q <- if (slope(ends[1]) <= 0) 0 else exp(root(slope, ends)); p <- q + d
  (x / n - y / m - d) / sqrt((p * (1 - p) / n + q * (1 - q) / m) * (n + m) / (n + m - 1)) }
limits <- function(x, n, y, m) { z <- qnorm(.975); d <- x / n - y / m
  c(root(function(t) score(t, x, n, y, m) - z, c(-.9, d)), root(function(t) score(t, x, n, y, m) + z, c(d, .9))) }
newcombe <- function(x, n, y, m) { a <- prop.test(x, n, correct = FALSE)$conf.int; b <- prop.test(y, m, correct = FALSE)$conf.int
  c(x / n - y / m - sqrt((x / n - a[1])^2 + (b[2] - y / m)^2), x / n - y / m + sqrt((a[2] - x / n)^2 + (y / m - b[1])^2)) }

shares <- lapply(list(c(1, 1e5), c(0, 1e5), c(99999, 1e5), c(1e5, 1e5), c(17, 2e3), c(1, 2e4), c(12345, 2e5), c(1, 1e6), c(3, 1e6), c(999998, 1e6)),
  function(v) list(count = v[1], n = v[2], limits = binom.test(v[1], v[2])$conf.int, wilson = suppressWarnings(prop.test(v[1], v[2], correct = FALSE)$conf.int)))
pairs <- lapply(list(c(700, 1000, 650, 1000), c(1, 1000, 9, 1000), c(0, 1000, 5, 1000), c(5100, 1e4, 5000, 1e4), c(2, 1e4, 11, 1e4),
                     c(9999, 1e4, 9990, 1e4), c(50200, 1e5, 50000, 1e5), c(1, 1e5, 3, 1e5), c(0, 1e5, 7, 1e5), c(99990, 1e5, 99970, 1e5),
                     c(30, 1e5, 0, 200), c(100, 500, 30000, 1e5), c(10, 1e6, 27, 1e6), c(52, 1e6, 74, 1e6), c(8, 1e6, 18, 1e6), c(41, 1e5, 72, 1.2e5), c(500200, 1e6, 498800, 1e6)),
  function(v) list(count = v[c(1, 3)], n = v[c(2, 4)], odds_ratio = conditional(v[1], v[2], v[3], v[4]),
                   score = limits(v[1], v[2], v[3], v[4]), newcombe = suppressWarnings(newcombe(v[1], v[2], v[3], v[4]))))
ratios <- lapply(list(c(1, 1e5, 3, 2e5), c(1500, 8e5, 1400, 8.2e5), c(60000, 3e7, 59000, 2.9e7), c(0, 1e6, 12, 1e6), c(99999, 1e7, 1, 1e7), c(1, 1e6, 99999, 1e7)),
  function(v) { r <- poisson.test(v[c(1, 3)], v[c(2, 4)])
    list(n_events = v[c(1, 3)], time = v[c(2, 4)], ratio = unname(r$estimate), limits = r$conf.int, p = r$p.value,
         rates = lapply(c(1, 3), function(i) poisson.test(v[i], v[i + 1])$conf.int)) })

# Values at the middle and at the normal limits of all sums of two values, each with how often it occurs; `half` is
# for the sums within one sample, where every pair stands twice but the value with itself.
shift <- function(x, y, depth, half = FALSE) { a <- table(x); b <- table(y); w <- outer(as.numeric(a), as.numeric(b))
  if (half) w <- (w + diag(as.numeric(a))) / 2
  s <- outer(as.numeric(names(a)), as.numeric(names(b)), "+"); up <- order(s); below <- cumsum(w[up]); size <- sum(w)
  at <- function(k) s[up][which(below >= k - .25)[1]]
  c((at(floor((size + 1) / 2)) + at(floor(size / 2) + 1)) / 2, at(depth), at(size - depth + 1)) }

measure <- function(n) { d <- patients(n); event <- as.integer(d$cause > 0); out <- list(n = n, sums = unname(colSums(d)))
  fit <- survfit(Surv(time, event) ~ arm, d, conf.type = "log-log"); at <- summary(fit, times = c(100, 700))
  out$curve <- list(surv = at$surv, std_err = at$std.err, low = at$lower, high = at$upper, n_risk = at$n.risk)
  out$median <- unname(summary(fit)$table[, c("median", "0.95LCL", "0.95UCL")])
  mean <- unname(summary(fit, rmean = 1000)$table[, c("rmean", "se(rmean)")]); gap <- mean[2, 1] - mean[1, 1]; error <- sqrt(sum(mean[1:2, 2]^2))
  out$rmst <- mean; out$rmst_difference <- c(gap, error, gap + c(-1, 1) * qnorm(.975) * error, 2 * pnorm(-abs(gap / error)))
  out$gray <- unname(cuminc(d$time, d$cause, d$arm)$Tests["1", c("stat", "pv", "df")])
  out$kruskal <- with(kruskal.test(score ~ arm, d), c(statistic, parameter, p.value))
  gained <- sum(!d$before & d$after); lost <- sum(d$before & !d$after)
  out$mcnemar <- c(gained, lost, binom.test(gained, gained + lost)$p.value)
  x <- d[d$arm == 1, ]; y <- d[d$arm == 0, ]; a <- as.numeric(nrow(x)); b <- as.numeric(nrow(y)); z <- qnorm(.975)
  out$signed_rank <- with(wilcox.test(x$score, exact = FALSE, correct = TRUE), c(statistic, p.value))
  out$rank_sum <- wilcox.test(x$score, y$score, exact = FALSE, correct = TRUE)$p.value
  out$change <- shift(x$score, x$score, floor(a * (a + 1) / 4 - z * sqrt(a * (a + 1) * (2 * a + 1) / 24)), TRUE) / 2
  out$shift <- shift(x$score, -y$score, floor(a * b / 2 - z * sqrt(a * b * (a + b + 1) / 12)))
  fine <- function(...) { w <- wilcox.test(..., exact = FALSE, correct = FALSE, conf.int = TRUE, tol.root = 1e-3); c(unname(w$estimate), w$conf.int) }
  out$fine_change <- fine(x$fine); out$fine_shift <- fine(x$fine, y$fine)
  out }

write_json(list(shares = shares, pairs = pairs, ratios = ratios, patients = lapply(c(2000, 20000, 200000), measure)),
           "expected/large.json", digits = NA, auto_unbox = TRUE, na = "null")
