"""One report: notebooks executed in clean kernels, into a folder that is replaced as a whole. And the folder of a study, from files (taking_in)."""

__all__ = ["admission", "engine", "execute", "kernels", "one_report", "taking_in", "target"]
