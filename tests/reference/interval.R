# Interval-censored times of the shipped synthetic cohort: Turnbull's curve, its bounds, and the permutation test.
# Run from this folder:  Rscript interval.R          (R 4.2.2; survival 3.5-3, coin 1.4-2, jsonlite)
# A progression lies between the scan that found it and the one before; deaths are known to the day; tau in months of
# 30.4375 days. survfit(type = "interval2") stops its EM early (about 1e-3 off), so the EM is run on here; both are kept.
suppressMessages({library(survival); library(coin); library(jsonlite)})
folder <- "../../data/rair_dtc"
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")), colClasses = "character")
day <- function(x) as.numeric(as.Date(x, "%Y-%m-%d"))
d <- read("patients"); m <- merge(read("measurements"), read("lesions")[, c("lesion_id", "patient_id")])
zero <- day(d$time_zero); progression <- day(d$local_progression_date); end <- pmin(progression, day(d$death_date), na.rm = TRUE)
found <- !is.na(progression) & progression == end
before <- sapply(seq_len(nrow(d)), function(i) {
  s <- day(m$assessment_date[m$patient_id == d$patient_id[i]]); s <- s[!is.na(progression[i]) & s < progression[i]]
  if (length(s)) max(s, zero[i]) else zero[i] })
left <- ifelse(found, before, ifelse(is.na(end), day(d$last_tumour_assessment), end)) - zero
right <- ifelse(is.na(end), Inf, end - zero)           # whole days: no float noise in the comparisons below
arm <- factor(d$arm, levels = c("A", "B", "C")); unit <- 30.4375
turnbull <- function(l, r) {                           # candidates (q, p] by brute force: no other end inside
  known <- l == r; cells <- list()
  for (p in sort(unique(r))) {
    q <- max(c(l[!known & l < p], l[known & l <= p])); is_known <- any(known & l == p)
    if (is_known) q <- p
    if (!any(r < p & r > q)) cells[[length(cells) + 1]] <- c(q, p) }
  cells <- unique(do.call(rbind, cells))
  keep <- apply(cells, 1, function(c) !any(r > c[1] & r < c[2])); cells <- cells[keep, , drop = FALSE]
  inside <- t(sapply(seq_along(l), function(i) ifelse(cells[, 1] == cells[, 2],
    if (known[i]) cells[, 2] == l[i] else l[i] < cells[, 2] & cells[, 2] <= r[i],
    if (known[i]) FALSE else l[i] <= cells[, 1] & cells[, 2] <= r[i]))) * 1
  w <- rep(1 / nrow(cells), nrow(cells))
  for (i in 1:200000) { new <- w * colMeans(inside / as.vector(inside %*% w)); if (max(abs(new - w)) < 1e-16) break; w <- new }
  list(left = cells[, 1], right = cells[, 2], weight = w, loglik = sum(log(inside %*% w))) }
out <- list(arms = lapply(levels(arm), function(a) {
  l <- left[arm == a]; r <- right[arm == a]; x <- turnbull(l, r)
  at <- function(t) c(1 - sum(x$weight[x$left < t * unit | x$right <= t * unit]), 1 - sum(x$weight[x$right <= t * unit]))
  f <- survfit(Surv(l, ifelse(is.infinite(r), NA, r), type = "interval2") ~ 1)
  list(loglik = x$loglik, bounds = lapply(c(12, 24, 36), at), survfit = summary(f, times = c(12, 24, 36) * unit, extend = TRUE)$surv,
       median = unname(quantile(f, 0.5, conf.int = FALSE)) / unit,
       largest = unname(apply(cbind(x$left, x$right, x$weight)[order(-x$weight), ][1:2, ], 1, identity))) }))
x <- turnbull(left, right); entropy <- function(s) ifelse(s > 1e-8, s * log(pmax(s, 1e-300)), 0)
s_left <- sapply(seq_along(left), function(i) if (left[i] == right[i]) 1 - sum(x$weight[x$right < left[i]]) else 1 - sum(x$weight[x$right <= left[i]]))
s_right <- sapply(right, function(r) if (is.infinite(r)) 0 else 1 - sum(x$weight[x$right <= r]))
score <- (entropy(s_left) - entropy(s_right)) / (s_left - s_right)
test <- independence_test(score ~ arm, teststat = "quadratic")
set.seed(20250228); B <- 20000; n <- table(arm); q <- function(a) sum(tapply(score, a, sum)^2 / n); seen <- q(arm)
out$score <- score; out$chisq <- unname(statistic(test)); out$loglik <- x$loglik
out$p <- mean(replicate(B, q(sample(arm))) >= seen * (1 - 1e-10)); out$resamples <- B
write_json(out, "expected/interval.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
