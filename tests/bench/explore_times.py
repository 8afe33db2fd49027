"""How long the interactive page takes: CPU seconds of what it does at each change, and seconds as a visitor waits for them.

    python tests/bench/explore_times.py STUDY            JSON: what was asked -> CPU seconds, without a server
    python tests/bench/explore_times.py --visit          JSON: what was asked -> seconds, of the first study through a real server

CPU seconds do not depend on what else the machine does.
"""

import asyncio
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from servers import serve
from visitors import Visitor

from lib.explore import page as explore_page

FIRST, OPENED, CHANGED = "first picture", "tab opened", "control changed"


async def work(study: str) -> dict[str, dict[str, float]]:
    """CPU seconds: the first picture, each tab opened for the first time, each control changed once in each tab."""
    began = time.process_time()
    page = explore_page.Explorer(study)
    found = {FIRST: {"": time.process_time() - began}, OPENED: {}, CHANGED: {}}

    async def timed(do: Callable[[], None]) -> float:
        began = time.process_time()
        do()
        while page.view.busy:
            await asyncio.sleep(0.01)
        return time.process_time() - began

    for tab, name in enumerate(explore_page.TABS):
        if tab:
            found[OPENED][name] = await timed(lambda tab=tab: setattr(page.view, "tab", tab))
    for tab, name in enumerate(explore_page.TABS):
        await timed(lambda tab=tab: setattr(page.view, "tab", tab))
        for control, value in _changes(page.form):
            usual = control.value
            found[CHANGED][f"{name}: {control.description}"] = await timed(lambda control=control, value=value: setattr(control, "value", value))
            await timed(lambda control=control, usual=usual: setattr(control, "value", usual))
    return found


def _changes(form) -> list[tuple]:
    """Each control that the study has, and another value."""
    own = [part for box in form._own.children for part in (box, *getattr(box, "children", ()))]
    changes = {
        form._endpoint: _other, form._reference: _other, form._population: _other, form._subgroup: _other, form._scepticism: _other,
        list(form._arms.values())[-1]: lambda _: False, form._landmarks: lambda _: "7, 13",
        form._cutoff: lambda control: control.value - dt.timedelta(days=100),
    }  # fmt: skip
    return [(control, other(control)) for control, other in changes.items() if control in own] + [(one, _other(one)) for one in (form._level, form._audience)]


def _other(control) -> object:
    return next(value for _, value in control.options if value != control.value)


async def visit(address: str) -> dict[str, dict[str, float]]:
    """Seconds that a visitor waits for the page, for a tab, and for another endpoint."""
    visitor = Visitor(address)
    await visitor.see()  # whoever comes first waits for imports
    visitor.leave()
    visitor = Visitor(address)
    found = {FIRST: {"": await visitor.see()}}
    view = next(key for key, state in visitor.models.items() if "tabs" in state)
    began = time.monotonic()
    await visitor.say("comm_msg", {"comm_id": view, "data": {"method": "update", "state": {"tab": 4}, "buffer_paths": []}})
    await visitor.until(lambda said: said["content"].get("data", {}).get("state", {}).get("blocks"))
    found[OPENED] = {"Prior knowledge": time.monotonic() - began}
    found[CHANGED] = {"Prior knowledge: Endpoint": await visitor.choose(1)}
    visitor.leave()
    return found


def main(study: str) -> None:
    """Print what was found."""
    if study == "--visit":
        with tempfile.TemporaryDirectory() as folder, serve("explore", Path(folder)) as server:
            found = asyncio.run(visit(server.address))
    else:
        found = asyncio.run(work(study))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
