"""Sentences of the page on models."""

__all__ = ["next_trial", "others"]
