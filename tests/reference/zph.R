# Proportional-hazards tests of every data set beside this script, made with R.
# Run from this folder:  Rscript zph.R            (R 4.2.2; survival 3.5-3, jsonlite)
# cox: arm alone; cox_adjusted: with the x_ columns, complete cases; cox_stratified: arm, strata(stratum).
# cox.zph(transform = "km", terms = FALSE). null = R gives no value.
suppressMessages({library(survival); library(jsonlite)})

zph <- function(f, d) {
  z <- tryCatch(cox.zph(suppressWarnings(coxph(f, d, ties = "efron")), transform = "km", terms = FALSE)$table,
                error = function(e) NULL)
  if (is.null(z)) return(NULL)
  list(term = rownames(z), chisq = unname(z[, "chisq"]), df = unname(z[, "df"]), p = unname(z[, "p"]))
}

out <- list()
for (file in list.files(pattern = "[.]csv$")) {
  d <- read.csv(file)
  if (!all(c("time", "event", "arm") %in% names(d))) next
  d$arm <- factor(d$arm, levels = unique(as.character(d$arm)))
  covariates <- grep("^x_", names(d), value = TRUE)
  found <- list(cox = zph(Surv(time, event) ~ arm, d))
  if (length(covariates))
    found$cox_adjusted <- zph(as.formula(paste("Surv(time, event) ~ arm +", paste(covariates, collapse = "+"))),
                              d[complete.cases(d[, covariates]), ])
  if ("stratum" %in% names(d)) found$cox_stratified <- zph(Surv(time, event) ~ arm + strata(stratum), d)
  out[[sub("[.]csv$", "", file)]] <- found
}
write_json(out, "expected/zph.json", digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null", null = "null")
