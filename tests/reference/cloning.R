# Two strategies by cloning, artificial censoring and weighting, beside a Cox model with a treatment that begins in time.
# Run from this folder:  Rscript cloning.R          (R 4.2.2; survival 3.5-3, jsonlite)
# Days; "added" within 60 days against not within them; shares at 365 and 730 days, means up to 730.
# The steps are those of Maringe et al., Int J Epidemiol 2020;49:1719-1729; leaving is a pooled logistic regression.
suppressMessages({library(survival); library(jsonlite)})
within <- 60; tau <- 730; control <- glm.control(epsilon = 1e-14, maxit = 100)
clones <- function(d) {
  d$id <- seq_len(nrow(d)); d$added[is.na(d$added) | d$added > d$time] <- Inf
  early <- d$added <= within; late <- !early & d$time > within
  none <- transform(d, end = ifelse(early, added, time), left = early, dies = event & !early)
  adds <- transform(d, end = ifelse(late, within, time), left = late, dies = event & !late)
  list(none = none, adds = adds) }
leaving <- function(x, days, at_risk) {                 # a row per patient at risk and day on which somebody left
  rows <- do.call(rbind, lapply(days, function(k) { r <- x[at_risk(x, k), ]; r$day <- k; r$leaves <- r$left & r$end == k; r }))
  rows$day <- factor(rows$day, levels = days)
  if (length(days) > 1) glm(leaves ~ 0 + day + age + fit, binomial, rows, control = control)
  else glm(leaves ~ age + fit, binomial, rows, control = control) }
weighted <- function(x, days, fit) {                    # intervals between the days, weight 1 / probability of having stayed
  stay <- sapply(days, function(k) 1 - predict(fit, transform(x, day = factor(k, levels = days)), type = "response"))
  stay <- matrix(stay, nrow(x)); cuts <- c(0, days[days > 0], Inf); at <- c(if (any(days == 0)) 1 else NULL)
  parts <- lapply(seq_len(length(cuts) - 1), function(j) {
    r <- x[x$end > cuts[j] & !(x$end == 0), ]; if (!nrow(r)) return(NULL)
    passed <- which(days <= cuts[j]); who <- match(r$id, x$id)
    r$w <- 1 / (if (length(passed)) apply(stay[who, passed, drop = FALSE], 1, prod) else rep(1, nrow(r)))
    r$start <- cuts[j]; r$stop <- pmin(r$end, cuts[j + 1]); r$happens <- r$dies & r$end <= cuts[j + 1]; r })
  do.call(rbind, parts) }
area <- function(f) { t <- f$time[f$time < tau]; s <- f$surv[f$time < tau]; sum(c(1, s) * diff(c(0, t, tau))) }
answers <- function(d) {
  both <- clones(d)
  days <- list(none = sort(unique(both$none$end[both$none$left])), adds = within)
  fits <- list(none = leaving(both$none, days$none, function(x, k) x$end >= k), adds = leaving(both$adds, days$adds, function(x, k) x$time > within))
  rows <- lapply(c("none", "adds"), function(s) cbind(weighted(both[[s]], days[[s]], fits[[s]]), strategy = as.integer(s == "adds")))
  curves <- lapply(rows, function(x) survfit(Surv(start, stop, happens) ~ 1, x, weights = x$w, timefix = FALSE))
  all <- do.call(rbind, rows)
  cox <- coxph(Surv(start, stop, happens) ~ strategy, all, weights = all$w, ties = "breslow", timefix = FALSE, control = coxph.control(eps = 1e-12))
  slopes <- lapply(fits, function(f) summary(f)$coefficients[c("age", "fit"), 1:2])
  final <- mapply(function(x, k) { last <- x[x$start == max(k), ]; last <- last[!last$left, ]; list(sort(last$w)) }, rows, days)
  list(slopes = lapply(slopes, function(s) list(coef = s[, 1], se = s[, 2])),
       share = lapply(curves, function(f) summary(f, times = c(365, 730), extend = TRUE)$surv),
       mean = sapply(curves, area), log_hr = unname(coef(cox)), weights = final,
       curve = lapply(curves, function(f) list(time = f$time[f$n.event > 0], surv = f$surv[f$n.event > 0]))) }
timed <- function(d) {
  d$id <- seq_len(nrow(d)); d$a <- ifelse(is.na(d$added) | d$added > d$time, NA, d$added)
  x <- tmerge(d, d, id = id, dies = event(time, event), treated = tdc(a))
  fit <- function(formula) { f <- coxph(formula, x, ties = "efron", control = coxph.control(eps = 1e-12)); c(coef(f)[["treated"]], sqrt(vcov(f)["treated", "treated"])) }
  list(crude = fit(Surv(tstart, tstop, dies) ~ treated), adjusted = fit(Surv(tstart, tstop, dies) ~ treated + age + fit)) }
# resamples that any language can draw: patient (i (2 b + 1) + floor(i^2 / (b + 2))) mod n, i = 0..n-1
drawn <- function(n, b) { i <- 0:(n - 1); (i * (2 * b + 1) + i^2 %/% (b + 2)) %% n + 1 }
out <- list()
for (name in c("small", "large", "ties")) {
  d <- read.csv(paste0("cloning_", name, ".csv"))
  again <- if (name == "large") lapply(1:3, function(b) answers(d[drawn(nrow(d), b), ])[c("share", "mean", "log_hr")]) else list()
  out[[name]] <- c(answers(d), list(timed = timed(d), resamples = again)) }
write_json(out, "expected/cloning.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
