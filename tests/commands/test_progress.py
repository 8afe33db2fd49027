"""How far a report is: what the line says, how long it takes, and that it is a terminal's alone."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import demo_notebooks as demo
import pytest
from tqdm.utils import disp_len

from lib.commands import progress as module
from lib.commands.progress import PAGES, TABLES, Progress, followed, in_words
from lib.study.study import ROOT, read_study

EARLIER = {TABLES: [0, 10], "cohort": [10, 20, 40], "efficacy": [10, 30, 80], PAGES: [80, 100]}


@pytest.fixture
def run():
    """A run of two notebooks of two cells each, whose clock the test sets."""
    now = [0.0]

    def make(earlier=EARLIER, **options):
        progress = Progress({"cohort": 2, "efficacy": 2}, earlier, clock=lambda: now[0], **options)
        progress.at_time = lambda seconds: now.__setitem__(0, seconds)
        return progress

    return make


def test_the_line_names_each_notebook_its_section_and_the_time(run):
    progress = run()
    assert progress.line(200) == " 0%, about 2 min left | reading the tables"
    progress.at_time(10)
    progress("cohort", 1, 2, "Who?")
    progress("efficacy", 1, 2, "When?")
    assert progress.line(200) == " 0%, about 90 s left | cohort: Who? | efficacy: When?"
    progress.at_time(20)
    progress("cohort", 2, 2, "What?")
    assert progress.line(200) == "25%, about 80 s left | cohort: What? | efficacy: When?"
    progress.at_time(40)
    progress("cohort", 3, 2, "")
    assert progress.line(200) == "50%, about 2 min left | efficacy: When?", "70 s as it was, and this run is a third slower"
    progress("efficacy", 2, 2, "\x1b[31mHow?")
    progress.at_time(80)
    progress("efficacy", 3, 2, "")
    assert progress.line(200) == "99%, about 20 s left | writing the pages"
    progress.at_time(90)
    assert progress.line(200) == "99%, about 10 s left | writing the pages"
    progress.at_time(100)
    assert progress.end() == EARLIER | {"efficacy": [10, 40, 80]}


@pytest.mark.parametrize("pace", [0.25, 0.5, 1, 2, 5])
def test_a_slower_machine_takes_longer(run, pace):
    """The same course at another pace: from a fifth of it on, the end is told within a quarter of what is left."""
    progress = run()
    steps = sorted((begun, name, number) for name in ("cohort", "efficacy") for number, begun in enumerate(EARLIER[name], 1))
    for begun, name, number in steps:
        progress.at_time(begun * pace)
        progress(name, number, 2, "")
        if begun > 20:
            assert progress.left() == pytest.approx((100 - begun) * pace, rel=0.45)


@pytest.mark.parametrize(
    "earlier",
    [
        None,
        {},
        {TABLES: [0, 10], "cohort": [10, 20, 40], PAGES: [80, 100]},
        {TABLES: [0, 10], "cohort": [10], "efficacy": [10], PAGES: [100]},
    ],
)
def test_no_time_is_told_where_none_is_known(run, earlier):
    progress = run(earlier)
    progress("cohort", 1, 2, "Who?")
    progress("efficacy", 1, 2, "When?")
    assert progress.left() is None
    assert progress.line(200) == " 0% | cohort: Who? | efficacy: When?"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 110, 300])
@pytest.mark.parametrize("heading", ["Who?", "a long heading " * 9, "患者は誰ですか" * 9, "\x1b[2J\r\n\t", "", "é́́" * 40, "🙂" * 50])
def test_the_line_fits_any_terminal(run, width, heading):
    progress = run()
    progress("cohort", 1, 2, heading)
    progress("efficacy", 1, 2, heading)
    line = progress.line(width)
    assert disp_len(line) <= width - 1
    assert not re.search(r"[\x00-\x1f]", line)
    assert "about" in line or width == 20


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "about 5 s left"), (-3, "about 5 s left"), (11, "about 15 s left"), (90, "about 90 s left"), (100, "about 2 min left"), (3600, "about 60 min left")]
)
def test_a_time_is_told_no_more_exactly_than_it_is_known(seconds, said):
    assert in_words(seconds) == said


def test_elsewhere_each_notebook_that_is_done_has_a_line(run, capsys):
    progress = run()
    for name in ("efficacy", "cohort"):
        for number in (1, 2, 3):
            progress(name, number, 2, "Who?")
    progress.draw()
    progress.say("Warning: careful")
    progress.stop()
    assert capsys.readouterr().err == "efficacy: done, 1 of 2\ncohort: done, 2 of 2\nWarning: careful\n"


def test_a_program_that_waits_is_told_each_cell(run, capsys):
    progress = run(steps=True)
    for number in (1, 2, 3):
        progress("cohort", number, 2, "Who?")
    assert capsys.readouterr().err == "0/4 cohort: cell 1 of 2, Who?\n1/4 cohort: cell 2 of 2, Who?\n2/4 cohort: done\n"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMES", tmp_path / "var" / "times.json")
    return tmp_path / "var" / "times.json"


def _follow(tmp_path, how="html", fails=False, code=""):
    notebooks = demo.write(tmp_path, cohort=code)
    with followed(read_study(ROOT / "data" / "colon"), {"cohort": notebooks / "cohort.ipynb"}, how, steps=False) as progress:
        found = progress.earlier
        for number in range(1, 8):
            progress("cohort", number, 6, "Who?")
        if fails:
            raise ValueError
    return found


def test_a_run_is_kept_for_the_next_like_it(tmp_path, kept, monkeypatch):
    assert _follow(tmp_path) is None
    assert len(_follow(tmp_path)["cohort"]) == 7
    assert _follow(tmp_path, how="pdf") is None
    assert _follow(tmp_path, code="2") is None
    assert len(_follow(tmp_path)["cohort"]) == 7
    monkeypatch.setattr(module, "RUNS", 2)
    _follow(tmp_path, how="docx")
    assert len(json.loads(kept.read_text())) == 2
    assert _follow(tmp_path, how="pdf") is None


def test_a_run_that_failed_is_not_kept(tmp_path, kept):
    with pytest.raises(ValueError):
        _follow(tmp_path, fails=True)
    assert not kept.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", '{"a": 1}', '{"a": {}}', '{"a": {"writing the pages": "x"}}', '{"a": {"writing the pages": [null]}}', "[" * 9000])
def test_a_file_of_times_that_is_none_tells_nothing(tmp_path, kept, text):
    kept.parent.mkdir()
    kept.write_text(text)
    assert _follow(tmp_path) is None
    assert len(_follow(tmp_path)["cohort"]) == 7


def test_where_nothing_can_be_kept_nothing_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(module, "TIMES", tmp_path / "file" / "times.json")
    assert _follow(tmp_path) is None


pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")


def _at_a_terminal(tmp_path, code, *, stop_at=None):
    """Run the command at a terminal of 70 columns: what it wrote there, and its exit code; ^C when a text is seen."""
    import fcntl  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
    notebooks = demo.write(tmp_path, cohort=code)
    words = ["--study", "data/colon", "--notebooks", "cohort", "--notebook-folder", notebooks, "--output", tmp_path / "out"]
    line = [sys.executable, "-m", "lib", "report", *map(str, words)]
    running = subprocess.Popen(line, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said, until = "", time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if select.select([ours], [], [], 0.2)[0]:
                said += os.read(ours, 65536).decode("utf-8", "replace")
        except OSError:  # the terminal is closed: nobody writes to it any more
            break
        if stop_at and stop_at in said:
            running.send_signal(signal.SIGINT)
            stop_at = None
    os.close(ours)
    return said, running.wait(10)


def _screen(said: str) -> list[str]:
    """What stands on a terminal after all of it was written."""
    lines, column = [""], 0
    for sign in re.sub(r"\x1b\[\d*m", "", said):
        if sign == "\r":
            column = 0
        elif sign == "\n":
            lines.append("")
        else:
            lines[-1] = lines[-1][:column].ljust(column) + sign + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


@pytest.mark.notebook
def test_at_a_terminal_one_line_rewrites_itself_and_is_gone(tmp_path):
    said, code = _at_a_terminal(tmp_path, "import time, warnings; time.sleep(1.2); warnings.warn('careful')")
    assert code == 0, said
    lines = said.split("\r")
    assert re.match(r" 0%(, about \d+ s left)? \| reading the tables", lines[1]), "an earlier test may have left its time"
    assert any("| cohort: A question" in line for line in lines)
    assert any("| writing the pages" in line for line in lines)
    warned, *_, page, end = _screen(said)
    assert "careful" in "".join(_screen(said)) and warned.startswith("Warning: cohort.ipynb, cell 5")
    assert (page.endswith("out/index.html"), end) == (True, "")
    assert not any("%" in line or "|" in line for line in _screen(said))


@pytest.mark.notebook
def test_ctrl_c_leaves_a_clean_terminal(tmp_path):
    said, code = _at_a_terminal(tmp_path, "import time; time.sleep(100)", stop_at="A question")
    assert code == 130
    assert _screen(said) == ["Error: stopped; an earlier report is as it was.", ""]
    assert not (tmp_path / "out").exists()
