"""The page for a student, from rows as a grader writes them."""

import hypothesis.strategies as st
import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from rnnlib.grading.feedback import INSTEAD, feedback, plain
from rnnlib.grading.report import Row

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def row(exercise, verdict="wrong", points=0.0, message="h is wrong.", review=""):
    return Row("ada", "01_rnn", exercise, points, 2.0, verdict, review, message, "01_rnn.ipynb")


def sections(rows):
    """Heading -> what stands below it."""
    parts = feedback(rows).split("\n## ")[1:]
    return {head: text.strip() for head, _, text in (part.partition("\n") for part in parts)}


def test_what_is_said_of_several_exercises_is_said_once():
    rows = [row("1.1 a", "unfilled", message="not filled in yet"), row("1.2 b", "passed", 2.0, message="")]
    rows += [row("1.3 c", "unfilled", message="not filled in yet"), row("1.4 d")]
    assert sections(rows) == {
        "1.1 a, 1.3 c: unfilled": "not filled in yet",
        "1.4 d: wrong": "h is wrong.",
    }


def test_a_file_that_cannot_be_read_is_followed_by_what_to_do():
    rows = [row(name, "unreadable", message="the file is empty") for name in ("1.1 a", "1.2 b")]
    assert sections(rows) == {"1.1 a, 1.2 b: unreadable": f"the file is empty\n\n{INSTEAD}"}


def test_a_student_is_told_what_a_teacher_looks_at_and_has_done():
    lacks = row("1.1 a", "crashed", message="No module named torch", review="the grader lacks torch")
    assert "Your teacher is asked to look at this" in sections([lacks])["1.1 a: crashed"]
    assert "teacher" not in feedback([row("1.1 a", review="its code names inspect")])
    assert "| 1.1 a | 2 of 2 | crashed; points by your teacher |" in feedback([row("1.1 a", "crashed", 2.0)])


def test_of_two_labs_in_one_notebook_the_student_is_told():
    others = "holds 03_lstm, 04_gru, too: a lab is graded as a file of its own"
    for review in (others, f"2 notebooks of this lab. {others}. its code names inspect"):
        assert feedback([row("1.1 a", review=review)]).endswith(f"\n\nThis notebook {others}.\n")
    assert "This notebook" not in feedback([row("1.1 a", review="its code names inspect")])


def test_who_has_everything_right_is_told():
    right = [row(name, "passed", 2.0, message="") for name in ("1.1 a", "1.2 b")]
    assert feedback(right).endswith("\n\nEverything is right. Well done!\n")
    assert "Well done" not in feedback([*right, row("1.3 c", "crashed", 2.0)])
    assert "Well done" not in feedback([*right, row("1.3 c", "passed", 1.0)])


@pytest.mark.parametrize(
    "text",
    [
        "clipped['W_x'][0, 0] is -0.26, it should be 0.5: 2 * x + 1",
        "+1 arrives, -1 is expected",
        "a < b and b > c & d",
        "#3 is missing",
    ],
)
def test_what_is_no_mark_stays_as_it_is(text):
    """A page may be sent as a mail, and read as plain text."""
    assert plain(text) == text


@example("1. a")
@example("2) a")
@example("- a")
@example("* a")
@example("* * *")
@example("+ a")
@example("---")
@example("***")
@example("# a")
@example("> a")
@example("[a]: b")
@example("[a](b)")
@example("_a_ **b** ~~c~~ `d`")
@given(
    st.text(
        st.sampled_from("ab1 *_#>+-=|`~$<>&;[](){}!:/.\\'\"é") | st.characters(exclude_categories=["C", "Z"])
    )
)
def test_a_page_shows_any_text_as_it_stands(text):
    text = " ".join(text.split())
    page = MARKDOWN.parse(f"# A page\n\n{plain(text)}\n")
    shown = [token.content for inline in page[4:-1] for token in inline.children or ()]
    assert {token.type for inline in page[4:-1] for token in inline.children or ()} <= {
        "text",
        "text_special",
    }
    assert "".join(shown) == text
