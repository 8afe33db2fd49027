"""Data sets of CDISC, ADaM and SDTM, recognised by their variables -> tables of the data model."""

__all__ = ["datasets", "translation"]
