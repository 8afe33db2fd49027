# Reference values for the staples of a trial report: analysis of covariance, and trends over ordered arms. Data sets of R
# and its recommended packages, a small and a large drawn one.
#   Rscript staples.R SEED OUT.json     (R 4.2.2; Debian package: jsonlite; MASS, nlme and survival come with R)
# Inputs are written beside the results, so the file is complete in itself.
suppressMessages({library(MASS); library(nlme); library(survival); library(jsonlite)})
a <- commandArgs(TRUE); set.seed(as.integer(a[1]))
# Adjusted means are predictions at the mean baseline, as emmeans has them; the first level of arm is the reference.
ancova <- function(arm, baseline, change, level = .95) { d <- na.omit(data.frame(arm = factor(arm), baseline, change)); k <- levels(d$arm); d$baseline0 <- d$baseline - mean(d$baseline)
  m <- lm(change ~ 0 + arm + baseline0, d); X <- model.matrix(m); B <- solve(crossprod(X)); free <- as.vector(tapply(1 - hatvalues(m), d$arm, sum)); v <- as.vector(tapply(resid(m)^2, d$arm, sum))/free
  part <- function(C) lapply(seq_along(k), function(i) v[i] * C %*% B %*% crossprod(X[d$arm == k[i], , drop = FALSE]) %*% B %*% t(C))
  one <- function(w) { q <- unlist(part(rbind(w))); e <- sum(w * coef(m)); s <- sqrt(sum(q)); nu <- sum(q)^2/sum(q^2/free); r <- qt((1 + level)/2, nu) * s; c(e, s, e - r, e + r, e/s, 2*pt(-abs(e/s), nu), nu) }
  I <- diag(length(k)); C <- cbind(-1, diag(length(k) - 1), 0); P <- part(C); V <- Reduce(`+`, P); A <- sum(mapply(function(p, f) { Q <- p %*% solve(V); (sum(diag(Q %*% Q)) + sum(diag(Q))^2)/(2*f) }, P, free)); q <- nrow(C)
  f <- drop(t(C %*% coef(m)) %*% solve(V) %*% (C %*% coef(m)))/(q + 2*A - 6*A/(q + 2)); nu <- q*(q + 2)/(3*A); rows <- function(W) unname(t(apply(W, 1, one)))
  list(arm = as.character(d$arm), baseline = d$baseline, change = d$change, arms = k, level = level, slope = unname(coef(m)["baseline0"]), mean = rows(cbind(I, 0))[, c(1:4, 7)],
       difference = rows(C), F = c(f, q, pf(f, q, nu, lower.tail = FALSE), nu), welch = unname(unlist(oneway.test(change ~ arm, d)[c("statistic", "p.value")]))) }
at <- function(d, id, arm, time, value, first, last) { x <- d[d[[time]] == first, ]; y <- d[d[[time]] == last, ]; i <- match(x[[id]], y[[id]])
  list(arm = as.character(x[[arm]]), baseline = as.numeric(x[[value]]), change = as.numeric(y[[value]][i] - x[[value]])) }
go <- function(l, ...) ancova(l$arm, l$baseline, l$change, ...)
year <- function(v, log) { x <- pbcseq[pbcseq$day == 0, ]; y <- pbcseq[pbcseq$day > 180 & pbcseq$day < 540, ]; y <- y[!duplicated(y$id), ]; i <- match(x$id, y$id)
  b <- x[[v]]; w <- y[[v]][i]; if (log) list(arm = paste0("t", x$trt), baseline = log(b), change = log(w/b)) else list(arm = paste0("t", x$trt), baseline = b, change = w - b) }
drawn <- function(n, k) { arm <- paste0("a", rep_len(1:k, n)); b <- rlnorm(n, 3, .5); list(arm = arm, baseline = b, change = -.4*b + 3*(arm == "a2") + rnorm(n, 0, 5)) }
out <- list(ancova = list(
  anorexia = with(anorexia, ancova(Treat, Prewt, Postwt - Prewt)), anorexia_log = with(anorexia, ancova(Treat, log(Prewt), log(Postwt/Prewt), .9)),
  epil = with(epil[epil$period == 4, ], ancova(trt, base/4, y - base/4)), epil_log = with(epil[epil$period == 4, ], ancova(trt, log(base/4), log((y + 1)/(base/4)), .99)),
  bodyweight = go(at(as.data.frame(BodyWeight), "Rat", "Diet", "Time", "weight", 1, 64)), orthodont = go(at(as.data.frame(Orthodont), "Subject", "Sex", "age", "distance", 8, 14)),
  chickweight = go(at(as.data.frame(ChickWeight), "Chick", "Diet", "Time", "weight", 0, 21)), albumin = go(year("albumin", FALSE)), bilirubin = go(year("bili", TRUE)), platelet = go(year("platelet", FALSE)),
  small = go(drawn(13, 2)), small_three = go(drawn(14, 3)), large = go(drawn(3000, 4))))
proportions <- function(x, n) { t <- prop.trend.test(x, n); list(count = x, n = n, chisq = unname(t$statistic), p = t$p.value) }
of <- function(event, by) { k <- !is.na(event) & !is.na(by); proportions(as.vector(tapply(event[k], by[k], sum)), as.vector(table(by[k]))) }
out$proportions <- list(smokers = proportions(c(83, 90, 129, 70), c(86, 93, 136, 82)), esoph = with(aggregate(cbind(ncases, n = ncases + ncontrols) ~ agegp, esoph, sum), proportions(ncases, n)),
  alcohol = with(aggregate(cbind(ncases, n = ncases + ncontrols) ~ alcgp, esoph, sum), proportions(ncases, n)), titanic = proportions(unname(apply(Titanic, c(1, 4), sum)[1:3, 2]), unname(apply(Titanic, 1, sum)[1:3])),
  infert = of(infert$case, infert$education), birthwt = of(birthwt$low, pmin(birthwt$ftv, 3)), lung = of(lung$status == 2, lung$ph.ecog), pbc = of(pbc$status == 2, pbc$stage),
  small = proportions(c(1, 3, 5), c(6, 5, 6)), two = proportions(c(3, 10), c(14, 13)), large = proportions(c(4102, 4210, 4333, 4391), rep(20000, 4)))
trend <- function(time, event, by) { k <- !is.na(time) & !is.na(event) & !is.na(by); d <- data.frame(time = time[k], event = as.integer(event[k]), by = as.integer(factor(by[k]))); s <- survdiff(Surv(time, event) ~ by, d); w <- seq_along(s$n)
  z <- sum(w*(s$obs - s$exp))/sqrt(drop(w %*% s$var %*% w)); list(time = d$time, event = d$event, by = d$by, z = z, p = pchisq(z^2, 1, lower.tail = FALSE)) }
r <- rotterdam[seq(1, nrow(rotterdam), 2), ]
out$times <- with(list(), list(lung = trend(lung$time, lung$status == 2, lung$ph.ecog), pbc = trend(pbc$time, pbc$status == 2, pbc$stage), colon = with(colon[colon$etype == 2, ], trend(time, status, differ)), nodes = with(colon[colon$etype == 1, ], trend(time, status, extent)),
  gbsg = trend(gbsg$rfstime, gbsg$status, gbsg$grade), rotterdam = trend(r$dtime, r$death, r$size), veteran = trend(veteran$time, veteran$status, cut(veteran$karno, c(0, 30, 60, 100))), ovarian = trend(ovarian$futime, ovarian$fustat, ovarian$ecog.ps),
  myeloma = trend(mgus2$futime[1:400], mgus2$death[1:400], cut(mgus2$age[1:400], c(0, 60, 70, 80, 120))), stanford = trend(stanford2$time, stanford2$status, cut(stanford2$age, c(0, 30, 45, 99))), small = trend(c(3, 5, 5, 8, 9, 9, 12, 14, 14, 20), c(1, 1, 0, 1, 1, 0, 1, 1, 0, 0), c(1, 2, 1, 1, 3, 2, 2, 3, 3, 3))))
# Zelen's exact test of equal odds ratios, carried to more arms: every table with the totals of arms and levels, by brute force (rows: levels, columns: arms).
zelen <- function(count, n) { grid <- as.matrix(expand.grid(lapply(as.vector(n), function(m) 0:m))); at <- function(v) matrix(v, nrow(n))
  keep <- rep(TRUE, nrow(grid)); id <- matrix(seq_along(n), nrow(n)); for (i in seq_len(nrow(n))) keep <- keep & rowSums(grid[, id[i, ], drop = FALSE]) == sum(count[i, ])
  for (j in seq_len(ncol(n))) keep <- keep & rowSums(grid[, id[, j], drop = FALSE]) == sum(count[, j]); g <- grid[keep, , drop = FALSE]
  w <- apply(g, 1, function(y) exp(sum(lchoose(as.vector(n), y)))); o <- exp(sum(lchoose(as.vector(n), as.vector(count)))); list(count = count, n = n, tables = length(w), p = sum(w[w <= o*(1 + 1e-7)])/sum(w)) }
m <- function(rows, ...) matrix(c(...), rows, byrow = TRUE)
out$layers <- list(two = zelen(m(2, 2, 3, 1, 6), m(2, 12, 15, 10, 9)), nobody = zelen(m(2, 2, 3, 0, 5), m(2, 12, 15, 2, 10)), three_arms = zelen(m(2, 0, 3, 5, 2, 4, 3), m(2, 6, 9, 5, 7, 8, 4)),
  three_levels = zelen(m(3, 1, 4, 0, 3, 5, 2), m(3, 7, 8, 5, 6, 9, 6)), empty = zelen(m(2, 0, 3, 2, 2, 5, 1), m(2, 0, 9, 4, 6, 7, 3)), apart = zelen(m(2, 0, 9, 9, 0), m(2, 10, 10, 10, 10)))
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
