"""Regression: Cox and Firth with their design and likelihood, mixed models by REML."""

__all__ = ["cox", "firth", "mixed"]
