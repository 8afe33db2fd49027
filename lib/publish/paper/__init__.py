"""What a report is on paper: its blocks, their layout, Word by python-docx, PDF by Typst."""

__all__ = ["document", "typeset", "word"]
