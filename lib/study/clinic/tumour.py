"""What was measured of tumours: visits, sites, and the rule of response."""

from __future__ import annotations

__all__ = ["CRITERIA", "REGIONS", "Response", "Site", "Visits"]

from typing import Annotated, Literal, get_args

from pydantic import Field

from lib.languages.speech import N_
from lib.study.parts import MOST_WINDOW_DAYS, Code, Days, Frozen, Level, Text, Told
from lib.study.words import DateColumn

Region = Literal["local", "regional", "distant"]
REGIONS: tuple[Region, ...] = get_args(Region)

WindowDays = Annotated[int, Field(ge=-MOST_WINDOW_DAYS, le=MOST_WINDOW_DAYS)]


class Visits(Frozen):
    """The assessment schedule, in the study's time unit, and the window around a visit."""

    schedule: tuple[float, ...]
    window_days: tuple[WindowDays, WindowDays] = (-14, 14)


class Site(Level):
    """A site of lesions; `region`: where it lies as seen from the disease that local therapy treats."""

    region: Region | None = None
# Criteria by which the same measurements can be read once more -> what a page calls them; "" is the rule of study.yml.
CRITERIA = {"recist": "RECIST 1.1", "volumetric": "Volumetric criteria", "mrecist": "mRECIST"}


class Response(Frozen):
    """The response rule: thresholds of a RECIST-like rule on what is measured of the target lesions."""

    visits: tuple[float, ...]
    rule: Text = "RECIST 1.1"
    # What is added up: diameters, volumes, or the diameters of what still takes up contrast (`viable_mm`).
    measure: Literal["diameter", "volume", "viable"] = "diameter"
    # Whether a target that was treated locally counts; RECIST 1.1 calls it measurable only after it progressed.
    treated_lesions: Literal["count", "leave_out"] = "count"
    node_sites: tuple[Code, ...] = ()
    node_min_short_mm: float = 15
    node_normal_short_mm: float = 10
    progression_ratio: float = Field(1.2, gt=1)
    progression_mm: float = Field(5, ge=0)
    partial_ratio: float = Field(0.7, gt=0, lt=1)
    too_small_mm: float = Field(5, gt=0)
    # Least days from a response to its confirmation; without it no response is called confirmed.
    confirmation_days: Annotated[Days, Field(ge=1)] | None = None
    # Least days from time zero at which stable disease can be somebody's best response.
    stable_days: Days = 0
    # Least days from time zero for which stable disease is a benefit: 24 weeks, as trials have it.
    benefit_days: Annotated[Days, Field(ge=1)] = 168
    max_targets: int = 5
    max_targets_per_site: int = 2
    progression_column: DateColumn | None = None
    caveat: Told = ""

    def by(self, criteria: str) -> Response:
        """The rule with the thresholds of other criteria, a key of `CRITERIA`; itself for "".

        References
        ----------
        RECIST 1.1: Eisenhauer EA et al. Eur J Cancer 2009;45:228-247. mRECIST: Lencioni R, Llovet JM. Semin Liver Dis
        2010;30:52-60. Volumetric: the volumes of balls whose diameters are at the thresholds of this rule.
        """
        named = CRITERIA.get(criteria, self.rule)
        if criteria == "volumetric" and self.measure != "volume":
            cubes = {name: round(getattr(self, name) ** 3, 6) for name in ("partial_ratio", "progression_ratio")}
            return self.model_copy(update=cubes | {"rule": named, "measure": "volume", "progression_mm": 0})
        published = {"partial_ratio": 0.7, "progression_ratio": 1.2, "node_min_short_mm": 15, "node_normal_short_mm": 10}
        if criteria == "recist":
            own = {"measure": "diameter", "progression_mm": 5, "treated_lesions": "leave_out"}
        elif criteria == "mrecist":
            own = {"measure": "viable", "progression_mm": 0, "treated_lesions": "count"}
        else:
            return self
        return self.model_copy(update=published | own | {"rule": named, "caveat": ""})

    @property
    def measured(self) -> str:
        """What is added up, in words."""
        return {"diameter": N_("sum of diameters"), "volume": N_("total volume"), "viable": N_("sum of viable diameters")}[self.measure]

    @property
    def partial_percent(self) -> float:
        """Change of the sum, in percent, from which on it is a partial response."""
        return 100 * (self.partial_ratio - 1)

    @property
    def progression_percent(self) -> float:
        """Change of the sum, in percent, from which on it is a progression."""
        return 100 * (self.progression_ratio - 1)
