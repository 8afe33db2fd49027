# Reference values for Hodges-Lehmann estimates, exact intervals, rank-sum tests with ties and Dunn's inputs.
#   Rscript ranks.R SEED OUT.json     (R 4.2.2; Debian packages: exactRankTests, coin, jsonlite)
# Inputs are written beside the results, so the file is complete in itself.
suppressMessages({library(exactRankTests); library(coin); library(jsonlite)})
a <- commandArgs(TRUE); set.seed(as.integer(a[1])); out <- list()
out$one_sample <- lapply(c(6:14, 25, 49, 60), function(n) { x <- round(rnorm(n, -1, 2), 6); w <- wilcox.test(x, exact = TRUE, conf.int = TRUE)
  list(x = x, statistic = unname(w$statistic), p = w$p.value, estimate = unname(w$estimate), ci = as.numeric(w$conf.int)) })
out$two_sample <- lapply(list(c(4, 4), c(5, 3), c(13, 14), c(13, 25), c(25, 14), c(3, 40), c(45, 45)), function(n) { x <- round(rnorm(n[1], -1, 2), 6); y <- round(rnorm(n[2], 0, 2), 6)
  w <- wilcox.test(x, y, exact = TRUE, conf.int = TRUE)
  list(x = x, y = y, p = w$p.value, estimate = unname(w$estimate), ci = as.numeric(w$conf.int)) })
out$two_sample_ties <- lapply(list(c(5, 6), c(13, 14), c(13, 25), c(25, 14), c(3, 20)), function(n) { x <- round(rnorm(n[1], -1, 2)); y <- round(rnorm(n[2], 0, 2))
  g <- factor(rep(c("x", "y"), n)); list(x = x, y = y, p_exact_rank_tests = wilcox.exact(x, y, exact = TRUE)$p.value,
       p_coin = as.numeric(pvalue(wilcox_test(c(x, y) ~ g, distribution = "exact")))) })
out$large <- { x <- round(rnorm(400, .1, 1), 2); y <- round(rnorm(150, 0, 1), 1); z <- round(rnorm(180, .2, 1), 1)
  list(x = x, y = y, z = z, p_signed = wilcox.test(x, exact = FALSE, correct = TRUE)$p.value, p_sum = wilcox.test(y, z, exact = FALSE, correct = TRUE)$p.value) }
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
