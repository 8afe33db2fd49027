"""What a notebook says about itself: its page, what is recorded, methods, published claims, colophon.

A notebook begins with `page = report.start("efficacy", globals())`; everything else is a method of that page.
"""

from __future__ import annotations

__all__ = ["blocks", "given", "page", "published", "results", "start"]

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lib.report.page import Page


def start(notebook: str, names: dict[str, Any]) -> Page:
    """Begin a notebook's page: see `lib.report.page.start`."""
    from lib.report.page import start as start_page  # noqa: PLC0415  what reads results alone need not load every analysis

    return start_page(notebook, names)
