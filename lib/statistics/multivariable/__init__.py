"""Regression with covariates beyond the arms."""

__all__ = ["carried", "odds", "ratios", "subdistribution"]
