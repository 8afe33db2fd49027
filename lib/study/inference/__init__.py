"""What is concluded from: the models of an endpoint, a strategy that takes time to begin, what others found and what would be worthwhile."""

__all__ = ["evidence", "models", "named", "strategy"]
