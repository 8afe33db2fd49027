"""Errors that a clinician would act on, planted one at a time: (what is wrong, file below lib/, old text, new text).

The old text stands once in its file; a test holds the list against the code.
"""

from __future__ import annotations

__all__ = ["DESIGNED", "Mutant"]

from typing import NamedTuple


class Mutant(NamedTuple):
    """One error: what it does to a report, where, and the text that is exchanged (the place: of the n-th character)."""

    what: str
    file: str
    old: str
    new: str
    at: int = -1

    def planted(self, source: str) -> str:
        """The source with the error in it."""
        start = self.at if self.at >= 0 else source.index(self.old)
        assert source[start : start + len(self.old)] == self.old
        return source[:start] + self.new + source[start + len(self.old) :]


DESIGNED = [Mutant(*row) for row in (
    # verdicts
    ("a verdict is reversed", "show/verdict.py", "return bool(p_value < ALPHA)", "return bool(p_value > ALPHA)"),
    ("p at the limit tells apart", "show/verdict.py", "return bool(p_value < ALPHA)", "return bool(p_value <= ALPHA)"),
    ("pairs are named that do not differ", "show/verdict.py", "for p in known if below(p.p_adjusted)]", "for p in known if not below(p.p_adjusted)]"),
    ("pairs count that the test of all arms does not carry", "show/verdict.py", "if apart and is_apart(p_values):", "if apart:"),
    ("one of two tests is enough", "show/verdict.py", "return bool(known) and all(map(below, known))", "return bool(known) and any(map(below, known))"),
    ("tests that disagree are exchanged", "show/verdict.py", "for side in (apart, alike))\n    depends = _(\"Whether", "for side in (alike, apart))\n    depends = _(\"Whether"),
    ("the limits of a ratio are exchanged", "show/verdict.py", "format_ci(found.level, found.ci_low, found.ci_high, 2)", "format_ci(found.level, found.ci_high, found.ci_low, 2)"),
    ("no longer told apart where it never was", "show/verdict.py", "    elif was:\n", "    elif not was:\n"),
    ("the other way round where it is the same way", "show/verdict.py", "(crude.hr - 1) * (found.hr - 1) < 0", "(crude.hr - 1) * (found.hr - 1) > 0"),
    ("too few patients carry a conclusion", "show/verdict.py", "if not found.enough:", "if found.enough:"),
    ("a ratio that changes is no average", "show/verdict.py", "if below(found.p_constant) else", "if not below(found.p_constant) else"),
    ("chance gives twice as many", "show/verdict.py", "expected = ALPHA * n_tests", "expected = 2 * ALPHA * n_tests"),
    ("a randomised study is doubted", "show/labels.py", "if study.by_design.by_chance:\n        return \"\"", "if not study.by_design.by_chance:\n        return \"\""),
    # sentences
    ("another pair's hazard ratio", "show/sentences/survival.py", "row, test = analysis.row(\"cox\", pair), analysis", "row, test = analysis[\"cox\"].iloc[-1], analysis"),
    ("another pair's p-value", "show/sentences/survival.py", "analysis.row(\"logrank_pairwise\", pair)", "analysis[\"logrank_pairwise\"].iloc[-1]"),
    ("another pair's weighted ratio", "show/sentences/survival.py", "weights.row(\"weighted_cox\", name_pair(*data.contrast))", "weights[\"weighted_cox\"].iloc[-1]"),
    ("patients are printed as events", "show/sentences/survival.py", "n_events=plural(row['n_events'], 'event'), followed", "n_events=plural(row['n'], 'event'), followed"),
    ("events of everybody are patients", "show/sentences/survival.py", "n_events=plural(whole['n_events'], 'event')", "n_events=plural(whole['n'], 'event')"),
    ("the follow-up stands for the median", "show/sentences/survival.py", "value, followed = _reached(data, row, True)", "value, followed = _reached(data, follow_up, True)"),
    ("the adjusted p-value is the raw one", "show/sentences/survival.py", "pairs = [Pair(pair_label(data, r.group), r.p_adjusted)", "pairs = [Pair(pair_label(data, r.group), r.p_value)"),
    ("Gray's p-value stands for the log-rank's", "show/sentences/survival.py", "OverallTest(_(\"log-rank\"), row[\"p_value\"]", "OverallTest(_(\"log-rank\"), (row if gray is None else gray)[\"p_value\"]"),
    ("Firth's correction is not said", "show/sentences/survival.py", "if \"Firth\" in str(row[\"method\"])", "if \"Frith\" in str(row[\"method\"])"),
    ("an arm without events is not said", "show/sentences/survival.py", "analysis.row(\"median\", arm.id)[\"n_events\"] == 0]", "analysis.row(\"median\", arm.id)[\"n_events\"] < 0]"),
    ("responses of another visit", "show/sentences/response.py", "rates = where(response[\"objective_response_treated\"], time=visit)", "rates = where(response[\"objective_response_treated\"], time=response.dataset.response_visits[-1])"),
    ("responses of the evaluable", "show/sentences/response.py", "where(response[\"objective_response_treated\"], time", "where(response[\"objective_response_evaluable\"], time"),
    ("the first time for the last", "show/sentences/response.py", "end = rows[\"time\"].max()", "end = rows[\"time\"].min()"),
    ("gains and losses are exchanged", "show/sentences/course.py", "n_gained=plural(row['n_gained'], 'response was', 'responses were'), n_lost=format_whole(row['n_lost'])", "n_gained=plural(row['n_lost'], 'response was', 'responses were'), n_lost=format_whole(row['n_gained'])"),
    ("responders are events", "show/sentences/course.py", "n_events=plural(row['n_events'], 'event')", "n_events=plural(row['n'], 'event')"),
    ("severe events are all events", "show/sentences/safety.py", "count=said_count(worst['count'])", "count=said_count(any_event['count'])"),
    ("the largest p-values of terms", "show/sentences/safety.py", ".sort_values(\"p_value\", kind=\"stable\")", ".sort_values(\"p_value\", kind=\"stable\", ascending=False)"),
    ("drug and procedure are exchanged", "show/sentences/safety.py", "((\"drug\", N_(\"{n} to the drug\")), (\"procedure\", N_(\"{n} to the procedure\"))", "((\"procedure\", N_(\"{n} to the drug\")), (\"drug\", N_(\"{n} to the procedure\"))"),
    ("the lower limit of a rate stands for it", "show/sentences/safety.py", "rate=format_number(row['rate'], 0), arm", "rate=format_number(row['ci_low'], 0), arm"),
    ("crude and weighted are exchanged", "show/sentences/robustness.py", "crude, weighted = (weights.row(f\"{name}_cox\", pair) for name in (\"unweighted\", \"weighted\"))", "weighted, crude = (weights.row(f\"{name}_cox\", pair) for name in (\"unweighted\", \"weighted\"))"),
    ("the E-value of the limit", "show/sentences/robustness.py", "e_value=format_number(row['e_value'], 2), limit", "e_value=format_number(row['e_value_limit'], 2), limit"),
    ("best and worst case are exchanged", "show/sentences/robustness.py", "for way in (\"worst\", \"best\")]", "for way in (\"best\", \"worst\")]"),
    ("power is its complement", "show/sentences/robustness.py", "format_chance(row['power'])", "format_chance(1 - row['power'])"),
    ("the largest p-value for the smallest", "show/sentences/robustness.py", "_runs(given['p_value'].min(), given['p_value'].max())", "_runs(given['p_value'].max(), given['p_value'].min())"),
    ("the smallest imbalance for the largest", "show/sentences/cohort.py", ".sort_values(\"smd\", ascending=False, kind=\"stable\")", ".sort_values(\"smd\", ascending=True, kind=\"stable\")"),
    ("who is followed is lost", "show/sentences/cohort.py", "part=format_whole(row[\"count\"]), n=", "part=format_whole(row[\"n\"] - row[\"count\"]), n="),
    ("another arm's change of a marker", "show/sentences/markers.py", "group=arm.id, time=visit)\n        within", "group=data.arms[0].id, time=visit)\n        within"),
    ("Hy's law counts those without", "show/sentences/laboratory.py", "if cases == 0:", "if cases == n:"),
    # tables
    ("raw p-values stand as Holm's", "show/tables/survival.py", "lambda r: format_p(r[\"p_adjusted\"])", "lambda r: format_p(r[\"p_value\"])"),
    ("log-rank and Gray are exchanged", "show/tables/survival.py", "for name in (\"logrank\", \"gray\") if name", "for name in (\"gray\", \"logrank\") if name"),
    ("events of a curve are patients", "show/tables/survival.py", "return format_count(row[\"n_events\"], row[\"n\"]", "return format_count(row[\"n\"], row[\"n\"]"),
    ("the number at risk is the number of patients", "show/tables/survival.py", "{format_whole(row['n_risk'])}\"", "{format_whole(row['n'])}\""),
    ("the sign of a risk difference is flipped", "show/tables/parts.py", "format_points(row['difference'])", "format_points(-row['difference'])"),
    ("any and severe are exchanged", "show/tables/safety.py", "where(safety[output], variable=name), where(safety[f\"{output}_severe\"], variable=name))", "where(safety[f\"{output}_severe\"], variable=name), where(safety[output], variable=name))"),
    ("a ratio of rates has another pair's name", "show/tables/safety.py", "Row((pair_label(data, row[\"group\"]), ratio", "Row((pair_label(data, timed[output][\"group\"].iat[0]), ratio"),
    ("count and denominator are exchanged", "show/formats.py", "share.format(count=format_whole(count), n=format_whole(n),", "share.format(count=format_whole(n), n=format_whole(count),"),
    ("columns of arms have another arm's n", "show/tables/parts.py", "f\"n = {data.n[arm.id]}\", arm.colour)", "f\"n = {data.n[data.arms[0].id]}\", arm.colour)"),
    ("a missing interval is not masked", "show/tables/parts.py", "if pd.isna(row[\"count\"]):\n        return _(MASKED)", "if False:\n        return _(MASKED)"),
    # pictures
    ("a wrong number at risk", "show/plots/survival.py", "write_counts(bottom, data, heading, risk.rename(columns={\"time\": \"x\"}), top", "write_counts(bottom, data, heading, risk.assign(n_risk=risk[\"n_risk\"] + (risk.index == 1)).rename(columns={\"time\": \"x\"}), top"),
    ("another arm's median in the legend", "show/plots/survival.py", "{arm.id: format_median(analysis.row(\"median\", arm.id), d)", "{arm.id: format_median(analysis.row(\"median\", data.arms[0].id), d)"),
    ("a curve in another arm's colour", "show/plots/survival.py", "style = {\"where\": \"post\", \"color\": arm.colour", "style = {\"where\": \"post\", \"color\": data.arms[0].colour"),
    ("censored patients at the wrong height", "show/plots/survival.py", "axes.plot(time[censored], survival[censored], \"|\"", "axes.plot(time[censored], survival[censored - 1], \"|\""),
    ("numbers at risk of another arm", "show/plots/panel.py", "for row in where(counts, group=arm.id).to_dict(", "for row in where(counts, group=data.arms[-1].id).to_dict("),
    ("bars of response in other colours", "show/plots/response.py", "colours = [*list(CATEGORY_COLOURS.values())[:4], \"#ffffff\"]", "colours = [*list(CATEGORY_COLOURS.values())[3::-1], \"#ffffff\"]"),
    ("the forest shows the other arm's events", "show/plots/robustness.py", "    for x, arm in zip(COLUMNS, data.contrast, strict=True):\n        left.text(x, y", "    for x, arm in zip(COLUMNS[::-1], data.contrast, strict=True):\n        left.text(x, y"),
    ("the sign of a drawn difference is flipped", "show/plots/safety.py", "axes.plot(own[\"difference\"].to_numpy(float), places", "axes.plot(-own[\"difference\"].to_numpy(float), places"),
    ("a p-value below the limit is drawn open", "show/plots/robustness.py", "face = INK if row[\"p_value\"] < ALPHA else \"white\"", "face = INK if row[\"p_value\"] > ALPHA else \"white\""),
    # numbers and rules
    ("who dies on the day of the cut-off lives", "dataset/cutoff.py", "later = patients[date] > cutoff", "later = patients[date] >= cutoff"),
    ("who starts on the day of the cut-off is gone", "dataset/cutoff.py", "patients[patients[\"time_zero\"] <= cutoff]", "patients[patients[\"time_zero\"] < cutoff]"),
    ("a visit on the day of the cut-off is unknown", "dataset/cutoff.py", "frame[~(frame[date] > cutoff)]", "frame[~(frame[date] >= cutoff)]"),
    ("a patient at the cut is below it", "dataset/dataset.py", "below = values < subgroup.cut", "below = values <= subgroup.cut"),
    ("who was lost a day later is lost", "analyses/cohort/flow.py", ".round() > data.study.policy.lost_after_days", ".round() >= data.study.policy.lost_after_days"),
    ("who was lost is a matter of rounding", "analyses/cohort/flow.py", "per_unit).round() >", "per_unit) >"),
    ("a competing event is an event", "dataset/derived.py", "which < len(endpoint.events), 1, 2)", "which <= len(endpoint.events), 1, 2)"),
    ("a new lesion lies in the field", "dataset/progression.py", "found[\"in_field\"] = found[\"target\"] & (found", "found[\"in_field\"] = (found"),
    ("an arm without local therapy treats nothing", "dataset/progression.py", "(found[\"treated\"] | ~_locally(data, found))", "found[\"treated\"]"),
    ("the site's region goes before the lesion's", "dataset/progression.py", "own.where(own.notna(), found[\"region\"])", "found[\"region\"].where(found[\"region\"].notna(), own)"),
    ("a lesion grows from its last size on", "intake/recist.py", "known.groupby(owner).cummin().groupby(owner)", "known.groupby(owner)"),
    ("a new lesion that competes is ignored", "analyses/robustness/definitions.py", "[*endpoint.competing, *new])", "[*endpoint.competing])"),
    ("a claim of counts is taken for one of the definition", "analyses/robustness/definitions.py", "check.statistic in PUBLISHED.get(check.output, ())", "check.output in PUBLISHED"),
    ("weeks are days", "study/parts.py", "\"weeks\": 7.0", "\"weeks\": 1.0"),
    ("one event fewer is compared", "analyses/policy.py", "if sum(counts) < least else", "if sum(counts) <= least else"),
    ("a formula that begins with a tab", "study/written.py", "if cell[:1] in \"\\t\\r\" or", "if cell[:1] in \"\\r\" or"),
    ("a report of other versions is kept", "batch/workers.py", "SAME = (\"study\", \"parameters\", \"versions\", \"inputs\")", "SAME = (\"study\", \"parameters\", \"inputs\")"),
    ("one real report hides that others are synthetic", "publish/folder.py", "synthetic = any(report.header[\"synthetic\"]", "synthetic = all(report.header[\"synthetic\"]"),
    ("a report that cannot be swapped in loses the old one", "run/target.py", "finally:\n        if old.exists() and not target.exists():", "finally:\n        if old.exists() and target.exists():"),
    ("medians of few patients are shared", "show/disclosure/audience.py", "frame[\"median\"].where(n >= 2 * small)", "frame[\"median\"].where(n >= small)"),
    ("quartiles of few patients are shared", "show/disclosure/audience.py", "frame[c].where(n >= 4 * small)", "frame[c].where(n >= 2 * small)"),
    ("values of patients are shared to the digit", "show/disclosure/rounding.py", "DIGITS = 3", "DIGITS = 9"),
    ("a shared curve steps for single patients", "show/disclosure/audience.py", "abs(events[i] - other) >= small or", "abs(events[i] - other) >= 1 or"),
    ("a shared curve runs on for few", "show/disclosure/audience.py", "and after[i] >= small:", "and after[i] >= 1:"),
    ("a part that leaves out few is shared", "show/disclosure/audience.py", "if 0 < whole[arm.id] - data.n[arm.id] < least]", "if 0 < whole[arm.id] - data.n[arm.id] < 1]"),
    ("extremes are shared", "show/disclosure/audience.py", "SINGLE = [\"min\", \"max\"]", "SINGLE = [\"min\"]"),
    ("a report made again by another version shows what it hid", "show/disclosure/jointly.py", "any(cell not in before.cells", "all(cell not in before.cells"),
    ("the least that a hidden count can be is not searched", "show/disclosure/program.py", "self._end(self._place[key], 1.0), self._end", "self._end(self._place[key], -1.0), self._end"),
    ("12.3+ is an event", "intake/new_study/outcomes/written_times.py", '{True: "censored", False: "event"}', '{True: "event", False: "censored"}'),
    ("codes that a name does not explain are put in words", "intake/new_study/headers.py", "not cells.isin(legend).all()", "not cells.isin(legend).any()"),
    ("a part does not say that it can be subtracted", "show/disclosure/audience.py", "return bool(p.arms or p.leaves_out or", "return bool(p.arms and p.leaves_out or"),
    ("more patients needed is harm", "show/labels.py", "'B' if (number > 0) == good else 'H'", "'B' if (number < 0) == good else 'H'"),
    ("an interval through infinity passes 0", "show/labels.py", "elif (limits[0] > 0) == (limits[1] > 0):", "elif True:"),
    ("who starts high is credited with it", "statistics/models/ancova.py", "float(weights @ self.change) - self.slope * away", "float(weights @ self.change) + self.slope * away"),
    ("a volume is compared in cm3", "analyses/efficacy/markers.py", "volumes_to_adjust(data), visits, log=True)", "volumes_to_adjust(data), visits, log=False)"),
    ("everybody but the population is analysed", "dataset/dataset.py", "patients[population.flag] == population.inside", "patients[population.flag] != population.inside"),
    # what was computed once
    ("a parameter that was read does not count", "study/parameters.py", "EVERY & {name}))", "EVERY - EVERY))"),
    ("what a data set remembers was read by nobody", "dataset/dataset.py", "        noting.note(read)\n", ""),
    ("frames of another analysis do not count", "kept/results.py", "noting.note([(id(self), name)])", "noting.note([])"),
    ("anybody's pickle is loaded", "kept/store.py", "if hmac.compare_digest(signed, self._sign(name, content)):", "if signed:"),
    ("what others can change is loaded", "kept/store.py", "and not found.st_mode & 0o077", ""),
    ("the worst is the best", "analyses/efficacy/shifts.py", "(WORST, np.nan): by_patient.max()", "(WORST, np.nan): by_patient.min()"),
    ("the last is the first", "analyses/efficacy/shifts.py", "by_patient.last()", "by_patient.first()"),
    ("a trend runs the other way", "statistics/survival/logrank.py", "float(score @ (observed - expected))", "float(score @ (expected - observed))"),
    ("lesions are taken for patients", "statistics/survival/clustered.py", "codes, names = pd.factorize(owner[rows])", "codes, names = pd.factorize(rows)"),
    ("failing lesions are counted as patients", "analyses/efficacy/lesion_control.py", "patients = _by_patient(lesions)", "patients = lesions"),
    ("a death is a failure of the lesion", "dataset/lesions.py", "\"event\": grown,", "\"event\": grown | death.notna(),"),
    ("untreated targets are in the field", "dataset/lesions.py", "found[found[\"treated\"] & found[\"target\"]]", "found[found[\"target\"]]"),
    ("failure stands for control", "analyses/efficacy/dose_response.py", "kept=1 - clustered", "kept=clustered"),
    ("the dose of a later line", "dataset/lesions.py", "rows = rows[(line == 1) & ", "rows = rows["),
    # guards of the page for a ward
    ("a frame's count of buffers is believed", "explore/gate.py", "if not V1_OFFSETS <= count <= V1_OFFSETS + MOST_BUFFERS:", "if not V1_OFFSETS <= count:"),
    ("a frame's offsets are believed", "explore/gate.py", "    _in_order([8 * (count + 1), *offsets, len(message)])\n", ""),
    ("a deep message is parsed", "explore/gate.py", "or _deeper_than(value, DEEPEST)", "or False"),
    ("a long message is parsed", "explore/gate.py", "if len(message) > MAX_MESSAGE_BYTES:", "if len(message) > 100 * MAX_MESSAGE_BYTES:"),
    ("a disabled control is heard", "explore/view.py", "if not getattr(widget, \"disabled\", False):", "if True:"),
    ("a reader sets what it is shown", "explore/view.py", "if name in asked})", "if True})"),
    ("a picture of other choices is shown", "explore/view.py", " and _agree(one.read, parameters)", ""),
    ("a token can be guessed as fast as one likes", "explore/ward.py", "if now < until:", "if False:"),
    ("another's kernel can be used", "explore/kernels.py", " and self._owners[kernel_id].visitor == visitor", ""),
    ("messages are not counted", "explore/kernels.py", "self._rates[kernel_id].spend()", "True"),
    ("any widget can be opened", "explore/ward.py", "content.get(\"target_name\") == LIST_OF_WIDGETS", "True"),
    ("there is a place for everybody", "explore/kernels.py", "while not self._is_free():", "while False:"),
    ("who left keeps the place", "explore/kernels.py", "self._left_longest(GRACE_SECONDS) or ", ""),
    ("one computer keeps everybody out", "explore/kernels.py", " or self._one_of_many(computer)", ""),
    ("a visitor may have any number of pages", "explore/kernels.py", "theirs[: len(theirs) + 1 - PAGES_EACH]", "theirs[:0]"),
    ("the server goes before a kernel", "explore/kernels.py", "write_text(\"1000\")", "write_text(\"0\")"),
    ("what is never read is kept", "explore/ward.py", "if self.unread + size > MOST_UNREAD_BYTES:", "if False:"),
    ("the page answers to any name", "explore/serve.py", "\"allow_remote_access\": False", "\"allow_remote_access\": True"),
    ("a kernel may fill the machine", "explore/serve.py", "\"memory\": KERNEL_BYTES", "\"memory\": 0"),
    ("a saved report is overwritten unasked", "explore/saving.py", "\"w\" if replace else \"x\"", "\"w\""),
)]  # fmt: skip
