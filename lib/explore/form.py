"""The form of the interactive page: one control per choice that a study allows, and the parameters that they amount to.

What is allowed is read from study.yml; what is chosen is checked by parameters, as on the command line.
"""

from __future__ import annotations

__all__ = ["LABELS", "Form", "find_studies"]

import html
import math
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from lib.languages import speech
from lib.languages.speech import N_, _
from lib.run.taking_in import is_brought, waiting
from lib.show.formats import format_level, format_percent
from lib.show.phrases import unit_name
from lib.study.parameters import EVERYBODY, Models, subgroup_levels
from lib.study.provenance import study_path
from lib.study.study import ROOT, Study, read_study
from lib.study.yaml_file import Problem, ProblemsFound

# Parameter -> what the form calls it; problems are named the same.
LABELS = {
    "study": N_("Study"),
    "endpoint": N_("Endpoint"),
    "arms": N_("Arms"),
    "reference": N_("Compared with"),
    "population": N_("Population"),
    "subgroup": N_("Patients"),
    "subgroup_values": N_("Which of them"),
    "cutoff": N_("Data cut-off"),
    "level": N_("Confidence level"),
    "landmarks": N_("Curves read off at"),
    "scepticism": N_("Sceptic’s chance of a benefit worth having"),
    "audience": N_("Audience"),
}
LEVELS = (0.8, 0.9, 0.95, 0.99)
# What a sceptic leaves to a benefit worth having, from next to nothing to a third.
CHANCES = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3)
AUDIENCES = {
    N_("Internal: everything, patients by id"): "internal",
    N_("Shared: small cells masked, no single patients"): "share",
}
# Signs between numbers, as they are typed where Chinese is written.
FULL_WIDTH = str.maketrans("，、；", ",,;")
# A text box takes no more than this; what is longer was not typed by hand.
LONGEST_TEXT = 60
EVERYBODY_LABEL = N_("All patients")


def find_studies(first: str, folder: Path = ROOT / "data", language: str = "") -> dict[str, str]:
    """Title -> folder of every study; one whose study.yml has to be corrected goes by the name of its folder.

    Parameters
    ----------
    first : str
        A study's folder, or a file of which one may be made, wherever it lies.
    folder : Path
        Holds one folder per study.
    language : str
        Of `lib.languages.speech.LANGUAGES`, for their titles; "": each study's own.
    """
    found = {}
    for path in (ROOT / first, *(file.parent for file in sorted(folder.glob("*/study.yml")))):
        address, study = study_path(path), _readable(path, language)
        title = study.study.short_title if study else _("{name} ({lacks})", name=path.name, lacks=_lacks(path))
        if address not in found.values():
            found[f"{title} ({address})" if title in found else title] = address
    return found


def _lacks(path: Path) -> str:
    """Why something is no study that can be shown."""
    if is_brought(path):
        return _("not a study yet")
    return _("waits for answers") if waiting(path) else _("study.yml has to be corrected")


def _readable(folder: Path, language: str) -> Study | None:
    """The study, or None if its study.yml has to be corrected first."""
    try:
        return read_study(folder, language)
    except ProblemsFound:
        return None


class Form:
    """The controls, and what they say.

    Parameters
    ----------
    studies : dict of str to str
        Title -> folder; the first one is chosen.
    audiences : tuple of str
        Those that may be chosen.
    changed : callable
        Called after every change, without arguments.
    language : str
        Of `lib.languages.speech.LANGUAGES`, in which every study is shown; "": each in its own.
    """

    def __init__(self, studies: dict[str, str], audiences: tuple[str, ...], changed: Callable[[], None], language: str = ""):
        self._changed, self._language, self._audiences = changed, language, audiences
        self._pick, self._audience = w.Dropdown(options=list(studies.items())), w.Dropdown(options=audiences)
        self._pick.observe(self._study_picked, "value")
        self._audience.observe(self._audience_picked, "value")
        self._level = w.Dropdown(options=[(format_level(v), v) for v in LEVELS], value=0.95)
        self._own = w.VBox()
        self.box = w.VBox([self._pick, self._own, self._level, self._audience], _dom_classes=["cohort-form"])
        self._watch(self._level)
        self._make(_readable(ROOT / self.folder, language))

    def _watch(self, *controls: w.Widget) -> None:
        for control in controls:
            control.observe(lambda __: self._changed(), "value")

    def _study_picked(self, _change) -> None:
        self._make(_readable(ROOT / self.folder, self._language))
        self._changed()

    def _audience_picked(self, _change) -> None:
        self._changed()

    def _speak(self, study: Study | None) -> None:
        """Speak the language that was asked for, or the study's own; one that cannot be read changes none."""
        speech.use(self._language or (study.language if study else speech.in_force()))
        for name, control in (("study", self._pick), ("audience", self._audience), ("level", self._level)):
            control.description = _(LABELS[name])
        audiences = [(_(label), value) for label, value in AUDIENCES.items() if value in self._audiences]
        _offer(self._audience, audiences, self.audience, self._audience_picked)

    def offer(self, studies: dict[str, str], chosen: str = "") -> None:
        """Offer these studies; the one that was chosen stays chosen, unless another one is named."""
        chosen = chosen or self.folder
        _offer(self._pick, list(studies.items()), chosen if chosen in studies.values() else next(iter(studies.values())), self._study_picked)

    def follow(self, study: Study | None) -> None:
        """Make the controls anew if the chosen study's study.yml says something else by now."""
        if study != self.study:
            self._make(study)

    @property
    def folder(self) -> str:
        """Folder of the chosen study."""
        return self._pick.value

    @property
    def audience(self) -> str:
        """Who the page is for: internal or share."""
        return self._audience.value

    def _make(self, study: Study | None) -> None:
        """Make the controls that depend on the study: none, if its study.yml has to be corrected first."""
        self.study = study
        self._speak(study)
        self._level.layout.display = None if study else "none"
        if study is None:
            self._own.children = []
            return
        endpoints = [(e.label, e.id) for e in study.endpoints]
        self._primary = study.primary.id if study.primary else None
        self._endpoint = w.Dropdown(options=endpoints, value=self._primary, description=_(LABELS["endpoint"]))
        self._arms = {arm.id: w.Checkbox(value=True, description=arm.label, indent=False) for arm in study.arms}
        self._reference, self._moved = w.Dropdown(description=_(LABELS["reference"])), w.HTML()
        self._offer_references()
        groups = [(_(EVERYBODY_LABEL), ""), *((_("By {subgroup}", subgroup=_subgroup_label(study, s.id)), s.id) for s in study.subgroups)]
        self._subgroup = w.Dropdown(options=groups, description=_(LABELS["subgroup"]))
        self._values, self._value_box = {}, w.VBox()
        usual = next((part.id for part in study.populations if part.default), EVERYBODY)
        populations = [(_(EVERYBODY_LABEL), EVERYBODY), *((part.label, part.id) for part in study.populations)]
        self._population = w.Dropdown(options=populations, value=usual, description=_(LABELS["population"]))
        self._usual_population = usual
        landmarks = _("{label} ({unit})", label=_(LABELS["landmarks"]), unit=unit_name(study.time.unit))
        self._landmarks = w.Text(placeholder=_("e.g. 12, 24"), description=landmarks, continuous_update=False)
        # Without `max`, which would put the last day in the place of a later one that was typed, and say nothing.
        self._cutoff = w.DatePicker(value=study.study.cutoff, description=_(LABELS["cutoff"]))
        movable = study.study.cutoff is not None and all(endpoint.derived for endpoint in study.endpoints)
        arms = [w.HTML(f"<span class='cohort-legend'>{_(LABELS['arms'])}</span>"), *self._arms.values()]
        several = [w.VBox(arms), self._reference, self._moved] if len(study.arms) > 1 else []
        grouped = [*([self._population] if study.populations else []), *([self._subgroup, self._value_box] if study.subgroups else [])]
        dated = [self._cutoff] if movable else []
        self._usual_chance = Models.model_fields["scepticism"].default
        chances = [(format_percent(chance, 1), chance) for chance in CHANCES]
        self._scepticism = w.SelectionSlider(options=chances, value=self._usual_chance, description=_(LABELS["scepticism"]), continuous_update=False)
        doubted = [self._scepticism] if several and endpoints and study.worthwhile and study.worthwhile.hazard_ratio else []
        timed = ([self._endpoint], [self._landmarks]) if endpoints else ([], [])
        self._landmarks.value = self._offered = self._usual_landmarks()
        self._reference.observe(lambda __: setattr(self._moved, "value", ""), "value")
        self._watch(self._reference, self._landmarks, self._cutoff, self._population, self._scepticism)
        for box in self._arms.values():
            box.observe(lambda __: self._arm_ticked(), "value")
        self._endpoint.observe(lambda __: self._endpoint_picked(), "value")
        self._subgroup.observe(lambda __: self._subgroup_picked(), "value")
        self._own.children = [*timed[0], *several, *grouped, *timed[1], *dated, *doubted]

    def _ticked(self) -> list[str]:
        return [arm for arm, box in self._arms.items() if box.value]

    def _usual_reference(self) -> str:
        """The study's, or the first that is ticked: as dataset chooses."""
        ticked = self._ticked()
        return self.study.reference_arm if self.study.reference_arm in ticked or not ticked else ticked[0]

    def _offer_references(self) -> None:
        """Arms that are ticked; what was chosen stays, if it can, and else it is said what takes its place."""
        labels = {arm.id: arm.label for arm in self.study.arms}
        chosen, ticked = self._reference.value, self._ticked()
        if ticked:
            self._reference.options = [(labels[arm], arm) for arm in ticked]
            kept = chosen if chosen in ticked else self._usual_reference()
            self._reference.value = kept
            if chosen and kept != chosen:
                said = _("{arm} is not ticked any more; the others are now compared with {other}.", arm=labels[chosen], other=labels[kept])
                self._moved.value = f"<p role='status' class='cohort-moved'>{html.escape(said)}</p>"

    def _arm_ticked(self) -> None:
        self._offer_references()
        self._changed()

    def _usual_landmarks(self) -> str:
        chosen = self._endpoint.value
        return ", ".join(f"{time:g}" for time in self.study.endpoint(chosen).landmarks) if chosen else ""

    def _endpoint_picked(self) -> None:
        """Another endpoint brings its own times along; those that somebody wrote stay."""
        written = self._landmarks.value != self._offered
        self._offered = self._usual_landmarks()
        if not written:
            self._landmarks.value = self._offered
        self._changed()

    def _subgroup_picked(self) -> None:
        """Offer the values of the subgroup, all of them chosen."""
        chosen = self._subgroup.value
        names = _value_labels(self.study, chosen) if chosen else {}
        self._values = {
            value: w.Checkbox(value=True, description=label, indent=False) for value, label in names.items()
        }
        self._value_box.children = list(self._values.values())
        self._watch(*self._values.values())
        self._changed()

    def parameters(self) -> dict:
        """Return what was chosen, as the command line takes it: only what differs from the study's own choice.

        Raises
        ------
        ProblemsFound
            E110 for an empty choice or a text that is no list of numbers.
        """
        arms = self._ticked()
        if not arms:
            raise _problem("arms", _("tick at least one arm"))
        given = {"arms": arms if len(arms) < len(self._arms) else []}
        given["endpoint"] = self._endpoint.value if self._endpoint.value != self._primary else ""
        given["reference"] = self._reference.value if self._reference.value != self._usual_reference() else ""
        given["population"] = self._population.value if self._population.value != self._usual_population else ""
        if self._subgroup.value:
            values = [value for value, box in self._values.items() if box.value]
            if not values:
                raise _problem("subgroup_values", _("tick at least one value"))
            given |= {"subgroup": self._subgroup.value, "subgroup_values": values}
        given["landmarks"] = self._times() if self._landmarks.value != self._usual_landmarks() else []
        cutoff = self._cutoff.value
        if self.study.study.cutoff and not cutoff:
            raise _problem("cutoff", _("choose a day; the study's own is {day}", day=self.study.study.cutoff))
        given["cutoff"] = str(cutoff) if cutoff and cutoff != self.study.study.cutoff else ""
        given["level"] = self._level.value if self._level.value != 0.95 else ""
        given["scepticism"] = self._scepticism.value if self._scepticism.value != self._usual_chance else ""
        given["audience"] = self.audience if self.audience != "internal" else ""
        return {name: value for name, value in given.items() if value not in ("", [])}

    def _times(self) -> list[float]:
        text = self._landmarks.value
        how = _("in {unit}, such as {times}", unit=unit_name(self.study.time.unit), times=self._usual_landmarks() or "12, 24")
        if len(text) > LONGEST_TEXT:
            raise _problem("landmarks", _("at most {n} characters", n=LONGEST_TEXT))
        text = text.translate(FULL_WIDTH)
        # With semicolons between the times, a comma is a decimal one.
        parts = text.replace(",", ".").split(";") if ";" in text else text.split(",")
        parts = [part.strip() for part in parts if part.strip()]
        if not parts:
            raise _problem("landmarks", _("write at least one time, {how}", how=how))
        times = {part: _number(part) for part in parts}
        if wrong := [part for part, time in times.items() if time is None]:
            raise _problem("landmarks", _("“{wrong}” is no number; write numbers with commas between them, {how}", wrong=wrong[0], how=how))
        if wrong := [part for part, time in times.items() if not 0 < time < math.inf]:
            raise _problem("landmarks", _("“{wrong}” is no time after the start; write times above 0, {how}", wrong=wrong[0], how=how))
        return list(dict.fromkeys(times.values()))


def _offer(control: w.Dropdown, options: list[tuple[str, str]], chosen: str, picked: Callable) -> None:
    """Offer something else, of which one is chosen; nobody is told, as nobody has picked it."""
    control.unobserve(picked, "value")
    control.options = options
    control.value = chosen
    control.observe(picked, "value")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _subgroup_label(study: Study, subgroup_id: str) -> str:
    subgroup = study.subgroup(subgroup_id)
    label = study.variable(subgroup.variable).label
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _value_labels(study: Study, subgroup_id: str) -> dict[str, str]:
    """Value of a subgroup -> what a reader calls it."""
    variable = study.variable(study.subgroup(subgroup_id).variable)
    labels = {level.value: level.label for level in variable.levels}
    unit = f" {variable.unit}" if variable.unit else ""
    return {
        value: labels.get(value, value.replace(">=", "≥ ").replace("<", "< ") + unit)
        for value in subgroup_levels(study, subgroup_id)
    }


def _problem(column: str, message: str, value: str = "") -> ProblemsFound:
    return ProblemsFound([Problem("E110", message, file="parameters", column=column, value=value[:LONGEST_TEXT])])
