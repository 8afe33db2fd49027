# Reference values for exact tests of contingency tables: two arms of any size, several arms, several categories, base R.
#   Rscript contingency.R SEED OUT.json     (R 4.2.2; Debian package: jsonlite)
# Inputs are written beside the results, so the file is complete in itself. Two tables are those of ?fisher.test.
library(jsonlite); a <- commandArgs(TRUE); set.seed(as.integer(a[1]))
exact <- function(t) list(table = unname(t), p = fisher.test(t, workspace = 2e7, conf.int = FALSE)$p.value)
filled <- function(t) { t <- t[rowSums(t) > 0, colSums(t) > 0, drop = FALSE]; if (min(dim(t)) < 2) NULL else exact(t) }
some <- function(n, make) Filter(Negate(is.null), lapply(seq_len(n), make))
two_arms <- function(i) { n <- round(10^runif(1, .7, 5)*c(1, sample(c(1, 1, 2, 4, 10), 1))); p <- rbeta(1, .6, .6)
  q <- plogis(qlogis(p) + rnorm(1)*sample(c(1, 3, 10, 25), 1)/sqrt(n[1]*p*(1 - p) + 1)); x <- rbinom(2, n, c(p, q)); filled(cbind(x, n - x)) }
arms <- function(i) { k <- 3 + i %% 4; n <- round(runif(1, 10, c(3000, 2000, 900, 600)[k - 2])/k*sample(c(1, 1, 2, 4, 10), k, TRUE)/3) + 1
  p <- rbeta(1, .6, .6); x <- rbinom(k, n, plogis(qlogis(p) + rnorm(k)*sample(c(0, .2, .6), 1))); filled(cbind(x, n - x)) }
categories <- function(i) { k <- list(c(3, 3), c(4, 3), c(3, 5), c(4, 4), c(5, 4), c(6, 3), c(5, 7), c(6, 6))[[1 + i %% 8]]; n <- sample(10:c(450, 200, 120, 80, 60, 90, 40, 35)[1 + i %% 8], 1)
  g <- sample(k[1], n, TRUE, runif(k[1], .3, 1)); p <- runif(k[2], .2, 1); h <- sapply(g, function(j) sample(k[2], 1, prob = p*(1 + (seq_len(k[2]) == j)*sample(0:2, 1)))); filled(unclass(table(g, h))) }
job <- matrix(c(1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11), 4)
mp6 <- rbind(c(1, 2, 2, 1, 1, 0, 1), c(2, 0, 0, 2, 3, 0, 0), c(0, 1, 1, 1, 2, 7, 3), c(1, 1, 2, 0, 0, 0, 1), c(0, 1, 1, 1, 1, 0, 0))
out <- list(two_arms = some(80, two_arms), arms = some(64, arms), categories = some(72, categories), examples = list(job = exact(job), mp6 = exact(mp6)))
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
