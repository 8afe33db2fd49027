"""The parts of a study that tell what was measured and given: tumours, markers, treatment, adverse events."""

from __future__ import annotations

__all__ = [
    "CRITERIA",
    "FATAL_GRADE",
    "REGIONS",
    "AdverseEvents",
    "Component",
    "Disposition",
    "Interference",
    "Kinetics",
    "Liver",
    "Marker",
    "Population",
    "Reference",
    "Response",
    "Rise",
    "RiskWindow",
    "Site",
    "Surrogate",
    "Treatments",
    "Visits",
]

from lib.study.clinic.harms import FATAL_GRADE, AdverseEvents, RiskWindow
from lib.study.clinic.markers import Interference, Kinetics, Liver, Marker, Reference, Rise, Surrogate
from lib.study.clinic.treatment import Component, Disposition, Population, Treatments
from lib.study.clinic.tumour import CRITERIA, REGIONS, Response, Site, Visits
