# Reference values for the safety report, from the shipped tables: rates per patient-year, exact tests, first events.
#   Rscript safety.R DATA_FOLDER OUT.json     (R 4.2.2; Debian packages: cmprsk, jsonlite)
suppressMessages({library(cmprsk); library(jsonlite)})
a <- commandArgs(TRUE); read <- function(f) read.csv(file.path(a[1], f), stringsAsFactors = FALSE, na.strings = "")
p <- read("patients.csv"); e <- read("adverse_events.csv"); t <- read("treatments.csv"); day <- function(x) as.numeric(as.Date(x)); arms <- c("A", "B", "C")
e$onset <- day(e$onset_date); n <- as.numeric(table(factor(p$arm, arms)))
zero <- setNames(day(p$time_zero), p$patient_id); last <- setNames(pmin(day(p$last_contact_date), day("2025-02-28")), p$patient_id); died <- setNames(day(p$death_date), p$patient_id)
# Days at risk, one by one: anlotinib to 30 days after its end, seeds to 180 days after implantation, study treatment only
t <- t[t$line == 1, ]; from <- day(t$start_date)
to <- ifelse(t$component == "seeds", from + 180, ifelse(is.na(t$end_date), Inf, day(t$end_date) + 30))
stretches <- lapply(p$patient_id, function(id) { k <- t$patient_id == id
  days <- sort(unique(unlist(Map(function(s, u) if (s <= u) s:u, pmax(from[k], zero[[id]]), pmin(to[k], last[[id]]))))); days })
names(stretches) <- p$patient_id
# The time of a stretch is last day less first day: steps between neighbouring days
span <- function(days, until = Inf) { d <- days[days <= until]; if (length(d) < 2) 0 else sum(diff(d) == 1) }
inside <- mapply(function(id, o) o %in% stretches[[id]], e$patient_id, e$onset); arm_of <- setNames(p$arm, p$patient_id)
rate <- function(k) { x <- as.numeric(table(factor(arm_of[e$patient_id[k]], arms))); y <- sapply(arms, function(g) sum(sapply(stretches[p$arm == g], span)))/365.25; list(x = x, years = unname(y)) }
first <- function(k) { o <- tapply(e$onset[k], e$patient_id[k], min); x <- as.numeric(table(factor(arm_of[names(o)], arms)))
  y <- sapply(arms, function(g) sum(sapply(p$patient_id[p$arm == g], function(id) span(stretches[[id]], if (id %in% names(o)) o[[id]] else Inf))))/365.25; list(x = x, years = unname(y)) }
tested <- function(r) c(r, list(low = mapply(function(x, y) poisson.test(x, y)$conf.int[1], r$x, r$years), high = mapply(function(x, y) poisson.test(x, y)$conf.int[2], r$x, r$years),
  pairs = lapply(list(c(2, 1), c(3, 1), c(3, 2)), function(i) { m <- poisson.test(r$x[i], r$years[i]); list(group = paste(arms[i[1]], "vs", arms[i[2]]), p = m$p.value, ratio = unname(m$estimate), low = m$conf.int[1], high = m$conf.int[2]) })))
kinds <- list(any = inside, severe = inside & e$grade >= 3, Fatigue = inside & e$term == "Fatigue", Hypertension = inside & e$term == "Hypertension")
out <- list(rate = lapply(kinds, function(k) tested(rate(k))), first = lapply(kinds, function(k) tested(first(k))))
count <- function(k) as.numeric(table(factor(p$arm[p$patient_id %in% e$patient_id[k]], arms)))
out$test <- lapply(split(seq_len(nrow(e)), e$term), function(i) { x <- count(i); list(count = x, p = fisher.test(rbind(x, n - x))$p.value) })
# First event with death competing, in months
o <- tapply(e$onset[inside], e$patient_id[inside], min)[p$patient_id]; end <- sapply(p$patient_id, function(id) if (length(stretches[[id]])) max(stretches[[id]]) else zero[[id]])
cause <- ifelse(!is.na(o), 1, ifelse(!is.na(died) & died <= end, 2, 0)); time <- (ifelse(is.na(o), end, o) - zero)/30.4375
fit <- cuminc(time, cause, factor(p$arm, arms)); at <- c(1, 3, 5); tp <- timepoints(fit[grep("Tests", names(fit), invert = TRUE)], at)
out$cumulative <- list(time = at, cause = unname(cause), estimate = unname(tp$est[1:3, ]), variance = unname(tp$var[1:3, ]), gray = unname(fit$Tests[1, 1:2]))
write_json(out, a[2], digits = NA, auto_unbox = TRUE, na = "null")
