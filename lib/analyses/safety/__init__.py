"""What the treatment costs: adverse events, their timing, laboratory values, single patients."""

__all__ = ["events", "events_in_time", "laboratory", "profiles"]
