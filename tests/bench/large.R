# What R needs for the same large study: Rscript large.R patients.csv
suppressMessages(library(survival))
d <- if (requireNamespace("data.table", quietly = TRUE)) data.table::fread(commandArgs(TRUE)[1], data.table = FALSE) else read.csv(commandArgs(TRUE)[1])
d$rx <- factor(d$rx)
for (endpoint in c("recurrence", "death")) {
  s <- Surv(d[[paste0(endpoint, "_days")]], d[[paste0(endpoint, "_status")]])
  survfit(s ~ rx, d); survdiff(s ~ rx, d); coxph(s ~ rx, d)
}
