"""A command imports what it runs and nothing else: that is what makes it answer at once."""

import subprocess
import sys

import pytest

from lib.__main__ import COMMANDS, main
from lib.study.study import ROOT

HEAVY = {"pandas", "numpy", "scipy", "matplotlib", "lifelines", "statsmodels", "IPython", "nbformat", "nbclient", "nbconvert", "papermill", "zmq", "pydantic", "ruamel", "tornado"}
# What each command may import of them.
ALLOWED = {
    ("--help",): set(),
    ("check", "--study", "data/rair_dtc"): {"pandas", "numpy", "pydantic", "ruamel"},
    ("share", "--list"): {"pydantic", "ruamel"},
}


@pytest.mark.parametrize("words", ALLOWED, ids=" ".join)
def test_a_command_imports_what_it_runs_alone(words):
    code = f"import sys\nfrom lib.__main__ import main\ntry:\n    main({list(words)!r})\nfinally:\n    print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set(done.stdout.splitlines()[-1].split())
    assert found & HEAVY <= ALLOWED[words]
    if words == ("--help",):
        assert not any(name.startswith("lib.commands") for name in found)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says(name):
    assert COMMANDS[name][1] == main.get_command(None, name).get_short_help_str(200)
