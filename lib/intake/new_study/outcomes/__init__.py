"""Times and events in a table of patients: which columns they are, what their values mean, the endpoints they make."""

__all__ = ["event_codes", "event_dates", "outcome_dates", "outcome_names", "proposal_endpoints", "written_times"]
