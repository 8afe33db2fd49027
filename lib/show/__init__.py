"""Results -> what is seen. Nothing is computed here.

table, plot and say list what a page can show; how it is made stands in tables, plots and sentences.

tables, plots and sentences have files of the same names and do not know each other; disclosure decides who may see what;
display is what a notebook cell can show; formats, labels and ways are how numbers and names are written; plain is what the
page for patients is told.
"""

__all__ = ["disclosure", "display", "formats", "labels", "phrases", "plain", "plot", "plots", "say", "sentences", "styles", "table", "tables"]
