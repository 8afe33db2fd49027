"""Files -> checked tables: formats, columns, schemas, evidence for every finding. Tables of patients are read here alone.

`tables` is the way in. rules: what must hold between rows; new_study: any clinic's file -> a proposed study.
"""

__all__ = ["handover", "new_study", "recist", "tables"]
