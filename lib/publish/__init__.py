"""Executed notebooks -> a folder to read: pages, index, results.csv. paper: the same for Word, PDF, journals."""

__all__ = ["editions", "folder", "pages"]
