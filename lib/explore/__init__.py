"""The interactive page, made of the reports' parts: form, view, what a mark says, saving; and what serves it."""

__all__ = ["page", "serve"]
