# Tables of patients from R's packages: Rscript export.R, run from this folder (R 4.2.2; packages survival and boot).
# One row per patient, columns as in the package; what is made here stands in `transform`.
suppressMessages({library(survival); library(boot)})

write <- function(name, d) {
  dir.create(name, showWarnings = FALSE)
  write.csv(d, file.path(name, "patients.csv"), row.names = FALSE, na = "", quote = FALSE)
}
numbered <- function(d) cbind(id = seq_len(nrow(d)), d)
first <- function(event, death) ifelse(event == 1, 1, ifelse(death == 1, 2, 0))

write("r_aml", numbered(survival::aml)) # boot has another
write("r_cgd", transform(cgd0[c("id", "treat", "sex", "age", "inherit", "steroids")],
                         first_days = ifelse(is.na(cgd0$etime1), cgd0$futime, cgd0$etime1),
                         infected = as.integer(!is.na(cgd0$etime1))))
write("r_jasa", transform(numbered(jasa[c("accept.dt", "age", "surgery", "transplant")]), age = round(age, 1),
                          death = jasa$fustat, last_seen = jasa$fu.date,
                          death_date = ifelse(jasa$fustat == 1, as.character(jasa$fu.date), NA)))
write("r_mgus", transform(mgus[c("id", "age", "sex", "hgb", "creat", "futime", "death")],
                          first_days = ifelse(is.na(mgus$pctime), mgus$futime, mgus$pctime),
                          first = first(!is.na(mgus$pctime), mgus$death)))
write("r_mgus2", transform(mgus2[c("id", "age", "sex", "hgb", "creat", "mspike", "futime", "death")],
                           first_months = mgus2$ptime, first = first(mgus2$pstat, mgus2$death)))
write("r_myeloid", transform(myeloid[c("id", "trt", "sex", "futime", "death")],
                             cr_days = ifelse(is.na(myeloid$crtime), myeloid$futime, myeloid$crtime),
                             cr = first(!is.na(myeloid$crtime), myeloid$death)))
write("r_nwtco", nwtco[c("seqno", "histol", "stage", "study", "rel", "edrel", "age")])
write("r_ovarian", transform(numbered(ovarian), age = round(age, 1)))
write("r_pbc", transform(pbc[c("id", "time", "status", "trt", "age", "sex", "stage", "bili", "chol", "albumin", "platelet")],
                         age = round(age, 1), excluded = ifelse(is.na(trt), "not randomised", NA)))
write("r_rats", numbered(rats))
write("r_rotterdam", rotterdam[c("pid", "hormon", "age", "meno", "size", "nodes", "rtime", "recur", "dtime", "death")])
write("r_stanford2", transform(stanford2[c("id", "time", "status", "age")],
                               arm = ifelse(is.na(stanford2$t5), NA, ifelse(stanford2$t5 < 1, "low", "high")),
                               excluded = ifelse(is.na(stanford2$t5), "mismatch unknown", NA)))
write("r_transplant", transform(numbered(transplant), event = NULL, first = ifelse(
  transplant$event %in% c("death", "withdraw"), "competing", as.character(transplant$event))))
write("r_udca", udca1)
write("r_veteran", numbered(veteran))
write("r_imotor", transform(numbered(imotor), days = round(time / 24, 3), time = NULL))
write("r_capacitor", transform(numbered(capacitor[c("temperature", "voltage", "time", "status")]),
                               days = round(time / 24, 3), time = NULL))
write("r_ifluid", transform(numbered(ifluid), seconds = time, time = NULL, broken = 1))
write("r_genfan", transform(numbered(genfan), days = round(hours / 24, 3), hours = NULL, arm = "all"))
write("r_melanoma", numbered(melanoma))
write("r_channing", numbered(channing[c("sex", "entry", "time", "cens")]))
