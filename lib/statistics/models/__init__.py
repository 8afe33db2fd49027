"""Regression: Cox and Firth with their design and likelihood, mixed models by REML, a line per patient."""

__all__ = ["cox", "firth", "mixed", "slopes"]
