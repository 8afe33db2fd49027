# Regressions of arms and covariates: Cox (crude, adjusted, stratified), Cox with Firth's penalty, logistic, Fine-Gray.
#   Rscript regression.R SEED OUT.json     (R 4.2.2; survival, cmprsk, jsonlite; glm of base R)
# Firth's penalty is written out on coxph's own likelihood and variance (Breslow ties), its limits and tests by profiling.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
args <- commandArgs(TRUE); set.seed(as.integer(args[1]))
rest <- function(m) { s <- summary(m)$coefficients; list(coef = unname(coef(m)), se = sqrt(diag(vcov(m))), p = unname(s[, ncol(s)])) }
tight <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 60)
cox <- function(f, d) suppressWarnings(coxph(f, d, ties = "efron", control = tight))
lr <- function(f, d, without) { d <- d[complete.cases(d[all.vars(f)]), ]; whole <- cox(f, d)
  lapply(without, function(v) { part <- cox(update(f, paste(". ~ . -", v)), d); x <- 2 * (whole$loglik[2] - part$loglik[length(part$loglik)])
    df <- length(coef(whole)) - length(coef(part)); list(chisq = x, df = df, p = pchisq(x, df, lower.tail = FALSE)) }) }

# the colon trial
co <- read.csv("../../data/colon/patients.csv"); co$rx <- factor(co$rx, c("Obs", "Lev", "Lev+5FU")); co$t <- co$recurrence_days / 365.25
co$age <- co$age / 10; co$l <- ifelse(co$nodes > 0, log2(pmax(co$nodes, .5)), NA); co$differ <- factor(co$differ); co$extent <- factor(co$extent)
whole <- Surv(t, recurrence_status) ~ rx + age + sex + obstruct + adhere + l + differ + extent + surg
out <- list(colon = c(rest(cox(whole, co)), list(lr = lr(whole, co, c(rx = "rx", differ = "differ", extent = "extent")),
  crude = lapply(c(age = "age", l = "l", differ = "differ", extent = "extent"), function(v) rest(cox(reformulate(v, "Surv(t, recurrence_status)"), co))),
  stratified = rest(cox(Surv(t, recurrence_status) ~ rx + age + sex + l + strata(extent, surg), co)))))

# small samples with tied times, a covariate missing, a rare level
small <- function(n, arms, tie) { arm <- factor(rep(letters[seq_along(arms)], arms)); x <- round(rnorm(n), 2); g <- factor(sample(c("u", "v", "w"), n, TRUE, c(.5, .35, .15)), c("u", "v", "w"))
  t <- ceiling(rexp(n, .1 * exp(.5 * (arm == "b") + .5 * x)) / tie) * tie; u <- ceiling(rexp(n, .06) / tie) * tie; w <- ceiling(rexp(n, .04) / tie) * tie
  time <- pmin(t, u, w); cause <- ifelse(t == time, 1, ifelse(u == time, 2, 0)); data.frame(arm, x, g, time, cause, event = cause == 1, y = rbinom(n, 1, plogis(-.4 + .8 * (arm == "b") + .5 * x))) }
sets <- list(small_22 = small(22, c(12, 10), 2), cohort_52 = small(52, c(14, 25, 13), 1), rough_52 = small(52, c(14, 25, 13), 5), middle_300 = small(300, c(100, 100, 100), 1e-6))

firth <- function(d) { z <- model.matrix(~ arm + x + g, d)[, -1, drop = FALSE]; z <- z[, apply(z, 2, sd) > 0, drop = FALSE]; z <- sweep(z, 2, colMeans(z)); p <- ncol(z)
  at <- function(b) { f <- suppressWarnings(coxph(Surv(time, event) ~ z, d, ties = "breslow", init = b, control = coxph.control(iter.max = 0))); f$loglik[1] - log(det(f$var)) / 2 }
  best <- function(free, b) { if (!any(free)) return(list(b = b, v = at(b))); f <- function(part) { b[free] <- part; -at(b) }
    for (i in 1:4) { o <- if (sum(free) > 1) optim(b[free], f, method = "BFGS", control = list(reltol = 1e-16, maxit = 500, ndeps = rep(1e-5, sum(free)))) else { r <- optimize(f, b[free] + c(-6, 6), tol = 1e-10); list(par = r$minimum) }; b[free] <- o$par }; list(b = b, v = at(b)) }
  top <- best(rep(TRUE, p), rep(0, p))
  fall <- function(j, value) { b <- top$b; b[j] <- value; max(2 * (top$v - best(!(seq_len(p) %in% j), b)$v), 0) }
  g <- grep("^g", colnames(z)); cut <- qchisq(.95, 1)
  limit <- function(j, side) uniroot(function(v) fall(j, v) - cut, top$b[j] + side * c(.3, 8), tol = 1e-9)$root
  list(coef = top$b, chisq = sapply(seq_len(p), function(j) fall(j, 0)), g = if (length(g) > 1) fall(g, 0), low = limit(1, -1), high = limit(1, 1)) }
logit <- function(f, d) { m <- glm(f, binomial, d, epsilon = 1e-14, maxit = 100); c(rest(m), list(ci = unname(confint.default(m)), lr = { a <- drop1(m, test = "LRT"); list(term = rownames(a)[-1], chisq = a$LRT[-1], df = a$Df[-1]) })) }
gray <- function(d, f) { x <- model.matrix(f, d)[, -1, drop = FALSE]; m <- crr(d$time, d$cause, x, gtol = 1e-13, maxiter = 100); list(coef = unname(m$coef), se = sqrt(diag(m$var))) }
out$sets <- lapply(sets, function(d) list(data = d, cox = rest(cox(Surv(time, event) ~ arm + x + g, d)), lr = lr(Surv(time, event) ~ arm + x + g, d, c(arm = "arm", g = "g")),
  logistic = logit(y ~ arm + x + g, d), arms = gray(d, ~ arm), gray = gray(d, ~ arm + x), firth = if (nrow(d) < 100) firth(d)))
write_json(out, args[2], digits = NA, auto_unbox = TRUE, na = "null")
