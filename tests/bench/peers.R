# The tasks of peers.py by R's survival: Rscript peers.R FILE.csv REPEATS
suppressMessages(library(survival))
given <- commandArgs(TRUE)
d <- read.csv(given[1])
d$arm <- factor(d$arm)
s <- with(d, Surv(time, event))
took <- function(task) { task(); median(replicate(as.integer(given[2]), system.time(task())[["elapsed"]])) }
seconds <- c(took(function() survfit(s ~ arm, d, conf.type = "log-log")), took(function() survdiff(s ~ arm, d)),
             took(function() coxph(s ~ arm, d)))
peak <- as.numeric(sub("\\D*(\\d+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
cat(sprintf('{"seconds": [%s], "mb": %.0f}\n', paste(seconds, collapse = ", "), peak))
