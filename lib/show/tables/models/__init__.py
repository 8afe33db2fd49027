"""Tables of the page on models."""

__all__ = ["imputation"]
