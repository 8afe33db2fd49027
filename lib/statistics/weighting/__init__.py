"""Overlap weights: why patients got their treatment, and means and curves that make allowance for it."""

__all__ = ["propensity", "weighted_rmst"]
