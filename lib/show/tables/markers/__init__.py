"""Tables of markers: levels, changes and models of them; how fast they move."""

__all__ = ["change", "kinetics"]
