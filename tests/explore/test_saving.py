"""What the page saves, and the copies of notebooks that JupyterLab works on."""

import datetime as dt

import pytest
from ruamel.yaml import YAML
from study_builder import write_study

from lib.explore import page as explore_page
from lib.explore import saving
from lib.explore.serve import copy_notebooks
from lib.study.parameters import NOTEBOOKS
from lib.study.study import ROOT

pytestmark = pytest.mark.notebook

RAIR = "data/rair_dtc"


@pytest.fixture
def page():
    return explore_page.Explorer(RAIR)


def test_saving_for_sharing_does_not_quote_tables_that_are_wrong(tmp_path, monkeypatch):
    """Errors name patient and value: what a report that cannot be made says is not for a shared audience."""
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path / "outputs")
    write_study(tmp_path / "mine", patients=lambda frame: frame.assign(arm=["Zebra", *frame["arm"][1:]]))
    for audience, quoted in (("share", False), ("internal", True)):
        saver = saving.Saver(lambda audience=audience: (str(tmp_path / "mine"), {"audience": audience}))
        saver.save()
        assert ("Zebra" in saver.said.value) == quoted
        assert (saving.UNQUOTED in saver.said.value) != quoted


def test_what_is_chosen_is_saved_as_parameters(page, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    page.form._endpoint.value = "os"
    page.form._cutoff.value = dt.date(2023, 6, 30)
    file = saving.write_parameters(page.form.folder, page.form.parameters(), "mine")
    assert file == tmp_path / "rair_dtc" / "mine.yml"
    assert YAML(typ="safe").load(file) == {"study": RAIR, "endpoint": "os", "cutoff": "2023-06-30"}
    assert set(YAML(typ="safe").load(file)) <= set(NOTEBOOKS["efficacy"].model_fields)
    for name in ("", "../x", "a/b", ".hidden", "x" * 41, "a b"):
        with pytest.raises(ValueError, match="the name of a report"):
            saving.write_parameters(RAIR, {}, name)


def test_saving_leaves_reports_alone_that_were_made_by_another_way(tmp_path, monkeypatch):
    """Whoever can save must not put another report in the place of the default one."""
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    (tmp_path / "rair_dtc" / "default").mkdir(parents=True)
    with pytest.raises(ValueError, match="there is a report called default already"):
        saving.write_parameters(RAIR, {}, "default")
    assert not (tmp_path / "rair_dtc" / "default.yml").exists()
    saving.write_parameters(RAIR, {}, "mine")
    (tmp_path / "rair_dtc" / "mine").mkdir()
    saving.write_parameters(RAIR, {"endpoint": "os"}, "mine", replace=True)
    with pytest.raises(ValueError, match="there is a report called default already"):
        saving.write_parameters(RAIR, {}, "default", replace=True)


def test_a_saved_report_is_replaced_only_when_that_was_asked_for(page, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    made = []
    monkeypatch.setattr(saving, "make_report", lambda file, progress: made.append(file) or file.with_suffix(""))
    page.saver.name.value = "mine"
    page.saver.save()
    first = (tmp_path / "rair_dtc" / "mine.yml").read_text("utf-8")
    page.form._endpoint.value = "os"
    page.saver.save()
    assert "there is a report called mine already" in page.saver.said.value
    assert (tmp_path / "rair_dtc" / "mine.yml").read_text("utf-8") == first
    assert len(made) == 1
    page.saver.replace.value = True
    page.saver.save()
    assert "endpoint: os" in (tmp_path / "rair_dtc" / "mine.yml").read_text("utf-8")
    assert len(made) == 2
    assert not page.saver.replace.value, "asked again the next time"


def test_saving_tells_how_far_it_is_and_what_failed(page, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    page.saver.name.value = "<>"
    page.saver.save()
    assert "Nothing was saved" in page.saver.said.value
    page.saver.name.value = "mine"
    (tmp_path / "rair_dtc" / "mine").mkdir(parents=True)
    (tmp_path / "rair_dtc" / "mine" / "thesis.txt").write_text("not a report")
    (tmp_path / "rair_dtc" / "mine.yml").touch()
    page.saver.replace.value = True
    page.saver.save()
    assert "No report was made" in page.saver.said.value
    assert "holds what no report wrote: thesis.txt" in page.saver.said.value.replace("\n", " ")
    assert not page.saver.button.disabled
    assert (tmp_path / "rair_dtc" / "mine" / "thesis.txt").exists()


def test_lab_works_on_copies_and_keeps_what_was_edited(tmp_path):
    import nbformat  # noqa: PLC0415

    assert copy_notebooks(tmp_path) == []
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    path = tmp_path / "efficacy.ipynb"
    mine = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in mine.cells)
    mine.cells[-1].outputs = [nbformat.v4.new_output("stream", text="once run")]
    nbformat.write(mine, path)
    assert copy_notebooks(tmp_path) == []
    assert "once run" not in path.read_text("utf-8"), "only run: replaced by the current one"
    mine.cells[-1].source += "\n# my thought"
    nbformat.write(mine, path)
    assert copy_notebooks(tmp_path) == ["efficacy.ipynb"]
    assert "my thought" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("explored", "explored"),
        ("My first look", "My-first-look"),
        ("Überleben, OS (2. Sicht)", "Uberleben-OS-2-Sicht"),
        ("Straße Ærø Łódź naïve", "Strasse-Aero-Lodz-naive"),
        ("Durée de survie à 24 mois", "Duree-de-survie-a-24-mois"),
        ("OS 生存 2024", "OS-2024"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("a/b\\c", "a-b-c"),
        ("a  --  b", "a-b"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("x" * 90, "x" * 40),
        (f"{'x' * 39} y", "x" * 39),
        ("e\u0301t\u00e9", "ete"),
        ("生存", ""),
        ("   ", ""),
        ("...", ""),
        ("１２ ﬁnal", "12-final"),
    ],
)
def test_any_name_makes_a_name_of_a_file(name, made):
    assert saving.slug(name) == made
    assert not made or saving.NAME.fullmatch(made)


def test_a_name_that_was_changed_is_said(page, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path)
    said = []
    monkeypatch.setattr(saving, "_made", lambda file, _: (said.append(page.saver.said.value), (file.with_suffix(""), ""))[1])
    page.saver.name.value = "Überleben: alle"
    page.saver.save()
    assert "is being made as Uberleben-alle;" in said[0]
    assert (tmp_path / "rair_dtc" / "Uberleben-alle.yml").exists()
    page.saver.name.value = "生存"
    page.saver.save()
    assert "Nothing was saved: the name of a report has letters a to z" in page.saver.said.value
