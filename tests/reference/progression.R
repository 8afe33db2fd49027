# Where the disease progressed, from the tables of measured lesions alone, and the endpoint by each meaning of progression.
# Run from this folder:  Rscript progression.R          (R 4.2.2; survival 3.5-3, cmprsk 2.2-11, jsonlite)
# Data: progression/small and progression/large, drawn by ../lesion_studies.py. Months of 30 days.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
day <- function(x) as.numeric(as.Date(x, "%Y-%m-%d"))
first <- function(x) if (length(x)) min(x) else NA
grown <- function(tenths, nadir) 5 * tenths >= 6 * nadir & tenths - nadir >= 50      # 1.2 times and 5 mm

# days on which a course (tenths of a millimetre, by day, its first value known and above 0) has grown over its nadir so far
growth <- function(days, tenths) {
  if (is.na(tenths[1]) || tenths[1] == 0) return(numeric(0))
  found <- numeric(0); nadir <- tenths[1]
  for (i in seq_along(days)[-1]) if (!is.na(tenths[i])) {
    if (grown(tenths[i], nadir)) found <- c(found, days[i])
    nadir <- min(nadir, tenths[i])
  }
  found
}

study <- function(folder) {
  read <- function(name) read.csv(file.path("progression", folder, paste0(name, ".csv")), colClasses = "character", na.strings = "")
  p <- read("patients"); l <- read("lesions"); m <- merge(read("measurements"), l)
  m$day <- day(m$assessment_date)
  size <- as.numeric(ifelse(m$site == "node", m$short_mm, m$longest_mm))
  m$tenths <- round(10 * ifelse(m$status == "absent", 0, ifelse(m$too_small == "1", 5, size)))
  m$seen <- m$status != "absent" & (!is.na(m$longest_mm) | m$too_small == "1")
  m <- m[order(m$patient_id, m$lesion_id, m$day), ]
  region <- c(neck = "local_untreated", node = "regional", lung = "distant")
  rows <- lapply(p$patient_id, function(id) {
    own <- m[m$patient_id == id, ]; arm <- p$arm[p$patient_id == id]
    baseline <- first(own$day[own$visit == "0"])
    at <- unique(own$lesion_id[own$day == baseline])
    out <- list()
    add <- function(kind, how, days) if (length(days)) out[[length(out) + 1]] <<- data.frame(kind, how, day = min(days))
    for (lesion in unique(own$lesion_id)) {
      x <- own[own$lesion_id == lesion, ]
      if (lesion %in% at && x$target[1] == "1") {
        treats <- x$treated[1] == "1" || arm == "A"
        x <- x[x$day >= baseline, ]
        add(if (treats) "in_field" else region[[x$site[1]]], "growth", growth(x$day, x$tenths))
      } else if (!(lesion %in% at)) {
        seen <- x$day[x$seen]
        if (length(seen) && min(seen) > baseline) { add(region[[x$site[1]]], "new", min(seen)); add("new_lesion", "new", min(seen)) }
      }
    }
    targets <- unique(own$lesion_id[own$target == "1" & own$lesion_id %in% at])
    days <- sort(unique(own$day[own$day >= baseline]))
    sums <- sapply(days, function(d) { x <- own$tenths[own$day == d & own$lesion_id %in% targets]; if (length(x) == length(targets)) sum(x) else NA })
    add("target_growth", "growth", growth(days, sums))
    if (!is.na(p$distant_progression_date[p$patient_id == id])) add("distant", "recorded", day(p$distant_progression_date[p$patient_id == id]))
    do.call(rbind, c(list(data.frame(kind = character(0), how = character(0), day = numeric(0))), out))
  })
  on <- function(kind, how = c("growth", "new", "recorded")) sapply(rows, function(r) first(r$day[r$kind %in% kind & r$how %in% how]))
  zero <- day(p$time_zero); death <- day(p$death_date); last <- day(p$last_tumour_assessment)
  arm <- factor(p$arm, levels = c("A", "B", "C"))
  sums <- on("target_growth"); new <- on("new_lesion"); field <- on("in_field")
  progression <- pmin(sums, new, na.rm = TRUE)

  # events, what competes, what else censors: the first day; of one day the event
  by <- function(event, competes = NA, gray = FALSE) {
    end <- pmin(event, competes, na.rm = TRUE)
    cause <- ifelse(is.na(end), 0, ifelse(!is.na(event) & event == end, 1, 2))
    time <- (ifelse(is.na(end), last, end) - zero) / 30
    if (gray) { g <- cuminc(time, cause, arm, cencode = 0)$Tests; return(list(n_events = sum(cause == 1), p = unname(g[1, "pv"]))) }
    x <- survdiff(Surv(time, cause == 1) ~ arm); hr <- coxph(Surv(time, cause == 1) ~ arm, ties = "efron", eps = 1e-11)
    median <- sapply(levels(arm), function(a) unname(summary(survfit(Surv(time, cause == 1) ~ 1, subset = arm == a))$table["median"]))
    list(n_events = sum(cause == 1), p = pchisq(x$chisq, 2, lower.tail = FALSE), hr = unname(exp(coef(hr)["armC"])),
         ci = unname(exp(confint(hr)["armC", ])), median = unname(median))
  }
  either <- function(...) pmin(..., na.rm = TRUE)
  kinds <- c("in_field", "local_untreated", "regional", "distant", "new_lesion", "target_growth")
  list(
    days = setNames(lapply(kinds, function(k) list(n = sum(!is.na(on(k))), sum = sum(on(k) - zero, na.rm = TRUE))), kinds),
    pfs = list(declared = by(either(progression, death)), in_field = by(either(field, death)), new_censored = by(either(sums, death), new),
               new_competing = by(either(sums, death), new, gray = TRUE), new_ignored = by(either(sums, death))),
    ttp = list(declared = by(progression, death), in_field = by(field, death), new_censored = by(sums, either(new, death)),
               new_competing = by(sums, either(new, death), gray = TRUE), new_ignored = by(sums, death)),
    control = by(either(field, on("local_untreated")), either(on("distant"), death)),
    control_in_field = by(field, either(on("distant"), death)),
    control_new_ignored = by(either(field, on("local_untreated", c("growth", "recorded"))), either(on("distant"), death))
  )
}
writeLines(toJSON(list(small = study("small"), large = study("large")), auto_unbox = TRUE, digits = NA, na = "null", pretty = TRUE),
           file.path("expected", "progression.json"))
