"""What remains of a comparison when other things are held alike, what was known before, and what the next trial needs."""

__all__ = ["best_response", "covariates", "fit", "fit_terms", "immortal", "next_trial", "others", "prior", "prior_response", "regression", "response_regression", "same_question", "terms", "verdicts"]
