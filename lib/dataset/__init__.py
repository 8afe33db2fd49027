"""The analysis set in force and what is derived of it: patients, times, visits, course of the tumour."""

__all__ = ["course", "cutoff", "dataset", "derived", "lesions", "markers", "progression", "timing"]
