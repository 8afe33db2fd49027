"""Who may see what: which outputs leave the hospital, which counts are hidden so that no other gives them away."""

__all__ = ["audience", "counts", "jointly", "register", "rounding"]
