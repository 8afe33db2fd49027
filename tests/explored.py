"""The interactive page without a browser, as its tests see it."""

import json

from lib.explore import page as explore_page

TABS = list(explore_page.TABS)


def shown(page) -> str:
    """Everything that is sent to the reader's side."""
    return json.dumps([page.view.blocks, page.view.profile, page.view.problems])


def look_at(page, tab: str) -> list[dict]:
    """What one tab shows."""
    page.view.tab = TABS.index(tab)
    assert page.view.problems == []
    return page.view.blocks
