"""Two output folders: which numbers moved and why, as text, tables and a page."""

__all__ = ["moved", "page", "tables"]
