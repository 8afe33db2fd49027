"""In which language a page speaks: a catalogue for each (`<code>.po`, gettext), and how messages are taken from it."""

__all__ = ["speech"]
