"""The numbers behind the three reports. Floors, lowest first; imports point down only (tests/test_floors.py).

1. study, yamlfile, parameters : what a study and a run are (study.yml -> frozen objects)
2. intake, schemas, rules, workbook, recist, dataset : files -> checked analysis frames
3. statistics : methods (survival, logrank, cox, proportions, ranks, ...) and clinical tasks
4. tables, figures : strings and pictures
5. report, published, results : header, sentences, recorded results, colophon

The command line (`python -m lib`) stands beside the floors.
"""
