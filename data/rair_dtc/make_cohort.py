"""Make the synthetic RAIR-DTC cohort: `python data/rair_dtc/make_cohort.py [folder]` (default: this folder).

The same seed and library versions give the same bytes. The tables are made to agree with the published numbers
(README.md); they are no evidence for them.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
from adverse_events import adverse_event_rows, draw_events
from clinic import Case, admit, patient_rows, treat, treatment_rows
from laboratory import draw_safety
from readings import follow_on, leave_bone, read
from samples import draw_markers, plan_samples
from skeleton import search
from tumours import TOO_SMALL, grow
from verify import verify

HERE = Path(__file__).resolve().parent
SEED, TUMOUR_SEED = 140, 2016  # chosen because they succeed soon; others give other cohorts that also fit
COLUMNS = {
    "patients": "patient_id arm age_years sex histology ecog n_prior_rai cum_rai_gbq time_zero last_tumour_assessment "
                "local_progression local_progression_date distant_progression_date death death_date last_contact_date",
    "lesions": "lesion_id patient_id site target treated",
    "measurements": "lesion_id assessment_date visit modality longest_mm short_mm third_mm too_small status",
    "assessments": "patient_id assessment_date visit reader_response new_lesion",
    "markers": "patient_id sample_date visit marker value unit below_limit limit above_limit reference_high state",
    "treatments": "patient_id component line start_date end_date start_dose lowest_dose lesion_id n_seeds "
                  "seed_activity_mci prescription_gy d90_gy",
    "adverse_events": "patient_id term system grade onset_date end_date related serious action outcome",
}  # fmt: skip


def main(folder: Path) -> None:
    """Draw the cohort and write its tables and their checksums into `folder`."""
    rng = np.random.default_rng(SEED)
    patients = search(SEED)
    cases = admit(rng, patients, grow(patients, TUMOUR_SEED))
    treat(rng, cases)
    follow_on(rng, cases)
    read(rng, cases)
    leave_bone(cases)
    plan_samples(rng, cases)
    events = draw_events(rng, cases)
    markers = [*draw_markers(rng, cases, events), *draw_safety(rng, cases, events)]
    tables = {
        "patients": patient_rows(cases),
        "lesions": [row for case in cases for row in _lesions(case)],
        "measurements": [row for case in cases for row in _measurements(case)],
        "assessments": [row for case in cases for row in _assessments(case)],
        "markers": sorted(markers, key=lambda row: (row["patient_id"], row["visit"])),
        "treatments": treatment_rows(rng, cases),
        "adverse_events": adverse_event_rows(cases, events),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        _write(folder / f"{name}.csv", COLUMNS[name].split(), rows)
    sums = [f"{hashlib.sha256((folder / f'{name}.csv').read_bytes()).hexdigest()}  {name}.csv\n" for name in tables]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")


def _write(path: Path, columns: list[str], rows: list[dict]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _lesions(case: Case) -> list[dict]:
    """Targets, then the lesion that appeared later, if any."""
    rows = [
        {"lesion_id": case.lesion_id(i), "patient_id": case.id, "site": site, "target": 1,
         "treated": int(i in case.seeds)}
        for i, site in enumerate(case.course.sites)
    ]  # fmt: skip
    if case.course.new_site:
        new = {"lesion_id": case.lesion_id(len(rows)), "patient_id": case.id, "site": case.course.new_site}
        rows.append({**new, "target": 0, "treated": 0})
    return rows


def _measurements(case: Case) -> list[dict]:
    """One row per scan and lesion; a vanished lesion is `absent` with diameters 0.0."""
    course, rows, new = case.course, [], iter(case.course.new_axes)
    for scan, (visit, day) in enumerate(zip(course.visits, course.days, strict=True)):
        found = list(zip(course.axes[scan], course.absent[scan], strict=True))
        if course.new_site and day >= case.patient.scan:
            found.append((next(new), False))
        for i, (axes, absent) in enumerate(found):
            at = {"lesion_id": case.lesion_id(i), "assessment_date": case.date(day), "visit": visit}
            rows.append(at | {"modality": course.modality[i]} | _measured(axes, bool(absent)))
    return rows


def _measured(axes, absent: bool) -> dict:
    status = "absent" if absent else "too_small" if axes[0] == TOO_SMALL else "measured"
    diameters = zip(("longest_mm", "short_mm", "third_mm"), axes, strict=True)
    return {
        **{name: f"{axis:.1f}" for name, axis in diameters},
        "too_small": int(status == "too_small"), "status": status,
    }  # fmt: skip


def _assessments(case: Case) -> list[dict]:
    """What the reader said at each scan; nothing at baseline."""
    course = case.course
    return [
        {"patient_id": case.id, "assessment_date": case.date(day), "visit": visit, "reader_response": reader,
         "new_lesion": int(bool(course.new_site) and day == case.patient.scan)}
        for visit, day, reader in zip(course.visits, course.days, course.reader, strict=True)
    ]  # fmt: skip


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    main(target)
    print(verify(target).to_string(index=False))
