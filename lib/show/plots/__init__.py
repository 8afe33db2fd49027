"""Results -> pictures: SVG with text as text, in the arms' colours, line styles and markers."""

from lib.show.plots import cohort, course, effects, laboratory, markers, models, response, robustness, safety, survival

__all__ = ["cohort", "course", "effects", "laboratory", "markers", "models", "response", "robustness", "safety", "survival"]
