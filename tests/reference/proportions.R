# Reference values for conditional odds ratios (tight), the exact McNemar test, and logistic regression with Firth's penalty.
#   Rscript proportions.R SEED OUT.json     (R 4.2.2; Debian packages: brglm2, jsonlite)
# Inputs are written beside the results, so the file is complete in itself.
suppressMessages({library(brglm2); library(jsonlite)})
a <- commandArgs(TRUE); set.seed(as.integer(a[1])); out <- list()
# Conditional odds ratio: fisher.test stops at uniroot's default tolerance (1e-4); the same equations, solved to 1e-14 on the log scale.
conditional <- function(x1, n1, x2, n2) { m <- x1 + x2; s <- max(0, m - n2):min(n1, m)
  density <- function(b) { d <- dhyper(s, n1, n2, m, log = TRUE) + b*s; d <- exp(d - max(d)); d/sum(d) }
  solve <- function(f) uniroot(f, c(-40, 40), tol = 1e-14, maxiter = 10000)$root
  lo <- min(s); hi <- max(s)
  c(if (x1 == lo) 0 else if (x1 == hi) Inf else exp(solve(function(b) sum(s*density(b)) - x1)),
    if (x1 == lo) 0 else exp(solve(function(b) sum(density(b)[s >= x1]) - .025)), if (x1 == hi) Inf else exp(solve(function(b) sum(density(b)[s <= x1]) - .025))) }
cases <- c(list(c(10, 13, 3, 14), c(10, 13, 8, 25), c(0, 13, 3, 14), c(13, 13, 3, 14), c(5, 5, 0, 6)), lapply(1:15, function(i) { n <- sample(5:40, 2); c(rbinom(1, n[1], runif(1, .1, .9)), n[1], rbinom(1, n[2], runif(1, .1, .9)), n[2]) }))
cases <- Filter(function(v) v[1] + v[3] > 0 && v[1] + v[3] < v[2] + v[4], cases)
out$odds_ratio <- lapply(cases, function(v) list(count = v[c(1, 3)], n = v[c(2, 4)], value = { r <- conditional(v[1], v[2], v[3], v[4]); ifelse(is.infinite(r), NA, r) }))
out$mcnemar <- lapply(1:6, function(i) { b <- rbinom(20, 1, .4); f <- rbinom(20, 1, .4 + .5*b*(i > 3)); g <- sum(!b & f); l <- sum(b & !f)
  list(before = b, after = f, gained = g, lost = l, p = binom.test(g, g + l)$p.value) })
# Firth: estimates and Wald errors by brglm2; limits and tests from the penalized likelihood itself, profiled with optim and uniroot.
penalized <- function(b, x, y) { e <- drop(x %*% b); p <- plogis(e); sum(y*plogis(e, log.p = TRUE) + (1 - y)*plogis(-e, log.p = TRUE)) + as.numeric(determinant(crossprod(x, x*p*(1 - p)))$modulus)/2 }
profile <- function(j, value, x, y, start) { o <- optim(start[-j], function(r) { b <- start; b[j] <- value; b[-j] <- r; -penalized(b, x, y) }, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000)); -o$value }
firth <- function(d) { m <- glm(y ~ ., binomial, d, method = "brglmFit", type = "AS_mean", control = brglmControl(epsilon = 1e-14, maxit = 1000)); x <- model.matrix(m); b <- coef(m); se <- sqrt(diag(vcov(m))); top <- penalized(b, x, d$y)
  limits <- sapply(2:length(b), function(j) sapply(c(-1, 1), function(s) uniroot(function(v) top - profile(j, v, x, d$y, b) - qchisq(.95, 1)/2, sort(b[j] + c(0, s*8*se[j])), tol = 1e-12)$root))
  p <- sapply(2:length(b), function(j) pchisq(2*(top - profile(j, 0, x, d$y, b)), 1, lower.tail = FALSE))
  list(data = lapply(as.list(d), function(v) if (is.factor(v)) as.character(v) else v), coef = unname(b[-1]), se = unname(se[-1]), low = limits[1, ], high = limits[2, ], p = p) }
arm <- factor(rep(c("a", "b", "c"), c(14, 25, 13)))
out$firth <- list(counts = firth(data.frame(y = c(rep(1:0, c(3, 11)), rep(1:0, c(8, 17)), rep(1:0, c(10, 3))), arm)),
  separated = firth(data.frame(y = c(rep(1:0, c(0, 14)), rep(1:0, c(8, 17)), rep(1:0, c(13, 0))), arm)),
  adjusted = { age <- round(rnorm(52, 57, 11), 1); size <- round(rlnorm(52, 3.4, .4), 1); firth(data.frame(y = rbinom(52, 1, plogis(-1 + (arm == "c")*1.5 - (age - 57)/20)), arm, age, size)) })
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
