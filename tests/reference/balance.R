# Reference values for standardized differences (numeric, two levels, several levels) and quantiles of type 7, in base R.
#   Rscript balance.R SEED OUT.json     (R 4.2.2; Debian package: jsonlite; MASS comes with R)
# Inputs are written beside the results, so the file is complete in itself.
library(jsonlite); a <- commandArgs(TRUE); set.seed(as.integer(a[1]))
d <- data.frame(arm = rep(c("a", "b", "c"), c(14, 25, 13)), age = round(rnorm(52, 57, 11), 1), sex = sample(c("F", "M"), 52, TRUE), ecog = sample(0:2, 52, TRUE, c(.4, .45, .15)), histology = sample(c("p", "q", "r", "s"), 52, TRUE, c(.6, .2, .1, .1)), weight = round(runif(52, .2, 3), 3))
d$age[c(3, 20)] <- NA
share <- function(v, l, w) sapply(l, function(k) sum(w*(v == k))/sum(w))
numeric <- function(x, y, wx, wy) (weighted.mean(x, wx) - weighted.mean(y, wy))/sqrt((var(x) + var(y))/2)
levels_smd <- function(x, y, wx, wy) { l <- sort(unique(c(d$histology, "")))[-1]; one <- function(v) share(v, l, rep(1, length(v)))[-1]; S <- function(p) { m <- -outer(p, p); diag(m) <- p*(1 - p); m }
  g <- share(x, l, wx)[-1] - share(y, l, wy)[-1]; sqrt(drop(t(g) %*% MASS::ginv((S(one(x)) + S(one(y)))/2) %*% g)) }
two <- function(x, y, wx, wy) { p <- mean(x == "M"); q <- mean(y == "M"); (weighted.mean(x == "M", wx) - weighted.mean(y == "M", wy))/sqrt((p*(1 - p) + q*(1 - q))/2) }
smd <- function(name, f, w) sapply(list(c("b", "a"), c("c", "a"), c("c", "b")), function(p) { k <- d[!is.na(d[[name]]), ]; ww <- if (w) k$weight else rep(1, nrow(k)); i <- k$arm == p[1]; j <- k$arm == p[2]; f(k[[name]][i], k[[name]][j], ww[i], ww[j]) })
out <- list(data = as.list(d), pairs = c("b vs a", "c vs a", "c vs b"),
  smd = list(age = smd("age", numeric, FALSE), sex = smd("sex", two, FALSE), histology = smd("histology", levels_smd, FALSE)),
  weighted = list(age = smd("age", numeric, TRUE), sex = smd("sex", two, TRUE), histology = smd("histology", levels_smd, TRUE)),
  age = lapply(split(d$age, d$arm), function(x) c(quantile(x, c(0, .25, .5, .75, 1), type = 7, na.rm = TRUE, names = FALSE), mean(x, na.rm = TRUE), sd(x, na.rm = TRUE))))
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
