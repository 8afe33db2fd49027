"""Who was in the study and how it was run: flow, Table 1, follow-up, exposure, attendance, checklists."""

__all__ = ["baseline", "checklist", "conduct", "flow", "populations"]
