"""Regression with covariates beyond the arms: nested models, curves, changes over time, interactions, what a model tells apart."""

__all__ = ["carried", "interaction", "nested", "odds", "optimism", "periods", "proportional", "ratios", "splines", "subdistribution"]
