# Rows that share a patient (lesions, eyes, littermates): cumulative incidence, Cox's model, lines and odds with one slope.
# Run from this folder:  Rscript clustered.R          (R 4.2.2; survival 3.5-3, sandwich 3.0-2, jsonlite)
# Small sets are written beside the results; the large ones come from a sequence that test_clustered.py makes as well.
suppressMessages({library(survival); library(sandwich); library(jsonlite)})

# Lehmer's sequence: every product is a whole number below 2^53, so exact.
sequence <- function(seed, n) { state <- seed; u <- numeric(n)
  for (i in seq_len(n)) { state <- (16807 * state) %% 2147483647; u[i] <- state / 2147483647 }
  u }

# n patients with 1 to 4 lesions, alike within a patient (v), whole months with many ties; causes 0, 1, 2.
made <- function(n, arms = 2) { u <- matrix(sequence(n, 3 * n), n); own <- 1 + floor(4 * u[, 1])
  d <- data.frame(id = rep(seq_len(n), own)); w <- matrix(sequence(n + 1, 4 * nrow(d)), nrow(d)); v <- rep(u[, 2], own)
  d$arm <- (d$id - 1) %% arms; d$x <- 80 + floor(60 * w[, 1] + 10 * rep(u[, 3], own))
  begun <- 1 + floor(90 * v * w[, 2] * (1 + .3 * d$arm)); died <- 1 + floor(120 * rep(u[, 3], own)); seen <- 1 + floor(60 * w[, 3])
  d$time <- pmin(begun, died, seen)
  d$cause <- ifelse(begun <= pmin(died, seen), 1, ifelse(died <= seen, 2, 0)); d$y <- floor(1000 * (v + w[, 4] - .002 * d$x)) / 1000; d }

slope <- function(fit, d, x) { v <- vcovCL(fit, cluster = d$id, type = "HC0"); k <- length(coef(fit)); g <- length(unique(d$id))
  se <- sqrt(diag(v)); t <- coef(fit)[[k]] / se[[k]]
  list(coef = unname(coef(fit)), se = unname(se), p = 2 * pt(-abs(t), g - 1), reach = unname(qt(.975, g - 1) * se[k])) }
# The equations of glm(family = binomial), which refuses pseudo-values outside of 0 to 1, solved by hand; the same sandwich.
logistic <- function(x, y, id) { b <- numeric(ncol(x))
  for (i in 1:100) { m <- plogis(drop(x %*% b)); b <- b + drop(solve(crossprod(x * (m * (1 - m)), x), crossprod(x, y - m))) }
  m <- plogis(drop(x %*% b)); bread <- solve(crossprod(x * (m * (1 - m)), x)); u <- rowsum(x * (y - m), id); g <- nrow(u)
  list(coef = unname(b), se = unname(sqrt(diag(g / (g - 1) * bread %*% crossprod(u) %*% bread)))) }

# pseudo() looks for its data by name, outside of this function.
one <- function(d, at) { d$row <- seq_len(nrow(d)); d$arm <- factor(d$arm); d$state <- factor(d$cause, 0:2); d$xc <- d$x - mean(d$x); d <<- d
  curve <- function(cluster) { s <- summary(fit, times = at, extend = TRUE); arm <- rep(levels(d$arm), each = length(at))
    # survfit(cluster = ) collapses the influence with one kind of event alone (below); with several it leaves it as it is.
    moves <- residuals(fit, times = at, type = "pstate")
    lapply(c("1" = 2, "2" = 3), function(k) { by_arm <- lapply(levels(d$arm), function(a) { own <- d$arm == a
        m <- matrix(moves[own, , k], sum(own)); u <- rowsum(m, d[[cluster]][own]); g <- nrow(u); sqrt(g / (g - 1) * colSums(u^2)) })
      # survfit_confint knows qnorm alone: the level at which that is qt with patients - 1 degrees
      level <- sapply(levels(d$arm), function(a) 2 * pnorm(qt(.975, length(unique(d[[cluster]][d$arm == a])) - 1)) - 1)
      se <- unlist(by_arm); p <- s$pstate[, k]; ci <- lapply(seq_along(p), function(i) survival:::survfit_confint(p[i], se[i], FALSE, "log-log", rep(level, each = length(at))[[i]]))
      list(estimate = p, se = se, low = sapply(ci, `[[`, "lower"), high = sapply(ci, `[[`, "upper")) }) }
  fit <- survfit(Surv(time, state) ~ arm, d, id = row)
  one_kind <- summary(survfit(Surv(time, cause == 1) ~ arm, d, cluster = id, conf.type = "log-log"), times = at, extend = TRUE)
  ps <- pseudo(survfit(Surv(time, state) ~ arm, d, id = row), times = at[2])[, 2]
  cox <- coxph(Surv(time, cause == 1) ~ arm, d, cluster = id, control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50))
  kept <- tapply(d$cause == 1 & d$time <= at[2], d$arm, function(e) any(e) && !all(e)); stopifnot(all(kept))
  d$early <- d$cause == 1 & d$time <= at[2]
  share <- lapply(levels(d$arm), function(a) { e <- d[d$arm == a, ]; f <- glm(early ~ 1, binomial, e, control = list(epsilon = 1e-14))
    r <- qt(.975, length(unique(e$id)) - 1) * sqrt(vcovCL(f, cluster = e$id, type = "HC0")[1]); plogis(coef(f)[[1]] + c(0, -r, r)) })
  list(at = at, n = nrow(d), clusters = length(unique(d$id)), curve = curve("id"), alone = curve("row"),
       one_kind = list(survival = one_kind$surv, se = one_kind$std.err),
       pseudo = list(first = unname(head(ps, 12)), squares = sum(ps^2)),
       cox = with(list(b = unname(coef(cox)), g = length(unique(d$id)), k = nlevels(d$arm)), { se <- unname(sqrt(g / (g - k) * diag(vcov(cox))))
         list(coef = b, se = se, low = exp(b - qt(.975, g - k) * se), high = exp(b + qt(.975, g - k) * se), p = 2 * pt(-abs(b / se), g - k), rscore = drop(cox$rscore)) }),
       odds = slope(glm(early ~ 0 + arm + xc, binomial, d, control = list(epsilon = 1e-14)), d),
       line = slope(lm(y ~ 0 + arm + xc, d), d),
       odds_of_pseudo = logistic(model.matrix(~ 0 + arm + xc, d), 1 - unname(ps), d$id), share = share) }

keep <- c("id", "arm", "time", "cause", "x", "y")
eyes <- with(retinopathy, data.frame(id, arm = trt, time = futime, cause = ifelse(status == 1, 1, ifelse(id %% 7 == 0, 2, 0)), x = age, y = risk))
# Both eyes of a patient by the type of diabetes, on whole days: made into a study of lesions by test_lesion_control.py.
by_type <- with(retinopathy, data.frame(id, arm = as.integer(type) - 1, time = round(futime * 30.4375) / 30.4375, cause = status, x = 60 + 5 * risk, y = age))
litter <- with(rats, data.frame(id = litter, arm = rx, time, cause = ifelse(status == 1, 1, ifelse(time < 80, 2, 0)), x = 100 + litter %% 9, y = log(time)))
catheter <- with(kidney, data.frame(id, arm = sex - 1, time, cause = status, x = age, y = frail))
sets <- list(retinopathy = list(eyes, c(10, 24, 48)), eyes_by_type = list(by_type, c(10, 24, 48)), rats = list(litter, c(70, 95, 104)), kidney = list(catheter, c(10, 30, 150)),
             made_12 = list(made(12), c(5, 12, 20)), made_25 = list(made(25), c(5, 12, 24)), made_40 = list(made(40, 3), c(6, 12, 24)))
small <- lapply(sets, function(s) c(list(data = s[[1]][keep]), one(s[[1]], s[[2]])))
large <- lapply(c(2000, 10000), function(n) { d <- made(n, 3); c(list(patients = n, sums = colSums(d[keep])), one(d, c(6, 24, 48))) })
write_json(list(small = small, large = large), "expected/clustered.json", digits = NA, auto_unbox = TRUE, na = "null")
