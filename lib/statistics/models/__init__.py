"""Regression: Cox and Firth with their design and likelihood, mixed models by REML, a line per patient, what shares a patient."""

__all__ = ["clustered", "cox", "firth", "mixed", "slopes"]
