# Reference values for the log-scale mixed model: Satterthwaite contrasts, ratios of ratios, empty cell, one arm, zero variance.
#   Rscript mixed.R SEED OUT.json     (R 4.2.2; Debian packages: lme4, lmerTest, emmeans, pbkrtest, jsonlite)
# Inputs are written beside the results, so the file is complete in itself.
suppressMessages({library(lme4); library(lmerTest); library(emmeans); library(jsonlite)})
a <- commandArgs(TRUE); set.seed(as.integer(a[1])); out <- list(); control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
make <- function(n, visit, drop, between) { id <- rep(seq_len(sum(n)), each = length(visit)); arm <- factor(rep(letters[seq_along(n)], n))[id]; v <- rep(visit, sum(n))
  y <- exp(rnorm(sum(n), 5, between)[id] - c(.9, .6, 1.3)[as.integer(arm)]*(1 - exp(-v/3)) + rnorm(length(id), 0, .35)); data.frame(id, arm, visit = v, value = signif(y, 5))[runif(length(id)) > drop | v == 0, ] }
describe <- function(m, d) { vc <- as.data.frame(VarCorr(m))
  list(data = as.list(d), variance = vc$vcov, loglik = as.numeric(logLik(m))) }
tidy <- function(e) { e <- as.data.frame(e); l <- as.list(e); names(l)[names(l) == "emmean"] <- "estimate"; lapply(l, function(x) if (is.factor(x)) as.character(x) else x) }
d <- make(c(14, 25, 13), c(0, 1, 3, 6), .15, 1); d$visit_f <- factor(d$visit); m <- lmer(log(value) ~ arm*visit_f + (1 | id), d, control = control)
g <- emmeans(m, ~ visit_f | arm, lmer.df = "satterthwaite"); an <- anova(m, ddf = "Satterthwaite")
out$three_arms <- c(describe(m, d), list(anova = list(F = an[["F value"]], den_df = an[["DenDF"]], p = an[["Pr(>F)"]]), means = tidy(g), contrast = tidy(contrast(g, "trt.vs.ctrl", ref = 1, adjust = "none")),
  between_arms = tidy(contrast(emmeans(m, ~ arm*visit_f, lmer.df = "satterthwaite"), interaction = c("revpairwise", "trt.vs.ctrl"), by = NULL, adjust = "none"))))
d <- subset(make(c(8, 9, 7), c(0, 3, 12), .2, .8), !(arm == "b" & visit == 12)); d$visit_f <- factor(d$visit); m <- suppressMessages(lmer(log(value) ~ arm*visit_f + (1 | id), d, control = control))
out$empty_cell <- c(describe(m, d), list(contrast = tidy(contrast(emmeans(m, ~ visit_f | arm, lmer.df = "satterthwaite"), "trt.vs.ctrl", ref = 1, adjust = "none"))))
d <- make(12, c(0, 3, 6), .2, .8); d$visit_f <- factor(d$visit); m <- lmer(log(value) ~ visit_f + (1 | id), d, control = control)
# anova() turns to type I contrasts when there is one term; the df depend on the basis, so the type III one (visit - baseline) is asked for.
an <- contestMD(m, cbind(0, diag(2)), ddf = "Satterthwaite")
out$one_arm <- c(describe(m, d), list(anova = list(F = an[["F value"]], den_df = an[["DenDF"]], p = an[["Pr(>F)"]]), contrast = tidy(contrast(emmeans(m, ~ visit_f, lmer.df = "satterthwaite"), "trt.vs.ctrl", ref = 1, adjust = "none"))))
repeat { d <- make(c(6, 7), c(0, 3, 6), .1, 0); d$visit_f <- factor(d$visit); m <- suppressMessages(lmer(log(value) ~ arm*visit_f + (1 | id), d, control = control)); if (isSingular(m)) break }
out$singular <- c(describe(m, d), list(contrast = tidy(contrast(emmeans(m, ~ visit_f | arm, lmer.df = "satterthwaite"), "trt.vs.ctrl", ref = 1, adjust = "none"))))
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
