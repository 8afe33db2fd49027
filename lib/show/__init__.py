"""Results -> what is seen. Nothing is computed here.

tables, plots and sentences have files of the same names and do not know each other; disclosure decides who may see what;
display is what a notebook cell can show; formats, labels and ways are how numbers and names are written.
"""

__all__ = ["disclosure", "display", "formats", "labels", "plots", "sentences", "tables"]
