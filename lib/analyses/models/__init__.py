"""What remains of a comparison when other things are held alike: regressions, whether they fit, what is missing, whose days are immortal."""

__all__ = ["covariates", "fit", "fit_terms", "immortal", "imputation", "regression", "response_regression", "same_question", "terms"]
