"""What was known before and what others found, and what both leave to the next trial."""

__all__ = ["best_response", "next_trial", "others", "prior", "prior_response"]
