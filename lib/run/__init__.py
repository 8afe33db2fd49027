"""One report: notebooks executed in clean kernels, into a folder that is replaced as a whole."""

__all__ = ["admission", "clean", "engine", "execute", "kernel_server", "kernels", "manifest", "one_report", "sharing", "target"]
