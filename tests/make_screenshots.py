"""Take the pictures of the README's tutorial from the real thing: the page served, a browser, a choice.

    python tests/make_screenshots.py            # writes docs/images/*.png

`picture(page, name)` is the hook: a tutorial adds its steps to STEPS.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from conftest import CHROMIUM
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from servers import TOKEN, serve

from lib.study.study import ROOT

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1366, "height": 880}


def explore_first(page: Page) -> None:
    """The page as it opens."""
    page.mouse.move(0, 0)


def explore_closer(page: Page) -> None:
    """A patient's bar, and the profile beside it."""
    page.get_by_role("tab", name="Each patient").click()
    bar = page.locator("[id^='waterfall-']").nth(8)
    bar.wait_for()
    page.wait_for_selector(".cohort-results[aria-busy=false]")
    bar.click(force=True)
    page.wait_for_selector(".profile svg")


STEPS: tuple[Callable[[Page], None], ...] = (explore_first, explore_closer)


def report_overview(page: Page, folder: Path) -> None:
    """The overview of a report, made for the picture."""
    words = ["report", "--study", "data/rair_dtc", "--output", str(folder / "report")]
    subprocess.run([sys.executable, "-m", "lib", *words], cwd=ROOT, check=True)
    page.goto((folder / "report" / "index.html").as_uri())


def picture(page: Page, name: str) -> Path:
    """Save what the page shows as docs/images/NAME.png; fewer colours would make arms alike."""
    IMAGES.mkdir(exist_ok=True)
    path = IMAGES / f"{name}.png"
    page.wait_for_timeout(500)
    page.screenshot(path=path)
    with Image.open(path) as taken:
        taken.convert("RGB").save(path, optimize=True)
    return path


def main() -> None:
    """Serve the page, go through the steps, take a picture after each."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve("explore", Path(folder)) as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as chromium,
    ):
        page = chromium.new_page(viewport=SIZE)
        page.set_default_timeout(120_000)
        page.goto(f"{server.address}/?token={TOKEN}")
        page.wait_for_selector(".cohort-results svg[role=img]")
        for step in STEPS:
            step(page)
            path = picture(page, step.__name__)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
        report_overview(page, Path(folder))
        picture(page, report_overview.__name__)


if __name__ == "__main__":
    main()
