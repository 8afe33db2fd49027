"""Regression with covariates beyond the arms: nested models, curves, changes over time, interactions, what a model tells apart."""

__all__ = ["interaction", "nested", "optimism", "periods", "proportional", "splines"]
