"""What remains of a comparison when other things are held alike, what was known before, and what the next trial needs."""

__all__ = ["covariates", "imputation", "verdicts"]
