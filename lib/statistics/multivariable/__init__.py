"""Regression with covariates beyond the arms: nested models, curves, changes over time, interactions, what a model tells apart."""

__all__ = ["carried", "imputation", "interaction", "nested", "odds", "optimism", "periods", "proportional", "ratios", "rubin", "splines", "subdistribution"]
