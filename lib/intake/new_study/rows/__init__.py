"""Which row belongs to which patient, in one sheet and in several."""

__all__ = ["joining", "structures"]
