"""What must hold between the rows of tables: patients, tumour, clinic. One function a rule, each with its code."""

__all__ = ["clinic", "patients", "tumour"]
