"""Plots of the page on models."""

__all__: list[str] = ["immortal"]
