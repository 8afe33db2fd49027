"""How sure that is: other tests and definitions, confounding, subgroups, multiplicity."""

__all__ = ["confounding", "criteria", "definitions", "multiplicity", "robustness", "subgroups"]
