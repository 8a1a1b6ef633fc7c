"""The page on troubleshooting: its messages are the library's own, and none about data is left out."""

import ast
import contextlib
import io
import linecache
import re
from pathlib import Path

import pytest

import rnnlib

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "book" / "appendix" / "troubleshooting.md"
TEXT = PAGE.read_text(encoding="utf-8")
CELL = re.compile(
    r"^```\{code-cell\} ipython3\n(---\n.*?^---\n|(?::[^\n]*\n)*)(.*?)^```$", re.MULTILINE | re.DOTALL
)
PARTS = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
#: The modules that read prices and prepare tables; the others of this room read what comes with the course.
DATA = Path(rnnlib.__file__).parent / "data"
SOURCES = sorted({path.stem for path in DATA.glob("*.py")} - {"synthetic", "text", "traffic", "weather"})
#: Functions there that return what is wrong, for others to raise.
RETURNED = {"fault", "split_notes", "_note_on"}
#: What is said in place of words that the page shows.
SIMILAR = {"rows of": "row of"}


@pytest.fixture(scope="module")
def screens():
    """The source of each cell tagged ``message``, and what it shows."""
    scope, shown = {"__name__": "page"}, []
    for number, (head, source) in enumerate(CELL.findall(TEXT)):
        if "hide-input" in head and "message" not in head:  # figures and measurements take seconds
            continue
        name = f"<cell {number}>"  # a check reads an answer's source
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(source, name, "exec"), scope)
        if "message" in head:
            shown.append((source, output.getvalue()))
    return shown


@pytest.fixture(scope="module")
def words(screens):
    """All that the cells show, in one line."""
    return " ".join(" ".join(output for _, output in screens).split())


def phrases(node, values):
    """The fixed words of an expression that makes a message.

    Args:
        node: of the syntax tree.
        values: name -> expressions that the function assigns to it; followed once each.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, " ".join(node.value.split())
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from phrases(part.value if isinstance(part, ast.FormattedValue) else part, values)
    elif isinstance(node, ast.IfExp):
        yield from [*phrases(node.body, values), *phrases(node.orelse, values)]
    elif isinstance(node, ast.BinOp):
        yield from [*phrases(node.left, values), *phrases(node.right, values)]
    elif isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from phrases(part, values)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Call):
        for part in node.args:
            yield from phrases(part, values)
    elif isinstance(node, ast.Name):
        for value in values.get(node.id, []):
            yield from phrases(value, {name: v for name, v in values.items() if name != node.id})


def messages(module):
    """(line, words): the fixed words of each message that the module's code can give.

    A message that a handler replaces without a look at it is seen by nobody.
    """
    tree = ast.parse((DATA / f"{module}.py").read_text(encoding="utf-8"))
    unseen = set()
    for block in ast.walk(tree):
        if isinstance(block, ast.Try) and all(
            handler.name is None and isinstance(handler.body[-1], ast.Raise) for handler in block.handlers
        ):
            unseen |= {node for part in block.body for node in ast.walk(part) if isinstance(node, ast.Raise)}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        values, said = {}, []
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                values.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.Raise) and node.exc and node not in unseen:
                said.append(node.exc)
            elif isinstance(node, ast.Return) and node.value and function.name in RETURNED:
                said.append(node.value)
        for expression in said:
            yield from (phrase for phrase in phrases(expression, values) if re.search("[a-z]{3}", phrase[1]))


@pytest.mark.parametrize("module", SOURCES)
def test_each_message_about_data_has_an_entry(words, module):
    assert [(line, text) for line, text in messages(module) if SIMILAR.get(text, text) not in words] == []


def test_a_message_without_an_entry_would_be_noticed(words):
    assert "no such message" not in words
    texts = [text for module in SOURCES for _, text in messages(module)]
    assert len(texts) > 100
    assert any("allows no more requests" in text for text in texts)
    assert not any("a zero byte" in text for text in texts)  # nobody sees that one


def test_each_screen_shows_a_failure(screens):
    assert len(screens) > 40
    for source, output in screens:
        lines = [line for line in output.splitlines() if line]
        assert lines, source
        for line in lines:
            assert re.match(
                r"\$ python -m rnnlib|>>> |rnnlib: |python: |✗ |\w+(Error|Kernel): |On \d|\d+ rows? of", line
            ), line
        assert not re.search(r"Traceback|/tmp|\\tmp", output), output


def test_a_heading_in_the_words_of_a_message_is_one(screens):
    """Whoever searches for them finds it: all words of the heading stand in one line, in this order."""
    lines = [f" {line} " for _, output in screens for line in output.splitlines()]
    starts = "Yahoo|yfinance f|cannot|must|there is|the (cache|loss|file)|is |in UTC|has |does "
    starts += "|no data|only the|leave|holds"
    headings = [line[4:] for line in TEXT.splitlines() if re.match(f"### ({starts})", line)]
    assert len(headings) > 25
    for heading in headings:
        for part in heading.split("; "):
            beginning = re.split("[,:] | …", part.rstrip("?"))[0]
            pattern = ".*".join(map(re.escape, beginning.split()))
            assert any(re.search(pattern, line) for line in lines), part


def test_each_entry_says_more_than_its_message():
    for entry in re.split(r"^###? ", TEXT, flags=re.MULTILINE)[1:]:
        heading, body = entry.split("\n", 1)
        prose = re.sub(r"^(`{3,})(.*?)^\1$", "", body, flags=re.MULTILINE | re.DOTALL)
        assert heading in PARTS or len(prose.split()) >= 8, heading


def test_the_overview_names_every_part():
    linked = re.findall(r"^\|.*\| \[(.+?)\]\(#(.+?)\) \|$", TEXT, re.MULTILINE)
    assert [title for title, _ in linked] == PARTS
    for title, anchor in linked:
        assert anchor == re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def test_others_messages_are_those_of_the_programs_installed_here():
    import jupyter_client.kernelspec
    import pip._internal.exceptions
    import sphinx.application

    for module, quote in [
        (pip._internal.exceptions, "externally-managed-environment"),
        (pip._internal.exceptions, "This environment is externally managed"),
        (sphinx.application, "(with warnings treated as errors)."),
        (jupyter_client.kernelspec, "No such kernel named"),
    ]:
        assert quote in Path(module.__file__).read_text(encoding="utf-8")
        assert quote in TEXT or quote == "No such kernel named"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "entry"),
    [
        ("allows no more requests", "Yahoo Finance allows no more requests for now"),
        ("must have shape got", "must have shape (B, T, D=3)"),
        ("the loss is inf", "the loss is inf, the loss is nan, the gradient's norm is nan"),
        ("not filled in", "A check says: not filled in yet"),
    ],
)
def test_a_few_words_of_a_message_lead_to_its_entry(visit, query, entry):
    page = visit("book/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type(query)
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li")
    results = page.locator("#search-results li").all_inner_texts()
    assert any(entry in result.replace("’", "'") for result in results[:3]), results[:5]


@pytest.mark.slow
def test_the_page_shows_its_messages_in_red_boxes(visit):
    page = visit("book/appendix/troubleshooting.html", viewport={"width": 390, "height": 844})
    boxes = page.locator(".tag_message .cell_output pre, .message pre")
    assert boxes.count() > 40
    plain = page.locator("article div.highlight-console pre").first
    colours = {box.evaluate("b => getComputedStyle(b).backgroundColor") for box in boxes.all()}
    assert len(colours) == 1
    assert colours != {plain.evaluate("b => getComputedStyle(b).backgroundColor")}
    for box in boxes.all():
        assert box.evaluate("b => b.scrollWidth <= b.clientWidth"), box.inner_text()
