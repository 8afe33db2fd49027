"""Imported by the process that kernels of the page for a ward are forked from: the first picture has been drawn once.

A kernel looks at the files as they are by then, and finds made what holds still: the picture, fonts, templates.
"""

from __future__ import annotations

__all__: list[str] = []

from lib.explore.page import warm
from lib.study.parameters import Parameters

warm(Parameters().study)
