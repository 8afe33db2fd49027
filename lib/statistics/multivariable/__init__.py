"""Regression with covariates beyond the arms."""

__all__ = ["imputation", "rubin"]
