"""Regression: Cox and Firth with their design and likelihood, mixed models by REML, a line per patient, analysis of covariance, what shares a patient."""

__all__ = ["ancova", "clustered", "concordance", "cox", "design", "firth", "logistic", "mixed", "partial_likelihood", "slopes"]
