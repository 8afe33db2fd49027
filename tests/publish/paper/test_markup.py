"""HTML of the notebooks -> blocks: nothing is lost, nothing is added, nothing stays markup."""

import html

from hypothesis import given
from hypothesis import strategies as st

from lib.publish.paper.layout import Definitions, Heading, Paragraph, Run, Table, printed
from lib.publish.paper.markup import read_blocks
from lib.show.display import Column, Row
from lib.show.display import Table as ShownTable


def test_text_lists_and_headings():
    blocks = read_blocks(
        '<div class="keyresults"><h2>Key <em>results</em></h2><ul><li>One <strong>two</strong></li><li>three</li></ul>'
        '</div><p class="banner">Synthetic</p><p>a<br>b <a href="x.html">c</a></p><ol><li>d</li></ol><p> </p>'
    )
    assert blocks == [
        Heading(2, "Key results"),
        Paragraph((Run("One "), Run("two", "strong")), "key"),
        Paragraph((Run("three"),), "key"),
        Paragraph((Run("Synthetic"),), "banner"),
        Paragraph((Run("a\nb c"),)),
        Paragraph((Run("d"),), "item"),
    ]


def test_what_acts_or_has_no_place_on_paper_is_left_out():
    blocks = read_blocks(
        "<p>kept</p><script>1</script><style>p{}</style><button>Copy</button><nav>menu</nav><!-- said -->"
        '<p hidden>hidden</p><a download="t.csv" href="data:">CSV</a><h2>Title<a class="anchor-link" href="#t">¶</a></h2>'
    )
    assert blocks == [Paragraph((Run("kept"),)), Heading(2, "Title")]


def test_loose_text_and_details():
    blocks = read_blocks(
        "<div>loose <code>x</code><details><summary>More</summary><pre> a\n  b</pre></details>end</div>"
    )
    assert [(block.text, block.role) for block in blocks] == [
        ("loose x", ""),
        ("More", "term"),
        (" a\n  b", "code"),
        ("end", ""),
    ]


def test_definitions():
    (block,) = read_blocks(
        '<dl class="meta"><dt>Arms</dt><dd><ul><li><span class="swatch" style="background:#0072B2"></span>A (n = 1)</li>'
        "<li>B</li></ul></dd><dt>None</dt></dl>"
    )
    runs = (Run("■", colour="#0072B2"), Run("\N{NO-BREAK SPACE}A (n = 1); B"))
    assert block == Definitions((("Arms", runs),), aligned=True)


def test_table():
    shown = ShownTable(
        "t",
        "A < B",
        (Column("Row"), Column("Drug", "n = 2", "#0072B2"), Column("Words", text=True)),
        (
            Row(("Group",), "group"),
            Row(("first", "1\u202f204.5 (1.0 to 2.0)", "w")),
            Row(("deep", "NR (2 to 3)", ""), "sub"),
        ),
        ("Note & more.",),
    )
    (table,) = read_blocks(shown._repr_mimebundle_()[0]["text/html"])
    assert isinstance(table, Table)
    assert (table.title, table.notes, table.numeric) == ("A < B", ("Note & more.", "NR: not reached."), (False, True, False))
    head = table.head[0].cells[1]
    assert (head.text, head.detail, head.colour) == ("Drug", "n = 2", "#0072B2")
    group, first, deep = table.body
    assert (group.kind, group.cells[0].text, group.cells[0].columns) == ("group", "Group", 3)
    assert [cell.text for cell in first.cells] == ["first", "1\u202f204.5 (1.0 to 2.0)", "w"]
    assert [cell.whole for cell in first.cells] == ["", "1\u202f204", ""]
    assert deep.kind == "sub"
    assert deep.cells[1].whole == ""


def test_merged_cells_of_a_head():
    (table,) = read_blocks(
        "<table><thead><tr><th rowspan=2>Row</th><th colspan=2>Arm</th></tr><tr><th>n</th><th>%</th></tr></thead>"
        "<tbody><tr><th>a</th><td>1</td><td>2</td></tr></tbody></table>"
    )
    assert [(c.text, c.columns, c.rows) for c in table.head[0].cells] == [("Row", 1, 2), ("Arm", 2, 1)]
    assert table.numeric == (False, False, False)


@given(st.text())
def test_any_text_arrives_as_itself(text):
    """Whatever a cell holds is read as text: only white space and what cannot be printed change."""
    (paragraph,) = read_blocks(f"<p>start {html.escape(text)} end</p>")
    wanted = " ".join(printed(text).split())
    assert " ".join(paragraph.text.split()) == " ".join(f"start {wanted} end".split())
