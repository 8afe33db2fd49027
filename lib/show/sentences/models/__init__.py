"""Sentences of the page on models."""

__all__ = ["fit", "next_trial", "others", "prior", "regression"]
