"""Regression: Cox and Firth with their design and likelihood, mixed models by REML, analysis of covariance."""

__all__ = ["ancova", "cox", "firth", "mixed"]
