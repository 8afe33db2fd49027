"""What a terminal shows of many problems: the first of each kind, and how many more there are in which rows."""

from lib.commands.terminal import say_problems
from lib.study.yaml_file import Problem


def test_each_kind_is_shown_by_its_first_rows_and_counted(capsys):
    many = [Problem("E012", "not an arm", "patients.csv", row, "arm") for row in range(2, 40)]
    say_problems([*many, Problem("E014", "too old", "patients.csv", 5, "age")])
    said = capsys.readouterr().err
    assert said.count("not an arm") == 3
    assert "and 35 more of this kind (rows 5, 6" in said
    assert "too old" in said
