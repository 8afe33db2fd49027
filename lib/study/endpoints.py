"""Times to an event: derived from dates, or ready-made."""

from __future__ import annotations

__all__ = ["Endpoint", "ReadyEvent", "ReadyTime"]

from typing import Literal, Self

from pydantic import Field, model_validator

from lib.study.parts import Code, Frozen, Id, Label, Told, own
from lib.study.words import DATE_COLUMNS, KINDS, OF_MARKER, EventDate, LastDay, Spoken


class ReadyTime(Frozen):
    """A ready-made time column and its unit."""

    column: Id
    unit: Literal["days", "weeks", "months", "years"]


class ReadyEvent(Frozen):
    """A ready-made event column; any code not declared here is an error."""

    column: Id
    event: Code
    censored: Code
    competing: Code | None = None


class Endpoint(Frozen):
    """A time-to-event endpoint: derived from dates, or ready-made."""

    id: Id
    label: Label
    short: Label
    role: Literal["primary", "secondary", "sensitivity"]
    definition: Told
    plain: Spoken = Field({})  # what happened: "the cancer came back"
    landmarks: tuple[float, ...] = ()
    tau: float | None = Field(None, gt=0)
    events: tuple[EventDate, ...] = ()
    competing: tuple[EventDate, ...] = ()
    censor: LastDay | None = None
    time: ReadyTime | None = None
    event: ReadyEvent | None = None
    published_definition: Told = ""  # as the publication words it, or "not stated"

    @property
    def recorded(self) -> tuple[str, ...]:
        """Columns of patients among its events and competing events."""
        return tuple(date for date in (*self.events, *self.competing) if date in DATE_COLUMNS)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of progression among its events and competing events."""
        return tuple(date for date in (*self.events, *self.competing) if date in KINDS)

    @property
    def of_markers(self) -> tuple[str, ...]:
        """Ids of the markers whose progression it counts, or with whose last sample it ends."""
        named = dict.fromkeys(date for date in (*self.events, *self.competing, self.censor or "") if date.startswith(OF_MARKER))
        return tuple(name.removeprefix(OF_MARKER) for name in named)

    @property
    def derived(self) -> bool:
        """Whether the endpoint is derived from dates."""
        return bool(self.events)

    @property
    def time_column(self) -> str:
        """Column of a ready-made time in the frames of patients: each endpoint's own, though the file's may be shared."""
        return own(f"{self.id}.time")

    @property
    def event_column(self) -> str:
        """Column of the codes of a ready-made event in the frames of patients."""
        return own(f"{self.id}.event")

    @property
    def has_competing(self) -> bool:
        """Whether a competing event is declared."""
        return bool(self.competing) or bool(self.event and self.event.competing)

    @model_validator(mode="after")
    def _one_of_two_forms(self) -> Self:
        from_dates, ready = bool(self.events and self.censor), bool(self.time and self.event)
        if from_dates == ready or (ready and (self.events or self.censor)):
            raise ValueError("either events and censor (dates), or time and event (ready-made columns)")
        return self
