# Slopes of serum bilirubin by patient and its progression, in the sequential Mayo data (survival::pbcseq): all of it, and the first forty patients.
# Run from this folder:  Rscript kinetics.R          (R 4.2.2; survival, cmprsk, coin, jsonlite)
# Also writes pbcseq.csv, which the tests read. Rule: 1.5 times the lowest value before, at least 0.5 mg/dL above it; once, and confirmed by the next sample.
options(warn = -1); suppressMessages({library(survival); library(cmprsk); library(coin); library(jsonlite)})
d <- pbcseq[!is.na(pbcseq$trt) & !is.na(pbcseq$bili), c("id", "trt", "day", "bili", "futime", "status")]
write.csv(d, "pbcseq.csv", row.names = FALSE, quote = FALSE)
risen <- function(x, over, confirmed) {
  n <- nrow(x); if (n < 2) return(NA)
  start <- if (over == "nadir") cummin(x$bili)[-n] else rep(x$bili[1], n - 1)
  limit <- pmax(1.5 * start, start + 0.5); value <- x$bili[-1]; hit <- value >= limit
  if (confirmed) hit <- hit & c(value[-1], -Inf) >= limit
  if (any(hit)) x$day[-1][which(hit)[1]] else NA }
one <- function(d) {
  by <- split(d, d$id); by <- by[order(as.numeric(names(by)))]
  fitted <- by[sapply(by, function(x) length(unique(x$day)) >= 3 && diff(range(x$day)) >= 180)]
  line <- function(x, y) { m <- lm(y ~ I(x$day / 365.25)); c(coef(summary(m))[2, 1:2], confint(m)[2, ]) }
  logs <- t(sapply(fitted, function(x) line(x, log(x$bili)))); straight <- t(sapply(fitted, function(x) line(x, x$bili)))
  arm <- factor(sapply(fitted, function(x) x$trt[1])); s <- logs[, 1]
  w <- wilcox.test(s[arm == 1], s[arm == 0], conf.int = TRUE, exact = length(s) < 120)
  p <- if (length(s) < 120) pvalue(wilcox_test(s ~ arm, distribution = "exact")) else w$p.value
  soon <- function(a) { k <- sum(s[arm == a] > log(2) / 2); c(k, sum(arm == a), binom.test(k, sum(arm == a))$conf.int) }
  rule <- function(over, confirmed) {
    day <- sapply(by, risen, over, confirmed); end <- sapply(by, function(x) max(x$day)); fu <- sapply(by, function(x) x$futime[1])
    died <- sapply(by, function(x) x$status[1] == 2)
    cause <- ifelse(!is.na(day), 1, ifelse(died, 2, 0)); time <- ifelse(cause == 1, day, ifelse(cause == 2, fu, end)) / 365.25
    a <- sapply(by, function(x) x$trt[1]); f <- cuminc(time, cause, a); t <- timepoints(f, c(1, 3, 5))
    list(day = unname(day), count = as.numeric(table(factor(cause, c(1, 2, 0)), a)), est = as.numeric(t(t$est[1:2, ])), var = as.numeric(t(t$var[1:2, ])),
         gray = unname(f$Tests[1, c("stat", "pv")])) }
  list(id = as.numeric(names(fitted)), slope = unname(logs), velocity = unname(straight), quartiles = lapply(split(s, arm), function(x) unname(quantile(x, c(.25, .5, .75)))),
       kruskal = unname(c(kruskal.test(s, arm)$statistic, kruskal.test(s, arm)$p.value)), shift = if (length(s) < 120) unname(c(w$estimate, w$conf.int)) else median(outer(s[arm == 1], s[arm == 0], "-")), p = p,
       soon = list(soon(0), soon(1)), nadir = rule("nadir", FALSE), nadir_confirmed = rule("nadir", TRUE), baseline = rule("baseline", FALSE)) }
write_json(list(all = one(d), forty = one(d[d$id <= 40, ])), "expected/kinetics.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
