"""What the benchmark keeps and writes: goals in words, one block in its page, and no race between unequal reports."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[1] / "bench"))
import bench
import write_up

MADE = {"date": "2025-02-28", "commit": "abcdef0", "machine": "2 cores", "repeats": 3}


def ways(*seconds: float) -> dict:
    return {f"way {i}": {"seconds": [s, s, 99.0 * s], "mb": [50.0, 100.0, 70.0]} for i, s in enumerate(seconds)}


def engines(**seconds: float) -> dict:
    return {name: {"100000": {"seconds": [s / 2, s / 4, s / 4], "mb": 1.0}} for name, s in seconds.items()}


def kept(**sections: dict) -> str:
    return "\n".join(write_up.compose({name: MADE | found for name, found in sections.items()}, "p.svg"))


def test_goals_are_met_or_not_in_words_and_medians_are_shown():
    same = {"compared": 1155, "largest": 7e-8}
    text = kept(report={"ways": ways(10, 2), "markdown": ways(8, 6, 9), "same": same})
    assert "at most 0.2: met (0.2)" in text and "at most 0.25: **not met** (0.75)" in text
    assert "| way 1 | 2.0 (2.0–198.0) | 0.20 | 100 |" in text and "1,155 numbers" in text
    assert "R or one of its packages is not installed" in kept(report={"ways": ways(10, 4), "markdown": {}})


def test_the_naive_batch_is_one_report_times_their_number():
    text = kept(batch={"count": 50, "ways": ways(100, 140, 20)})
    assert "| way 2 | 1000.0 (20.0–1980.0) | 10.00 | 100 |" in text
    assert "at least 15: **not met** (7.14)" in text and "at most 1.2: **not met** (1.4)" in text


def test_a_second_report_and_the_start_have_goals_in_seconds_and_ratios():
    text = kept(again={"ways": ways(10, 4, 9, 0.5)})
    assert "little depends on the parameter: at most 0.5: met (0.4)" in text and "found there: at most 1: met (0.5)" in text
    text = kept(start={"ways": ways(0.1, 1, 0.4, 0.7), "fresh": ways(33)})
    assert "help: at most 0.3: **not met** (0.4)" in text and "check: at most 0.8: met (0.7)" in text and "| way 3 | 0.70 | 7.0 |" in text
    assert "local cache: 33 seconds" in text


def test_of_the_interactive_page_the_longest_counts():
    study = {"first picture": {"": [2.0, 2.0, 9.0]}, "tab opened": {"Response": [0.5, 0.6, 9.0]}, "control changed": {"a": [0.1, 0.1, 0.1], "b": [0.4, 9.0, 0.4]}}
    text = kept(explore={"studies": {"one": study, "a visitor": study | {"tab opened": {"x": [0.2]}}}})
    assert "| one: control changed | 0.25 | 0.40 | b |" in text and "| a visitor: first picture | 2.00 | 2.00 |" in text
    assert "change of a control: at most 0.3: **not met** (0.4)" in text and "opening of a tab: at most 1: met (0.6)" in text


def test_an_engine_that_gave_up_is_a_dash_and_the_fastest_other_is_the_rival():
    found = engines(ours=2.0, R=1.6, lifelines=9.0) | {"greenwood": {}}
    text = kept(survival={"sizes": [100_000], "limit": 180, "engines": found, "missing": ["rust_survival"]})
    assert "| greenwood | – |" in text and "100,000 (R survival): at most 1: **not met** (1.25)" in text
    assert "Could not be installed here: survival (Rust)" in text and "](p.svg)" in text


def test_a_large_study_is_held_against_memory_and_r():
    text = kept(large={"n": 1_000_000, "ways": ways(10, 9, 30)})
    assert "at most 1,536: met (100)" in text and "ratio to R: at most 0.8: **not met** (0.9)" in text


def test_growth_is_the_steepest_step():
    text = kept(growth={"ways": ways(10, 12, 132), "repeats": 1})
    assert "at most 10: **not met** (11)" in text and "one run each" in text


def test_a_study_with_every_table_is_held_against_time_and_memory():
    text = kept(tables={"ways": ways(8, 90, 95), "repeats": 1})
    assert "times the patients: at most 10: **not met** (11.2)" in text and "seconds of a million rows: at most 60: **not met** (90)" in text
    assert "at most 2,048: met (100)" in text


def test_sections_are_kept_one_by_one_and_written_between_the_marks(tmp_path):
    bench.keep(tmp_path / "results.json", "large", {"n": 1, "ways": ways(3, 2, 1)}, 3)
    both = bench.keep(tmp_path / "results.json", "report", {"ways": ways(10, 4), "markdown": {}}, 5)
    assert list(both) == ["large", "report"] and both["report"]["repeats"] == 5
    assert json.loads((tmp_path / "results.json").read_text()) == both
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{write_up.BEGIN}\nold\n{write_up.END}\nafter\n")
    for _ in range(2):
        write_up.insert(page, write_up.compose(both, "p.svg"))
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith(f"{write_up.END}\nafter\n") and "old" not in text
    assert text.index("**One report**") < text.index("**A large study**")


def test_an_r_report_with_another_number_stops_the_comparison(tmp_path):
    key = {"output": "cox", "variable": "death", "group": "B vs A", "time": None, "statistic": ["hr", "n"]}
    chance = pd.DataFrame([{"output": "power", "variable": "death", "group": "overall", "time": None, "statistic": "power", "value": 0.9}])
    ours = pd.concat([pd.DataFrame(key | {"value": [0.5, 40]}), chance])
    ours.to_csv(tmp_path / "ours.csv", index=False)
    for hr, text in ((0.5 * (1 + 1e-8), ""), (0.501, "0.501")):
        pd.concat([pd.DataFrame(key | {"value": [hr, 40]}), chance.assign(value=0.8)]).to_csv(tmp_path / "r.csv", index=False)
        if text:
            with pytest.raises(RuntimeError, match=text):
                bench.compare(tmp_path / "ours.csv", tmp_path / "r.csv")
        else:
            assert bench.compare(tmp_path / "ours.csv", tmp_path / "r.csv") == {"compared": 2, "largest": pytest.approx(1e-8, rel=0.01)}


def test_names_at_the_ends_of_lines_stay_apart(tmp_path):
    results = {name: {n: {"seconds": [s], "mb": 1.0} for n in ("100", "100000")} for name, s in {"ours": 1.0, "R": 1.01, "lifelines": 1.02}.items()}
    places = write_up._places({name: {int(n): r["seconds"][0] for n, r in sizes.items()} for name, sizes in results.items()})
    assert all(high / low > 1.8 for low, high in pairwise(sorted(height for _, _, height in places.values())))
    write_up.draw({"sizes": [100, 100_000], "engines": results}, tmp_path / "s.svg")
    drawn = (tmp_path / "s.svg").read_text()
    assert all(name in drawn for name in ("this repository", "R survival", "lifelines"))
