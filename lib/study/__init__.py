"""What a study and a run are: study.yml and parameters as frozen objects, limits, where a report comes from, how files are written.

The ground floor, which everything else stands on. YAML is read here alone; no table of patients is known here.
"""

__all__ = [
    "claims",
    "clinic",
    "design",
    "endpoints",
    "inference",
    "limits",
    "noting",
    "parameters",
    "parts",
    "provenance",
    "questions",
    "study",
    "words",
    "written",
    "yaml_file",
]
