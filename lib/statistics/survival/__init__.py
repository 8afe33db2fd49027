"""Time to an event without covariates: the event table, and all that is read off it."""

__all__ = [
    "clustered",
    "competing",
    "event_table",
    "interval_censored",
    "kaplan_meier",
    "landmark",
    "logrank",
    "rmst",
    "sensitivity",
    "time_dependent",
]
