"""Times and events in a table of patients: which columns they are, what their values mean, the endpoints they make."""

__all__ = ["event_codes", "outcome_names", "proposal_endpoints"]
