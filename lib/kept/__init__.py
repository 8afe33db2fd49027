"""What was computed once: results, kept by all that they were made from, in a folder that may be deleted at any time.

A report is the same with and without it.
"""

__all__ = ["results", "store"]
