"""Weights: why patients got their treatment or left a strategy, and means and curves that make allowance for it."""

__all__ = ["cloning", "propensity", "strategies", "weighted_rmst", "weighted_steps"]
