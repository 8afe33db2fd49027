"""Plots of the page on models."""

__all__ = ["fit", "immortal", "next_trial", "others", "prior", "regression"]
