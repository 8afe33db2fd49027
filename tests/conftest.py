"""What several test files share and what is slow to make: a browser, and the reports of both studies; in which order they run."""

import gc
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from lib.dataset import dataset
from lib.languages import speech
from lib.study.study import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)

# The same inputs are drawn in every run and on every machine; `make fuzz` draws others.
settings.load_profile("default" if os.environ.get("FUZZ") else "ci")


# Kept beside the sources even where the machine's setting is not to: each process that a test starts would compile lib anew,
# which takes twice as long as all that `python -m lib --help` does.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SLOW = {"notebook", "browser", "thorough"}
# Tests for which `make quick` has no patience: with all their cases they took longer than this when `make slow` ran last.
SLOW_TESTS, PATIENCE_SECONDS = Path(__file__).with_name("slow.txt"), 0.6
_seconds: Counter[str] = Counter()


def _once(read):
    """Studies that the repository ships, which most tests look at, are read once in a process for all who load them."""
    found = {}

    def read_once(study):
        if not study.folder.resolve().is_relative_to(ROOT / "data"):
            return read(study)
        files = [path for path in study.folder.iterdir() if path.is_file()]
        state = frozenset((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
        if state not in found:
            found[state] = read(study)
        frames = {name: frame.copy() for name, frame in found[state].frames.items()}
        return replace(found[state], frames=frames, queries=found[state].queries.copy())

    return read_once


dataset.read_tables = _once(dataset.read_tables)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Slow tests are thorough ones.

    On several workers the files with most of them begin: one that begins last holds one worker while the others wait.
    """
    measured = set(SLOW_TESTS.read_text(encoding="utf-8").split())
    for item in items:
        if _without_case(item.nodeid) in measured:
            item.add_marker(pytest.mark.thorough)
    if hasattr(config, "workerinput"):
        slow = Counter(item.path for item in items if SLOW & {mark.name for mark in item.iter_markers()})
        items.sort(key=lambda item: -slow[item.path])


def _without_case(test: str) -> str:
    return test.partition("[")[0]


def pytest_runtest_logreport(report):
    """Add up how long each test takes, with all its cases."""
    _seconds[_without_case(report.nodeid)] += report.duration


def pytest_sessionfinish(session):
    """List the slow tests of a run that measures them."""
    if os.environ.get("MEASURE_SLOW") and not hasattr(session.config, "workerinput"):
        slow = sorted(test for test, seconds in _seconds.items() if seconds > PATIENCE_SECONDS)
        SLOW_TESTS.write_text("".join(f"{test}\n" for test in slow), encoding="utf-8")


def pytest_collection_finish():
    """Set what was imported aside: walking through it again and again, the collector takes a tenth of the time of all tests."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def shared_register(tmp_path_factory):
    """What tests share is no part of what the user shared."""
    os.environ["COHORT_REPORT_SHARED"] = str(tmp_path_factory.mktemp("register"))


@pytest.fixture(scope="session", autouse=True)
def nothing_kept():
    """What tests compute is computed."""
    os.environ["COHORT_REPORT_KEPT"] = ""


@pytest.fixture(autouse=True)
def nothing_shared(tmp_path, monkeypatch):
    """Each test begins where nothing was shared."""
    monkeypatch.setenv("COHORT_REPORT_SHARED", str(tmp_path / ".shared"))


@pytest.fixture(autouse=True)
def english():
    """Each test begins in English, whatever the one before has made a page in."""
    speech.use("")


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium. Without one the test is skipped, except under CI, where that is a failure.

    One per file: while it runs, so does its event loop, in which no other file could start one.
    """
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on this machine, and under CI the pages have to be seen in one")
        pytest.skip("no Chromium on this machine: the pages were not looked at in a browser")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        with playwright.chromium.launch(executable_path=CHROMIUM, args=quiet) as chromium:
            yield chromium


def _harmless(request) -> bool:
    """Another page of the report, or something the page brings along itself."""
    return request.url.startswith("data:") or (request.url.startswith("file:") and request.is_navigation_request())


@pytest.fixture
def visit_file(browser):
    """Open a page offline; afterwards nothing may have been requested but pages, and nothing logged."""
    seen, contexts = [], []

    def open_page(path: Path, **options):
        context = browser.new_context(offline=True, **({"viewport": {"width": 1366, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: None if _harmless(request) else seen.append(request.url))
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.goto(path.as_uri())
        return page

    open_page.seen = seen
    yield open_page
    for context in contexts:
        context.close()
    assert seen == []


@pytest.fixture(scope="session")
def make_report(tmp_path_factory):
    """Make the reports of a study as a user does, in a copy of this repository; return the output folder."""

    def make(study: str, where: str, *words: str, environment: dict | None = None) -> Path:
        root = _copied(tmp_path_factory.getbasetemp() / where)
        line = [sys.executable, "-m", "lib", "report", "--study", f"data/{study}", *words]
        variables = os.environ | {"PYTHONPATH": str(root), "GIT_OPTIONAL_LOCKS": "0"} | (environment or {})
        done = subprocess.run(line, cwd=root, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return root / "outputs" / study / "default"

    return make


def _copied(root: Path) -> Path:
    """Copy the repository; the copy knows the same commit and the same changes."""
    if not root.exists():
        ignored = shutil.ignore_patterns(".*", "outputs")
        shutil.copytree(ROOT, root, ignore=ignored)
        found = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--absolute-git-dir"], capture_output=True, text=True, check=False
        )
        if found.returncode == 0:
            (root / ".git").write_text(f"gitdir: {found.stdout}")
            shutil.copy(ROOT / ".gitignore", root)
    return root


@pytest.fixture(scope="session")
def real_reports(make_report) -> dict[str, Path]:
    """Output folders of both studies."""
    return {study: make_report(study, "repository") for study in ("rair_dtc", "colon")}
