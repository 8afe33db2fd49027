"""The command line, one file a command, and what they all do at a terminal."""

__all__ = ["batch", "check", "compare", "explore", "making", "new_study", "progress", "report", "request", "share", "terminal"]
