# What R says of other people's data (tests/other_people): patients, events, medians, log-rank, Cox, competing events.
# Run from this folder:  Rscript other_people.R STUDIES OUT.json            (R 4.2.2; packages survival, cmprsk, jsonlite)
# STUDIES is made by other_people/tables.py: a folder per study with patients.csv and study.json (study.yml as JSON).
# The endpoints are read from these two files here, without a line of Python; NA = not reached or not estimable.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
DAYS <- c(days = 1, weeks = 7, months = 30.4375, years = 365.25)
EXACT <- coxph.control(eps = 1e-12, toler.chol = 1e-14, iter.max = 50)

column <- function(study, d, name) {
  theirs <- study$tables$patients$columns[[name]]
  d[[if (is.null(theirs)) name else theirs]]
}

from_columns <- function(study, d, endpoint) {
  code <- as.character(column(study, d, endpoint$event$column)); codes <- endpoint$event
  cause <- rep(NA, nrow(d)); cause[code == codes$event] <- 1; cause[code == codes$censored] <- 0
  if (!is.null(codes$competing)) cause[code == codes$competing] <- 2
  list(time = column(study, d, endpoint$time$column) * DAYS[[endpoint$time$unit]], cause = cause)
}

from_dates <- function(study, d, endpoint) {
  day <- function(names) do.call(pmin, c(lapply(unlist(names), function(n) as.Date(column(study, d, n))), na.rm = TRUE))
  event <- day(endpoint$events); last <- day(endpoint$censor)
  other <- if (is.null(endpoint$competing)) as.Date(rep(NA, nrow(d))) else day(endpoint$competing)
  end <- pmin(event, other, na.rm = TRUE)
  cause <- ifelse(is.na(end), 0, ifelse(!is.na(event) & event == end, 1, 2))
  end[is.na(end)] <- last[is.na(end)]
  list(time = as.numeric(end - as.Date(column(study, d, "time_zero"))), cause = cause)
}

arms_of <- function(study) {
  codes <- sapply(study$arms, function(a) if (is.null(a$value)) a$id else a$value)
  setNames(codes, sapply(study$arms, `[[`, "id"))
}

patients_of <- function(study, d, endpoint) {
  found <- if (is.null(endpoint$events)) from_columns(study, d, endpoint) else from_dates(study, d, endpoint)
  codes <- arms_of(study)
  out <- data.frame(arm = factor(as.character(column(study, d, "arm")), levels = codes, labels = names(codes)),
                    time = found$time / study$time$days_per_unit, cause = found$cause)
  out[if (is.null(d$excluded)) TRUE else is.na(d$excluded) | d$excluded == "", ]
}

of_arms <- function(p) lapply(split(p, p$arm), function(e) {
  t <- summary(survfit(Surv(time, cause == 1) ~ 1, e, conf.type = "log-log"))$table
  list(n = nrow(e), events = sum(e$cause == 1), median = t[["median"]], low = t[["0.95LCL"]], high = t[["0.95UCL"]])
})

logrank <- function(p) {
  x <- survdiff(Surv(time, cause == 1) ~ arm, p)
  list(chisq = x$chisq, p = pchisq(x$chisq, length(x$n) - 1, lower.tail = FALSE))
}

cox <- function(p, reference) {
  p$arm <- relevel(p$arm, reference)
  s <- summary(coxph(Surv(time, cause == 1) ~ arm, p, ties = "efron", control = EXACT))
  out <- lapply(seq_len(nrow(s$conf.int)), function(i) list(hr = s$conf.int[i, "exp(coef)"],
    low = s$conf.int[i, "lower .95"], high = s$conf.int[i, "upper .95"], p = s$coefficients[i, "Pr(>|z|)"]))
  setNames(out, paste(setdiff(levels(p$arm), reference), "vs", reference))
}

competing <- function(p, at) {
  fit <- cuminc(p$time, p$cause, p$arm)
  incidence <- timepoints(fit, unlist(at))$est
  mine <- paste(levels(p$arm), 1)
  rows <- lapply(mine, function(m) as.list(unname(incidence[m, ])))
  out <- list(landmarks = at, incidence = setNames(rows, levels(p$arm)))
  if (nlevels(p$arm) > 1) out$gray <- list(chisq = fit$Tests["1", "stat"], p = pchisq(fit$Tests["1", "stat"], fit$Tests["1", "df"], lower.tail = FALSE))
  out
}

of_endpoint <- function(study, d, endpoint) {
  p <- patients_of(study, d, endpoint)
  out <- list(arms = of_arms(p))
  if (nlevels(p$arm) > 1) {
    out$logrank <- logrank(p)
    # without an event in each arm the likelihood has no maximum, and the report penalises it
    if (all(tapply(p$cause == 1, p$arm, sum) > 0)) out$cox <- do.call(c, lapply(levels(p$arm), function(r) cox(p, r)))
  }
  if (any(p$cause == 2)) out$competing <- competing(p, endpoint$landmarks)
  out
}

of_study <- function(folder) {
  study <- fromJSON(file.path(folder, "study.json"), simplifyVector = FALSE)
  d <- read.csv(file.path(folder, "patients.csv"), colClasses = NA, check.names = FALSE, na.strings = "")
  # codes are compared as they are written
  text <- read.csv(file.path(folder, "patients.csv"), colClasses = "character", check.names = FALSE)
  coded <- unlist(c("arm", lapply(study$endpoints, function(e) e$event$column)))
  for (name in coded) {
    theirs <- study$tables$patients$columns[[name]]
    theirs <- if (is.null(theirs)) name else theirs
    d[[theirs]] <- text[[theirs]]
  }
  found <- lapply(study$endpoints, function(e) of_endpoint(study, d, e))
  setNames(found, sapply(study$endpoints, `[[`, "id"))
}

args <- commandArgs(TRUE)
folders <- sort(list.dirs(args[1], recursive = FALSE), method = "radix")
out <- setNames(lapply(folders, of_study), basename(folders))
write_json(out, args[2], auto_unbox = TRUE, digits = NA, na = "null", null = "null")
