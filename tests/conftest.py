"""What tests of several files need: the browser.

It is Debian's Chromium. Without one the tests that need it are skipped, except under CI, where that is a failure.
"""

import os
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on this machine, and under CI the pages have to be seen in one")
        pytest.skip("no Chromium on this machine: the pages were not looked at in a browser")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        with playwright.chromium.launch(executable_path=CHROMIUM, args=quiet) as chromium:
            yield chromium
