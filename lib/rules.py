"""Every rule between cells and tables, in the order in which the findings are listed.

A rule looks at the evidence and returns its problems; a rule whose tables or columns a study lacks is skipped.
"""

from __future__ import annotations

__all__ = ["RULES", "check_rules"]

from lib import rules_clinic, rules_patients, rules_tumour
from lib.evidence import Evidence, Rule
from lib.yamlfile import Problem

RULES: tuple[Rule, ...] = (*rules_patients.RULES, *rules_tumour.RULES, *rules_clinic.RULES)


def check_rules(evidence: Evidence) -> list[Problem]:
    """Apply every rule that the tables allow.

    Parameters
    ----------
    evidence : lib.evidence.Evidence

    Returns
    -------
    list of Problem
    """
    return [problem for rule in RULES if evidence.holds(*rule.needs) for problem in rule(evidence)]
