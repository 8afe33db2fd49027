"""In which language a page speaks: a catalogue for each (`<code>.po`, gettext), how messages are taken from it, and how from the code into it."""

__all__ = ["extraction", "notes", "prose", "speech"]
