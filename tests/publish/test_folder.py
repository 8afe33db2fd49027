"""Executed notebooks -> files. Nothing is lost, nothing is shown unescaped, nothing is written twice."""

import csv
import io
import re

import demo_notebooks as demo
import nbformat
import pytest

from lib.publish.folder import PublishError, publish, read_report
from lib.publish.pages import inline_svg, outline, standalone_svg

RUN = {"command": "python -m lib report", "commit": "unknown", "versions": {"python": "3.11"}}


def _publish(folder, executed):
    publish(executed, folder, RUN | {"parameters": {name: {"study": "data/x"} for name in executed}})
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


def test_files(tmp_path):
    files = _publish(tmp_path, {name: demo.executed(name) for name in ("cohort", "efficacy")})
    assert sorted(files) == [
        "cohort.html",
        "efficacy.html",
        "figures/cohort_curve.svg",
        "figures/efficacy_curve.svg",
        "index.html",
        "notebooks/cohort.ipynb",
        "notebooks/efficacy.ipynb",
        "results.csv",
        "tables/cohort_counts.csv",
        "tables/efficacy_counts.csv",
    ]
    assert [row["report"] for row in csv.DictReader(io.StringIO(files["results.csv"]))] == ["cohort", "efficacy"]
    assert files["tables/cohort_counts.csv"] == "Step,n\nTreated,39\n"
    assert "<title>A curve</title><desc>Falls from 1 to 0, &quot;fast&quot;</desc>" in files["figures/cohort_curve.svg"]
    nbformat.validate(nbformat.reads(files["notebooks/cohort.ipynb"], as_version=4))
    linked = re.findall(r'href="([^"#:]+)"', files["index.html"])
    assert set(linked) == (set(files) | {"run.json"})
    assert "A curve" in re.search(r'href="figures/cohort_curve.svg".*?</li>', files["index.html"], re.DOTALL)[0]


def test_a_shared_report_does_not_point_to_the_list_of_queries(tmp_path):
    notebook = demo.executed("cohort")
    notebook.cells[1].outputs[0].metadata["cohort_report"]["parameters"] = {"audience": "share"}
    assert "queries.csv" not in _publish(tmp_path, {"cohort": notebook})["index.html"]


def test_figures_and_tables_are_numbered_and_listed(tmp_path):
    page = _publish(tmp_path, {"cohort": demo.executed("cohort", demo.outputs("other")[2:3])})["cohort.html"]
    assert re.findall(r'class="number">([^<]+)</span> ([^<]+)<', page) == [
        ("Table 1.", "Counts"),
        ("Figure 1.", "A curve"),
        ("Table 2.", "Counts"),
    ]
    assert '<a href="#figure-curve"><span class="muted">Figure 1</span> A curve</a>' in page


def test_a_figure_on_the_overview_says_where_its_words_are(tmp_path):
    executed = {name: demo.executed(name) for name in ("cohort", "efficacy")}
    for output in executed["efficacy"].cells[1].outputs:
        if output.metadata["cohort_report"]["kind"] == "key_results":
            output.metadata["cohort_report"]["summary"] = {"effects": demo.TABLE}
    page = _publish(tmp_path, executed)["index.html"]
    assert page.count("<svg") == 1
    assert 'href="efficacy.html#figure-curve"' in page


def test_overview_says_what_was_found(tmp_path):
    text = _publish(tmp_path, {name: demo.executed(name) for name in ("cohort", "efficacy")})["index.html"]
    assert "A study of &lt;two&gt; arms &amp; a half" in text
    assert text.count("39 patients &lt; 40 &amp; more.") == 2
    assert text.count("All checks hold.") == 2
    assert "39 patients" in text
    assert re.search(r"2 open data queries.*cohort\.html", text)
    assert "Synthetic data." in text
    assert RUN["command"] in text


@pytest.mark.parametrize(("cohort", "efficacy"), [(True, True), (True, False), (False, True), (False, False)])
def test_one_synthetic_report_makes_all_synthetic(cohort, efficacy, tmp_path):
    """The banner stands on the overview and on every page, whichever of the reports it is."""
    executed = {"cohort": demo.executed("cohort"), "efficacy": demo.executed("efficacy")}
    for name, synthetic in (("cohort", cohort), ("efficacy", efficacy)):
        executed[name].cells[1].outputs[0].metadata["cohort_report"]["synthetic"] = synthetic
    files = _publish(tmp_path, executed)
    said = ["Synthetic data" in files[name] for name in ("index.html", "cohort.html", "efficacy.html")]
    assert said == [cohort or efficacy] * 3


def test_a_table_id_that_two_notebooks_share(tmp_path):
    shared = {"kind": "table", "id": "queries", "title": "Q", "csv": "a\n1\n"}
    executed = {name: demo.executed(name, [demo.shown(shared, demo.TABLE)]) for name in ("cohort", "safety")}
    files = _publish(tmp_path, executed)
    assert "tables/cohort_queries.csv" in files
    assert "tables/safety_queries.csv" in files
    assert "tables/queries.csv" not in files


def test_nothing_is_requested_and_code_is_hidden(tmp_path):
    files = _publish(tmp_path, {"cohort": demo.executed("cohort")})
    for name in ("cohort.html", "index.html"):
        page = files[name]
        assert "default-src 'none'" in page
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*\b(?:src|href)="([^"]*)"', page)
        assert all(url.startswith("data:") for url in loaded)
        assert "@import" not in page
        assert not re.search(r"url\((?!#)", page)
    assert re.search(r'<details class="code">\s*<summary>Code</summary>.*show', files["cohort.html"], re.DOTALL)


def test_tags(tmp_path):
    notebook = demo.executed("cohort")
    for tag, text in (("remove-cell", "never seen"), ("remove-input", "only its output")):
        output = nbformat.v4.new_output("stream", name="stdout", text=f"<b>printed by {tag}</b>")
        cell = nbformat.v4.new_code_cell(f"# {text}", outputs=[output], metadata={"tags": [tag]}, id=tag)
        notebook.cells.append(cell)
    page = _publish(tmp_path, {"cohort": notebook})["cohort.html"]
    assert "never seen" not in page
    assert "printed by remove-cell" not in page
    assert "only its output" not in page
    assert "&lt;b&gt;printed by remove-input&lt;/b&gt;" in page


def test_stderr_is_never_shown(tmp_path):
    noise = nbformat.v4.new_output("stream", name="stderr", text="/home/someone/x.py: UserWarning")
    page = _publish(tmp_path, {"cohort": demo.executed("cohort", [noise])})["cohort.html"]
    assert "UserWarning" not in page


@pytest.mark.parametrize(("ok", "mark", "look"), [(True, "✓", "good"), (False, "✗", "bad"), (None, "–", "open")])
def test_a_verdict_on_nothing_gets_no_tick(ok, mark, look, tmp_path):
    verdict = demo.shown({"kind": "verdict", "id": "v", "text": "What came out.", "ok": ok})
    page = _publish(tmp_path, {"cohort": demo.executed("cohort", [verdict])})["index.html"]
    assert re.search(rf'<li class="verdict {look}"><span class="mark" aria-hidden="true">{mark}</span>[^\n]*What came out', page)


def test_metadata_is_escaped(tmp_path):
    evil = '<script>alert(1)</script>"\''
    figure = {"kind": "figure", "id": "f", "title": evil, "alt": evil}
    table = {"kind": "table", "id": "t", "title": evil, "csv": "a\n"}
    verdict = {"kind": "verdict", "id": "v", "text": evil, "ok": False}
    pictured = demo.shown(figure, **{"image/svg+xml": demo.SVG})
    extra = [pictured, demo.shown(table, "<table></table>"), demo.shown(verdict)]
    notebook = demo.executed("cohort", extra)
    notebook.cells[1].outputs[0].metadata["cohort_report"] |= {"title": evil, "short_title": evil}
    files = _publish(tmp_path, {"cohort": notebook})
    for name, text in files.items():
        if not name.endswith(".ipynb"):
            assert "<script>alert" not in text
            assert text.count("<script>") <= 1


@pytest.mark.parametrize(
    ("index", "change", "message"),
    [
        (0, None, "0 outputs of kind header"),
        (5, None, "0 outputs of kind results"),
        (5, {"csv": "report,output\n"}, "results need the columns"),
        (5, {"csv": ""}, "results need the columns"),
        (5, {"csv": f"{demo.COLUMNS}\na,b,c,d,,n,1,m\na,b,c,d,,n,2,m\n"}, "given twice"),
        (2, {"id": "../../evil"}, "cannot be a file name"),
        (2, {"kind": "tabel"}, "unknown kind of output 'tabel'"),
    ],
)
def test_broken_promises(tmp_path, index, change, message):
    notebook = demo.executed("cohort")
    outputs = notebook.cells[1].outputs
    if change is None:
        del outputs[index]
    else:
        outputs[index].metadata["cohort_report"] |= change
    with pytest.raises(PublishError, match=message):
        _publish(tmp_path, {"cohort": notebook})


def test_the_same_output_twice():
    for index, message in ((0, "2 outputs of kind header"), (2, "table id cohort_counts is given twice")):
        with pytest.raises(PublishError, match=message):
            read_report("cohort", demo.executed("cohort", [demo.outputs("cohort")[index]]))


def test_an_error_is_never_published():
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="bad", traceback=[])
    with pytest.raises(PublishError, match="an output is an error: ValueError: bad"):
        read_report("cohort", demo.executed("cohort", [error]))


def test_inline_svg_keeps_to_itself():
    svg = inline_svg(demo.SVG, "one", 'a "b" <c>')
    assert svg.startswith('<svg id="one" role="img" aria-label="a &quot;b&quot; &lt;c&gt;"')
    assert "<metadata>" not in svg
    assert "DOCTYPE" not in svg
    assert "#one * {stroke-linejoin" in svg
    assert 'href="#one-m1"' in svg
    assert "url(#one-p1)" in svg
    assert all(name.startswith("one") for name in re.findall(r'\bid="([^"]+)"', svg))
    assert "viewBox" in svg
    assert "clipPath" in svg


def test_standalone_svg_is_xml():
    from xml.etree import ElementTree  # noqa: PLC0415

    root = ElementTree.fromstring(standalone_svg(demo.SVG, "A < B", "a & b").encode())
    assert [root[0].text, root[1].text] == ["A < B", "a & b"]


def test_outline():
    found = outline('<h1>Top</h1><h2 class="x">A <em>b</em> &amp; c</h2>\n<h2>A b &amp; c</h2><h3 id="own">D</h3>')
    assert found.headings == [(1, "top", "Top"), (2, "a-b-c", "A b & c"), (2, "a-b-c-2", "A b & c"), (3, "own", "D")]
    assert '<h2 class="x" id="a-b-c">A <em>b</em> &amp; c</h2>' in found.html
    assert found.html.count('id="own"') == 1
