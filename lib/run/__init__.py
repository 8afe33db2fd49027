"""One report: notebooks executed in clean kernels, into a folder that is replaced as a whole. And the folder of a study, from files (taking_in)."""

__all__ = [
    "admission",
    "clean",
    "engine",
    "execute",
    "kernel_server",
    "kernels",
    "manifest",
    "one_report",
    "sharing",
    "taking_in",
    "target",
]
