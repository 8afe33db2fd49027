"""What must hold between the rows of tables: patients, tumour, progression, clinic. One function a rule, each with its code."""

__all__ = ["clinic", "patients", "progression", "tumour"]
