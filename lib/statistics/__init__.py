"""Estimators and tests: frames in, unrounded frames out. Nothing here knows a study, a file or a page.

Engines of others (scipy, statsmodels, lifelines) are imported here alone. In this folder: proportions, ranks, rates,
balance, planning, pooling, and which arms are compared; in the others: survival, models, multivariable, bayes, weighting, second_engine.
"""

__all__ = [
    "balance",
    "bayes",
    "comparisons",
    "models",
    "multivariable",
    "planning",
    "pooling",
    "proportions",
    "ranks",
    "rates",
    "second_engine",
    "survival",
    "weighting",
]
