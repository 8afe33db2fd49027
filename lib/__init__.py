"""The numbers behind the reports, in rooms; imports point down only (the contracts in pyproject.toml, `make lint`).

commands     the command line
explore      the interactive page
batch        many reports             compare   two reports
run          one report: notebooks executed, a folder replaced
publish      executed notebooks -> pages, Word, PDF
report       what a notebook says about itself, and records
show         results -> table, plot, say: what a page can show, a line each; how it is made: tables, plots,
             sentences; disclosure: who may see what
kept         what was computed once, found again
analyse      what a page can ask, a line each; how it is done: analyses (cohort, efficacy, robustness, models, outlook, safety)
dataset      the analysis set in force
statistics   estimators and tests     intake    files -> checked tables
study        study.yml, parameters, limits
noting       what a computation reads, for kept
fonts        what draws a text, in any script                    languages    what is said, in which language

What to ask of a line to find its room: does it read a file, compute a number, or show one? Of which subject? Who may
see it? A room's `__init__` lists the modules that others may use; the rest is its own.
"""

import sys

# jsonschema, which checks notebooks, would take a second and a half to build a grammar for internationalised
# addresses, which no notebook holds; where this module cannot be imported it does without.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
