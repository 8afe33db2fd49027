"""One report: notebooks executed in clean kernels, into a folder that is replaced as a whole."""

__all__ = ["admission", "engine", "execute", "kernels", "manifest", "one_report", "target"]
