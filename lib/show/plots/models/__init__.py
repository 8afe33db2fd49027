"""Plots of the page on models."""

__all__ = ["fit", "immortal", "imputation", "next_trial", "others", "prior", "regression"]
