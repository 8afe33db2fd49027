# Gray's test where it is awkward: two to six arms, ties, arms without an event or of one patient, arms followed for
# different times (the pooled incidence then passes 1), all events at one time; and many patients.
# Run from this folder:  Rscript gray.R            (R 4.2.2; cmprsk 2.2-11, jsonlite)
# chisq -1: cmprsk finds the covariance singular and gives no test; null: no event of the cause, or it stops. Where the
# least eigenvalue is below 0 the "covariance" is none (more tied events than its correction allows for).
suppressMessages({library(cmprsk); library(jsonlite)})

test_of <- function(d, cause) {
  found <- tryCatch(suppressWarnings(cuminc(d$time, d$cause, d$arm)$Tests), error = function(e) NULL)
  if (is.null(found) || !(as.character(cause) %in% rownames(found))) return(NULL)
  c(setNames(as.list(found[as.character(cause), ]), c("chisq", "p", "df")), least = least_eigenvalue(d, cause))
}

# Of the covariance that cuminc() inverts, found as it finds it.
least_eigenvalue <- function(d, cause) {
  d <- as.data.frame(d[c("arm", "time", "cause")]); d <- d[order(d$time), ]
  m <- as.integer(ifelse(d$cause == 0, 0, ifelse(d$cause == cause, 1, 2))); g <- as.integer(factor(d$arm)); k <- max(g)
  one <- rep(1L, nrow(d)); pairs <- double(k * (k - 1) / 2)
  z <- .Fortran("crstm", as.double(d$time), m, g, one, nrow(d), 0, 1L, k, double(k - 1), matrix(0, k - 1, k - 1),
                as.double(d$time), m, g, pairs, double(k - 1), pairs, double((4 + 3 * k) * k), integer(4 * k), PACKAGE = "cmprsk")
  min(eigen(z[[10]], symmetric = TRUE)$values)
}
tested <- function(d) list(test_of(d, 1), test_of(d, 2))

draw <- function(kind) {
  k <- sample(2:6, 1)
  size <- if (kind == "tiny") sample(1:5, k, TRUE) else sample(1:40, k, TRUE)
  if (kind == "single patient") size[sample(k, 1)] <- 1
  arm <- rep(letters[1:k], size); n <- length(arm); of <- match(arm, letters)
  time <- rexp(n, exp(rnorm(k))[of]); censored <- rexp(n, sample(c(1e-9, .3, 1, 3), 1))
  if (kind == "followed differently") censored <- pmin(censored, rexp(k, 2)[of])
  cause <- ifelse(censored < time, 0, ifelse(runif(n) < sample(c(.5, .9, 1), 1), 1, 2))
  time <- pmin(time, censored)
  ticks <- sample(c(0, 2, 4, 20), 1)
  time <- if (ticks) ceiling(time * ticks) else round(time, 3)
  if (kind == "one time") time <- rep(1, n)
  if (kind == "no event in an arm") cause[arm == sample(arm, 1)] <- 0
  if (kind == "never in an arm") { here <- arm == sample(arm, 1); cause[here & cause == 1] <- 2 }
  if (kind == "gone before") { here <- arm == sample(arm, 1); time[here] <- min(time) / 2; cause[here] <- 0 }
  if (kind == "nobody censored") cause[cause == 0] <- sample(1:2, sum(cause == 0), TRUE)
  list(kind = kind, arm = arm, time = time, cause = cause)
}
kinds <- c("plain", "tiny", "single patient", "followed differently", "one time", "no event in an arm", "never in an arm",
           "gone before", "nobody censored")
set.seed(12)
small <- lapply(rep(kinds, 12), function(kind) { d <- draw(kind); c(d, list(tests = tested(d))) })

# many patients by whole numbers, which the Python test makes again
many <- lapply(list(c(20000, 2), c(20000, 6), c(60000, 4)), function(size) { n <- size[1]; k <- size[2]
  i <- seq_len(n) - 1; of <- pmin((i * 40503) %% 65537 %% 13, k - 1)
  d <- list(arm = letters[of + 1], time = 1 + (i * 7919) %% 30011 * (of + 300), cause = c(0, 1, 2, 1, 1)[(i * 31 + i %/% 7 + of * (i %% 3)) %% 5 + 1])
  list(n = n, arms = k, tests = tested(d)) })

above <- read.csv("gray/pooled_above_1.csv")
write_json(list(small = small, many = many, pooled_above_1 = tested(above)), "expected/gray.json", digits = NA, auto_unbox = TRUE, null = "null")
