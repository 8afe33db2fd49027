"""Several reports of one study: what was shared is kept, and no small count follows by subtracting one from another."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner
from notebook_cells import each_week
from random_study import Design, write_random

from lib import report
from lib.__main__ import main
from lib.analyses.cohort import baseline
from lib.analyses.safety import events
from lib.report.results import KEY
from lib.show.disclosure import audience, jointly, register
from lib.show.disclosure.counts import COUNTS
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

SMALL = 5
CELL = KEY[1:]
WHOLE, WOMEN, MEN = {}, {"subgroup": "sex", "subgroup_values": ["F"]}, {"subgroup": "sex", "subgroup_values": ["M"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_random(tmp_path_factory.mktemp("study") / "one", Design((44, 38), seed=3, missed=0.1))


def made(folder, **parameters):
    """A page with the counts of a shared report of harms and of who took part, and these counts."""
    page = report.start("safety", {"study": str(folder), "audience": "share", **parameters})
    page.record(events.analyse(page.data))
    page.record(baseline.analyse_baseline(page.data))
    rows = page.results
    counts = rows[rows["statistic"].isin(COUNTS) & rows["value"].notna()].fillna({"time": -1.0}).set_index(CELL)["value"]
    return page, counts


def share(folder, name, **parameters):
    """The counts of a report that is then in the register."""
    page, counts = made(folder, **parameters)
    given = page.data.parameters.model_dump(mode="json", exclude={"study"})
    cells = {(o, v, g, None if t == -1.0 else t, s): value for (o, v, g, t, s), value in counts.items()}
    n = {arm: int(size) for arm, size in page.data.n.items()}
    entry = register.Shared(name, "2025-01-01", jointly.data_print(page.data.study), {"safety": given}, n, cells)
    register.enter(page.data.study.study.id, entry)
    return counts


def subtracted(one, other):
    """Small counts that two reports give by subtracting one from the other."""
    rest = (one - other).dropna().abs()
    return rest[rest.between(1, SMALL - 1)]


OLDER, OLDEST = {"cutoff": "2023-06-30"}, {"cutoff": "2022-12-31"}
SEQUENCES = {
    "whole, women": (WHOLE, WOMEN),
    "women, whole": (WOMEN, WHOLE),
    "men, women, whole": (MEN, WOMEN, WHOLE),
    "whole, men, women": (WHOLE, MEN, WOMEN),
    "two cut-offs before": (WHOLE, OLDER, OLDEST),
    "two cut-offs after": (OLDEST, OLDER, WHOLE),
    "one arm, both": ({"arms": ["A"]}, WHOLE),
}
TODAY = ("women, whole", "whole, men, women", "two cut-offs before", "one arm, both")
FREE = {}


def alone(folder, monkeypatch, parameters):
    """The counts of a report that knows of no other."""
    key = json.dumps(parameters)
    with monkeypatch.context() as patch:
        patch.setenv(register.VARIABLE, "/nowhere")
        FREE[key] = FREE[key] if key in FREE else made(folder, **parameters)[1]
    return FREE[key]


@pytest.mark.parametrize("name", each_week(SEQUENCES, TODAY))
def test_no_report_can_be_subtracted_from_one_shared_before(name, folder, monkeypatch):
    sequence = SEQUENCES[name]
    shown = [share(folder, str(number), **parameters) for number, parameters in enumerate(sequence)]
    free = [alone(folder, monkeypatch, parameters) for parameters in sequence]
    pairs = [(i, j) for i in range(len(sequence)) for j in range(i) if not {"F", "M"} <= {*values(sequence[i]), *values(sequence[j])}]
    assert not any(len(subtracted(shown[i], shown[j])) for i, j in pairs)
    assert len(shown[-1]) > 0.8 * len(free[-1]), "most is still shown"
    if "arms" not in sequence[0]:
        assert any(len(subtracted(free[i], free[j])) for i, j in pairs), "the premise: without the register it can be"


def values(parameters):
    return parameters.get("subgroup_values", [])


def test_the_whole_less_two_parts_tells_no_third(folder):
    """Men and women were shared: what both leave of the whole is masked as a difference of two reports is."""
    men, women, whole = (share(folder, str(number), **parameters) for number, parameters in enumerate((MEN, WOMEN, WHOLE)))
    assert not len(subtracted(whole, (men + women).dropna()))


def test_what_was_hidden_of_the_same_patients_stays_hidden(folder):
    """Another choice of what to hide beside a small count would give the small count back."""
    first = share(folder, "first", arms=["A"])
    later = share(folder, "later")
    own = later[later.index.get_level_values("group") == "A"]
    assert len(own) > 50
    assert set(own.index) <= set(first.index)


def test_a_report_made_again_is_the_same_whatever_came_after_it(folder):
    first = share(folder, "whole")
    share(folder, "women", **WOMEN)
    assert share(folder, "again").equals(first)
    assert [entry.name for entry in register.read("study3")] == ["whole", "women"]


def test_a_report_made_again_by_a_version_that_hides_otherwise_shows_no_more(folder, monkeypatch):
    """Side by side, the two would tell what each of them hides for the other's sake."""
    _, today = made(folder)
    with monkeypatch.context() as other:
        other.setattr(audience, "price", lambda *_: lambda key: (repr(key),))
        before = share(folder, "whole")
        assert share(folder, "again").equals(before)
    assert set(today.index) - set(before.index), "the versions differ"
    later = share(folder, "later")
    assert len(later) > 50
    assert set(later.index) <= set(before.index)


def test_a_page_says_what_it_knows_of_other_reports(folder):
    page, _ = made(folder)
    assert "No report of this study that was shared before is known on this machine" in page.header().html
    share(folder, "whole")
    page, _ = made(folder)
    assert "is known on this machine" in page.header().html, "the same report, the same page"
    page, _ = made(folder, **WOMEN)
    assert "masked together with 1 report of this study" in page.header().html


def test_few_patients_more_or_less_than_shared_before_are_refused(folder):
    share(folder, "whole")
    entry = register.read("study3")[0]
    register.withdraw("study3", "whole")
    register.enter("study3", register.replace(entry, n=entry.n | {"A": entry.n["A"] - 2}, data="another"))
    with pytest.raises(ProblemsFound, match="arm A has 44 patients here and 42 in the shared report whole"):
        made(folder)
    refused = CliRunner().invoke(main, ["report", "--study", str(folder), "-p", "audience=share"])
    assert refused.exit_code == 2
    assert "follow by subtraction" in " ".join(refused.output.split())


def test_what_cannot_be_masked_is_refused(folder, monkeypatch):
    """Where everything that could be hidden is known from before, the report is not made."""
    share(folder, "whole", **OLDER)
    monkeypatch.setattr(jointly.Cells, "suppress", lambda cells, small, price: cells.hidden)
    with pytest.raises(jointly.SharingRefused, match=r"beside whole.* follows by subtraction"):
        made(folder)


def test_what_was_shared_is_listed_and_taken_back(folder):
    def said(*words):
        done = CliRunner().invoke(main, ["share", *words])
        return done.exit_code, done.output

    assert said("--list") == (0, "Nothing was shared from this machine.\n")
    share(folder, "whole")
    share(folder, "whole", **WOMEN)
    code, listed = said("--list")
    assert code == 0
    assert [line.partition(",")[0] for line in listed.splitlines()] == ["study3: whole", "study3: whole-2"]
    assert "subgroup = sex, subgroup_values = F" in listed.splitlines()[1]
    assert said("--withdraw", "whole-2")[0] == 0
    assert [entry.name for entry in register.read("study3")] == ["whole"]
    code, refused = said("--withdraw", "whole-2")
    assert (code, "no shared report is called whole-2" in refused) == (2, True)
    assert said()[0] == said("--list", "--withdraw", "whole")[0] == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "x"}]', "[[]]", '{"a": 1}', "\x00", "[null]", '[{"cells": 3}]', "null"])
def test_a_register_that_cannot_be_read_is_never_taken_for_an_empty_one(content, folder):
    path = register.place("study3")
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ProblemsFound, match="cannot be read"):
        made(folder)
    assert CliRunner().invoke(main, ["share", "--list"]).exit_code == 2


@pytest.fixture(scope="module")
def with_populations(tmp_path_factory):
    """The same study, of which 7 patients of each arm, and the whole but 2 of one arm, are populations."""
    folder = write_random(tmp_path_factory.mktemp("populations") / "one", Design((44, 38), seed=3, missed=0.1))
    study = json.loads((folder / "study.yml").read_text(encoding="utf-8"))
    study["populations"] = [{"id": name, "label": name, "column": name, "inside": "Y", "outside": "N"} for name in ("most", "nearly")]
    (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
    table = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    place = table.groupby("arm").cumcount()
    table["most"], table["nearly"] = place.ge(7).map({True: "Y", False: "N"}), place.ge(2).map({True: "Y", False: "N"})
    table.to_csv(folder / "patients.csv", index=False)
    return folder


def test_a_population_is_masked_with_the_whole_and_refused_where_few_are_left_out(with_populations):
    whole, most = share(with_populations, "whole"), share(with_populations, "most", population="most")
    assert not len(subtracted(whole, most))
    _, again = made(with_populations, population="most")
    assert again.equals(most), "made again it knows itself"
    with pytest.raises(ProblemsFound, match="who follow by subtraction"):
        made(with_populations, population="nearly")


def test_two_populations_may_lie_one_within_the_other():
    one, other = ({"population": name, **common} for name, common in (("most", {"subgroup": "", "subgroup_values": []}), ("nearly", {"subgroup": "", "subgroup_values": []})))
    assert register.nested(one, other)
    assert not register.same_population(one, other)


def test_a_register_of_before_there_were_populations_is_read(folder):
    share(folder, "whole")
    path = register.place("study3")
    entries = json.loads(path.read_text(encoding="utf-8"))
    for entry in entries:
        for given in entry["parameters"].values():
            del given["population"]
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert [entry.common["population"] for entry in register.read("study3")] == [""]
    share(folder, "again")
    assert [entry.name for entry in register.read("study3")] == ["whole"]
