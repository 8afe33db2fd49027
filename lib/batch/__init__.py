"""Many reports: the plan, where its files lie, the workers, the index."""

__all__ = ["index", "places", "plan", "workers"]
