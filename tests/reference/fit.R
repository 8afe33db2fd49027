# Whether Cox models fit, of the data sets beside this script, made with R.
# Run from this folder:  Rscript fit.R            (R 4.2.2; survival 3.5-3, splines, jsonlite)
# Each model: arm + x_age + factor g (the level named), complete cases, ties by Efron; colon once more with strata.
# bend: restricted cubic spline of x_age (Harrell's basis in base R) against the line; the curve against the median at
# some of 81 values between the 5th and 95th centile; third against first quartile. ns: the same test with splines::ns.
# zph: cox.zph(terms = TRUE); residuals: cox.zph(terms = FALSE)$y of the arms, sorted, every 7th; at every 7th event a line and a
# natural spline through them. periods: survSplit. levels: arm * (x_age above its median). resamples: rows, from 1.
suppressMessages({library(survival); library(splines); library(jsonlite)})
Q <- list("3" = c(.1, .5, .9), "4" = c(.05, .35, .65, .95), "5" = c(.05, .275, .5, .725, .95))
sets <- list(
  veteran = list(file = "veteran", g = "x_karno", k = 5, at = 60), lung = list(file = "lung", g = "x_ecog", k = 4, at = 250),
  colon = list(file = "colon_recurrence", g = "stratum", k = 5, at = 365.25),
  colon_stratified = list(file = "colon_recurrence", g = "x_sex", k = 3, at = 500, strata = "stratum"),
  small = list(file = "edge_small_three_arm", g = "stratum", k = 3, at = 12))

basis <- function(x, t) {
  k <- length(t); p3 <- function(u) pmax(u, 0)^3
  sapply(1:(k - 2), function(j) (p3(x - t[j]) - p3(x - t[k - 1]) * (t[k] - t[j]) / (t[k] - t[k - 1]) +
    p3(x - t[k]) * (t[k - 1] - t[j]) / (t[k] - t[k - 1])) / (t[k] - t[1])^2)
}
ratio <- function(fit, w) {
  b <- drop(w %*% coef(fit)); se <- sqrt(diag(w %*% vcov(fit) %*% t(w)))
  list(hr = exp(b), low = exp(b - qnorm(.975) * se), high = exp(b + qnorm(.975) * se))
}
lrt <- function(a, b) {
  x <- 2 * (b$loglik[2] - a$loglik[2]); df <- sum(!is.na(coef(b))) - sum(!is.na(coef(a)))
  list(chisq = x, df = df, p = pchisq(x, df, lower.tail = FALSE))
}

out <- list()
for (name in names(sets)) {
  s <- sets[[name]]; d <- read.csv(paste0(s$file, ".csv"))
  d <- d[complete.cases(d[, c("x_age", s$g)]), ]
  d$arm <- factor(d$arm, levels = unique(as.character(d$arm)))
  d$g <- if (s$g == "x_karno") factor(d$x_karno >= 60) else factor(d[[s$g]])
  st <- if (is.null(s$strata)) "" else paste0(" + strata(", s$strata, ")")
  cox <- function(f, data) coxph(as.formula(paste("Surv(time, event) ~", f, st)), data, ties = "efron",
                                 control = coxph.control(eps = 1e-13, iter.max = 50, toler.chol = 1e-14))
  base <- cox("arm + x_age + g", d); n_arm <- nlevels(d$arm) - 1
  # the spline
  knots <- unique(unname(quantile(d$x_age, Q[[as.character(s$k)]])))
  d$B <- basis(d$x_age, knots); bent <- cox("arm + x_age + g + B", d)
  inner <- knots[-c(1, length(knots))]
  d$N <- ns(d$x_age, knots = inner, Boundary.knots = range(knots)); as_ns <- cox("arm + g + N", d)
  at <- seq(quantile(d$x_age, .05), quantile(d$x_age, .95), length = 81)[c(1, 21, 41, 61, 81)]
  place <- grep("x_age|^B", names(coef(bent)))
  w <- function(to, from) { m <- matrix(0, length(to), length(coef(bent))); full <- function(x) cbind(x, basis(c(x, from), knots)[seq_along(x), , drop = FALSE])
    m[, place] <- sweep(full(to), 2, full(rep(from, 2))[1, ]); m }
  q <- unname(quantile(d$x_age, c(.25, .5, .75))); line <- coef(base)["x_age"]
  # proportional hazards
  by_term <- cox.zph(base, transform = "km", terms = TRUE); by_column <- cox.zph(base, transform = "km", terms = FALSE)
  some <- seq(1, length(by_column$x), by = 7); x <- by_column$x
  kx <- unique(unname(quantile(x, Q[[if (length(x) < 30) "3" else if (length(x) < 100) "4" else "5"]])))
  trends <- lapply(1:n_arm, function(j) {
    y <- by_column$y[, j]; X <- cbind(1, x, basis(x, kx)); smooth <- lm(y ~ X - 1)
    reach <- qnorm(.975) * sqrt(by_column$var[j, j] * rowSums((X %*% solve(crossprod(X))) * X))
    list(y = sort(y)[some], line = unname(fitted(lm(y ~ x)))[some], smooth = unname(fitted(smooth))[some], reach = reach[some])
  })
  # before and after
  split <- survSplit(Surv(time, event) ~ ., d, cut = s$at, episode = "period")
  cox2 <- function(f) coxph(as.formula(paste("Surv(tstart, time, event) ~", f, st)), split, ties = "efron",
                            control = coxph.control(eps = 1e-13, iter.max = 50, toler.chol = 1e-14))
  for (j in 1:n_arm) split[[paste0("later", j)]] <- (split$arm == levels(d$arm)[j + 1]) * (split$period == 2)
  one <- cox2("arm + x_age + g"); two <- cox2(paste("arm + x_age + g +", paste0("later", 1:n_arm, collapse = " + ")))
  w2 <- function(late) { m <- matrix(0, n_arm, length(coef(two))); for (j in 1:n_arm) { m[j, j] <- 1; if (late) m[j, grep(paste0("later", j), names(coef(two)))] <- 1 }; m }
  sizes <- function(p) sapply(1:n_arm, function(j) { r <- split[split$period == p & split$arm %in% levels(d$arm)[c(1, j + 1)], ]; c(nrow(r), sum(r$event)) })
  # levels
  d$h <- factor(d$x_age > median(d$x_age)); small <- cox("arm + x_age + g + h", d); large <- cox("arm * h + x_age + g", d)
  w3 <- function(high) { m <- matrix(0, n_arm, length(coef(large))); for (j in 1:n_arm) { m[j, j] <- 1
    if (high) m[j, names(coef(large)) == paste0("arm", levels(d$arm)[j + 1], ":hTRUE")] <- 1 }; m }
  # discrimination
  set.seed(7); B <- 12; rows <- lapply(1:B, function(b) sample(nrow(d), replace = TRUE))
  X <- model.matrix(base); gains <- slopes <- c(); used <- 0
  score <- function(data, eta) { data$eta <- eta
    concordance(as.formula(paste("Surv(time, event) ~ eta", st)), data, reverse = TRUE)$concordance }
  for (i in rows) {
    if (length(unique(d$arm[i])) < n_arm + 1) next
    f <- suppressWarnings(cox("arm + x_age + g", d[i, ])); b <- coef(f); b[is.na(b)] <- 0
    if (any(abs(b) > 15)) next
    used <- used + 1; eta <- drop(X %*% b); gains <- c(gains, score(d[i, ], eta[i]) - score(d, eta))
    slopes <- c(slopes, unname(coef(cox("eta", cbind(d, eta = eta)))))
  }
  out[[name]] <- list(
    set = s, n = nrow(d), n_events = sum(d$event), knots = knots,
    bend = c(lrt(base, bent), list(ns_chisq = lrt(base, as_ns)$chisq, curve = ratio(bent, w(at, q[2])), quartiles = ratio(bent, w(c(q[3], q[3]), q[1])), straight = exp(unname(line) * (q[3] - q[1])))),
    zph = list(term = rownames(by_term$table), chisq = unname(by_term$table[, 1]), df = unname(by_term$table[, 2]), p = unname(by_term$table[, 3])),
    residuals = trends, periods = list(test = lrt(one, two), before = ratio(two, w2(FALSE)), after = ratio(two, w2(TRUE)), sizes = rbind(t(sizes(1)), t(sizes(2)))),
    levels = list(test = lrt(small, large), low = ratio(large, w3(FALSE)), high = ratio(large, w3(TRUE))),
    discrimination = list(apparent = score(d, drop(X %*% coef(base))), optimism = mean(gains), slope = mean(slopes), used = used, rows = rows))
}
write_json(out, "expected/fit.json", digits = NA, auto_unbox = TRUE, null = "null", na = "null")
