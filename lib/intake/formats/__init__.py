"""One module per kind of file; each opens it as sheets of text (lib/intake/cells.py), and knows nothing of studies.

`readers` is the way in: the table of extensions, what a file looks like, limits. archive: the files of a folder or a .zip;
redcap: an export of REDCap -> a sheet per instrument and event.
"""

__all__ = ["archive", "readers", "redcap"]
