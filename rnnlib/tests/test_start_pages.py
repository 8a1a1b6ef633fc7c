"""The start pages: each command they show works, each sentence is the check's own."""

import json
import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from rnnlib.checks import exercise
from rnnlib.grading.review import to_review
from rnnlib.tests.start_pages import PAGES, ROOT, commands, run_page, text

README = (ROOT / "README.md").read_text(encoding="utf-8")
VERSIONS = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
VERSIONS = VERSIONS["jobs"]["readme"]["strategy"]["matrix"]["python"]


# ---------------------------------------------------------------- set up

#: Lines for a system that is not this one, and what here vouches for them.
ELSEWHERE = {
    "py -m venv .venv": "the module venv",
    r".venv\Scripts\Activate.ps1": "a script that venv brings",
    "Set-ExecutionPolicy -Scope Process -ExecutionPolicy RemoteSigned": "Windows",
    "conda create -n rnn python=3.12": "a version that is tested",
    "conda activate rnn": "the name in the line before",
}


def test_each_command_is_the_readmes_or_vouched_for():
    lines = {line for page in PAGES for line in commands(page)}
    assert len(lines) > 10
    of_readme = {line for line in lines if re.search(rf"(?<![\w./-]){re.escape(line)}(?![\w-])", README)}
    of_rnnlib = {line for line in lines if line.startswith("python -m rnnlib ")}
    assert lines - of_readme - of_rnnlib == ELSEWHERE.keys()
    assert {"pip install -r requirements.txt", "pytest", "jupyter-book build ."} <= of_readme
    for line in lines:  # what a line names is there
        for file in re.findall(r"\S+\.(?:ipynb|txt)", line):
            assert (ROOT / file).is_file(), line
    scripts = Path(venv.__file__).parent / "scripts"
    assert (scripts / "common" / "Activate.ps1").is_file()
    assert re.search(r"python=(\S+)", " ".join(lines))[1] in VERSIONS
    assert (ROOT / "requirements.txt").read_text().splitlines()[-1] == "-e .[book,test]"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="these lines are for macOS and Linux")
def test_the_lines_for_macos_and_linux_make_an_environment(tmp_path):
    tab = re.search(r"\{tab-item\} Linux\n```console\n(.*?)```", text("setup"), re.DOTALL)[1]
    make, enter, fill = tab.splitlines()
    assert tab in re.search(r"\{tab-item\} macOS\n(.*?)````", text("setup"), re.DOTALL)[1]
    assert fill == "pip install -r requirements.txt"
    script = f"set -e\n{make}\n{enter}\npython -c 'import sys; print(sys.prefix)'\ncommand -v pip\n"
    run = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    prefix, pip = map(Path, run.stdout.splitlines())
    assert prefix.resolve() == (tmp_path / ".venv").resolve()
    assert pip.parent.resolve() == (tmp_path / ".venv" / "bin").resolve()


def test_set_up_runs_what_it_shows_and_says_what_the_project_needs(monkeypatch):
    names = run_page("setup", monkeypatch)  # the command that shows that all is right runs in it
    typed = [line for line in commands("setup") if line.startswith("python ")]
    assert [shlex.split(line)[1:] for line in typed] == [names["command"][1:]]
    assert names["versions"] == VERSIONS
    assert 0.2e9 < sum(names["sizes"].values()) < 5e9
    assert {"scipy", "pandas", "sphinx-book-theme", "nbval"} <= names["sizes"].keys()


# ---------------------------------------------------------------- labs


def test_the_page_about_labs_shows_the_labs(monkeypatch):
    names = run_page("labs", monkeypatch)
    rows = re.findall(r"<tr><th scope='row'>(.*?)</tr>", names["rows"])
    labs = sorted((ROOT / "labs").glob("*.ipynb"))
    assert len(rows) == len(labs) > 4
    for row, lab in zip(rows, labs, strict=True):
        cells = json.loads(lab.read_text(encoding="utf-8"))["cells"]
        assert f"../../labs/{lab.stem}.html" in row
        assert "<td data-label='points'>20</td>" in row
        number = sum("-text" in cell["id"] and cell["source"][0].startswith("## Exercise") for cell in cells)
        assert f"<td data-label='exercises'>{number}</td>" in row
        for chapter in re.findall(r"\.\./\.\./(book/\w+)\.html", row):
            assert (ROOT / f"{chapter}.md").is_file()


def test_what_the_page_says_of_checks_and_grades_is_so():
    page = text("labs")
    gap = re.search(r"```python\n(def rnn_step.*?)```", page, re.DOTALL)[1]
    cells = json.loads((ROOT / "labs" / "01_rnn.ipynb").read_text(encoding="utf-8"))["cells"]
    assert gap.strip() in ["".join(cell["source"]).strip() for cell in cells]
    assert ("After ten seconds" in page) == (exercise.LIMIT == 10)
    assert ("off by a millionth" in page) == (exercise.TOLERANCE == 1e-6)
    assert to_review("from rnnlib.models.rnn import RNN")
    assert to_review('"""rnnlib.models"""\nimport numpy as np\n# rnnlib.models') is None


# ---------------------------------------------------------------- in the built book


@pytest.mark.slow
@pytest.mark.parametrize("name", ["book/index.html", "book/start/labs.html"])
def test_the_link_of_a_check_leads_to_its_section(visit, book, name):
    links = visit(name).locator("p", has_text="In the book:").locator("a")
    assert links.count() > 0
    for link in links.all():
        page, _, section = link.get_attribute("href").partition("#")
        assert (book / name).parent.joinpath(page).is_file()
        assert (
            visit(str((book / name).parent.joinpath(page).resolve().relative_to(book)))
            .locator(f"section#{section} > h2, section#{section} > h3")
            .count()
            == 1
        )


@pytest.mark.slow
def test_a_page_shows_what_the_check_says(visit):
    said = visit("book/start/labs.html").locator(".traceback").all_inner_texts()
    questions = ["does not move when b does", "yours is (H, B)", "a matrix product is @", "not filled in yet"]
    for sentence, question in zip(said, questions, strict=True):
        assert question in " ".join(sentence.split())


@pytest.mark.slow
def test_the_systems_are_tabs_without_a_script_and_by_keyboard(visit):
    page = visit("book/start/setup.html", java_script_enabled=False)
    contents = page.locator(".sd-tab-content")
    assert contents.count() == 4
    for number, label in enumerate(page.locator(".sd-tab-label").all()):
        label.click()
        assert [c.is_visible() for c in contents.all()] == [k == number for k in range(4)]
    page = visit("book/start/setup.html")
    page.locator(".sd-tab-set > input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".sd-tab-content").nth(1).is_visible()
    label = page.locator(".sd-tab-label").nth(1)
    assert label.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.emulate_media(media="print")
    assert all(content.is_visible() for content in page.locator(".sd-tab-content").all())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["labs", "notation"])
def test_on_a_phone_a_picture_has_letters_to_read_and_a_table_its_columns_below_each_other(visit, name):
    page = visit(f"book/start/{name}.html", viewport={"width": 390, "height": 844})
    sizes = page.locator(".picture > svg text").evaluate_all(
        "texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 11
    for table in page.locator("table.conventions").all():
        assert table.bounding_box()["width"] <= 390
        assert table.locator("td").first.evaluate("c => getComputedStyle(c, '::before').content") != "none"
