"""Clinical tasks, divided as the notebooks are: what a report shows, as `result.Analysis`, unrounded.

Statistics are computed by lib.statistics; nothing is formatted, drawn or put into words here.
"""

__all__ = ["catalogue", "cohort", "efficacy", "models", "outlook", "outputs", "policy", "result", "robustness", "safety", "verdicts"]
