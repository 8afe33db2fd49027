"""The numbers behind the three reports. Floors, lowest first; imports point down only (tests/test_floors.py).

1. yamlfile, study*, parameters : what a study and a run are (study.yml -> frozen objects)
2. cells, parquet, workbook, columns, schemas, personal, evidence, rules*, intake : files -> checked tables
   recist, dataset, derivation : checked tables -> the analysis set in force
3. survival, logrank, cox, proportions, ranks, mixed, ... : statistical methods
   time_to_event, response, longitudinal, safety, baseline : what a report shows, as `analysis.Analysis`
4. formats, labels, display, tables*, figures* : strings and pictures, which compute nothing
5. narrative, results, published, report : sentences, recorded results, header and colophon
   explore, explore_form, explore_view, explore_queries, saving : the interactive page (what its figures say: closer,
   on floor 4)

Beside the floors stands the command line (`python -m lib`): making, run, engine, kernel*, target, publish, pages,
terminal; many reports: plan, places, batch*; two of them: compare*; what a report is on paper: blocks, markup,
document, paper, word*, typeset, editions; who opens the notebooks: serve*, ward. A new study is proposed on floor 2:
tidying, recognition, guesses, proposal*, newstudy, template_workbook.
"""

import sys

# jsonschema, which checks notebooks, would take a second and a half to build a grammar for internationalised
# addresses, which no notebook holds; where this module cannot be imported it does without.
sys.modules.setdefault("rfc3987_syntax", None)
