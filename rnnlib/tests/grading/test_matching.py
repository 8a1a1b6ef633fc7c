"""Which cells are an answer: what the judge is given, by pytest and in a class. No kernel runs here."""

import ast
import copy
from dataclasses import asdict

import nbformat
import pytest

from rnnlib.grading import matching, notebook, sandbox, submission
from rnnlib.grading.exercise import Cell
from rnnlib.grading.intake import reading
from rnnlib.tests.grading.submissions import (
    CASES,
    NAMES,
    RIGHT_SEQUENCE,
    ROOT,
    SOLUTION,
    STUDENT,
    answers,
    cell,
    code,
)

LABS = sorted((ROOT / "labs_solutions").glob("*.ipynb"))
NO_FILE = {"link_to_the_solution", "named_pipe"}  # pytest follows links, and the class command does not


@pytest.fixture
def nb():
    return notebook.read(SOLUTION)


def by_name(nb):
    return {each.name: each for each in matching.exercises(notebook.read(SOLUTION), nb)}


def readable(path):
    """(notebook, None), or (None, why it is none)."""
    try:
        return reading.loads(path.read_bytes()), None
    except notebook.UnreadableNotebook as error:
        return None, str(error)


def as_given(exercises):
    return [asdict(each) | {"check": each.check.source} for each in exercises]


@pytest.mark.filterwarnings("ignore::nbformat.validator.DuplicateCellId")
@pytest.mark.parametrize("name", [name for name in CASES if name not in NO_FILE])
def test_pytest_and_a_class_give_the_judge_the_same(name, tmp_path, monkeypatch):
    """So they give the same verdicts: they share the judge, and what runs is what it is given."""
    (tmp_path / "class" / "ada").mkdir(parents=True)
    CASES[name].make(tmp_path / "class" / "ada")
    monkeypatch.setattr(submission.release, "with_seed", lambda path, seed: path.read_text(encoding="utf-8"))
    found = submission.find(tmp_path / "class", sandbox.SOLUTIONS, seed=5).submissions
    assert found
    for one in found:
        path = tmp_path / "class" / "ada" / one.file
        if path.suffix != ".ipynb" or not path.is_file():  # pytest has no row for it
            continue
        student, problem = readable(path)
        if student is None:
            assert one.problem == problem
            continue
        solution = notebook.solution_for(path.stem, student, sandbox.SOLUTIONS)
        assert (solution.stem if solution else "") == one.lab
        if solution is None:
            continue
        own = matching.exercises(notebook.read(solution), student)
        theirs = matching.exercises(notebook.loads(one.solution), reading.loads(one.content.encode()))
        assert as_given(own) == as_given(theirs)


def test_answers_in_each_others_gaps_are_found(nb):
    clip, memory = cell(nb, "clip").source, cell(nb, "noisy_memory").source
    answers(nb, "clip", memory)
    answers(nb, "noisy_memory", clip)
    found = by_name(nb)
    assert [c.source for c in found["clip"].cells if c.answers] == [clip]
    assert [c.source for c in found["noisy_memory"].cells if c.answers] == [memory]


def test_what_an_answer_needs_stays_before_it_where_its_function_stands_elsewhere(nb):
    clip = cell(nb, "clip").source
    answers(nb, "clip", "limit = 1")
    nb.cells.insert(nb.cells.index(cell(nb, "clip_check")), code(clip))
    assert [c.source for c in by_name(nb)["clip"].cells if c.answers] == ["limit = 1", clip]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("fenced", [False, True])
def test_an_answer_in_a_text_cell_is_told(nb, kind, fenced):
    cell(nb, "rnn_step").cell_type = kind
    if fenced:
        answers(nb, "rnn_step", f"Mine:\n```python\n{cell(nb, 'rnn_step').source}\n```")
    found = by_name(nb)
    assert found["rnn_step"].unfilled == "your answer stands in a text cell: make it a code cell"
    assert not any(found[name].unfilled for name in NAMES[1:])


def test_an_answer_copied_into_a_new_text_cell_is_told(nb):
    student = notebook.read(STUDENT)
    student.cells.append(nbformat.v4.new_markdown_cell(cell(nb, "rnn_step").source))
    assert "text cell" in by_name(student)["rnn_step"].unfilled


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("start", ["# ", "#", "    # "])
def test_an_answer_in_comments_is_told(nb, start, beside):
    """A student has typed Ctrl+/ and forgotten it."""
    answer, gap = cell(nb, "rnn_step").source, cell(notebook.read(STUDENT), "rnn_step").source
    comments = "".join(f"{start}{line}\n" for line in answer.splitlines())
    answers(nb, "rnn_step", gap if beside else gap.replace("    raise", f"{comments}    raise"))
    if beside:
        nb.cells.insert(nb.cells.index(cell(nb, "rnn_step_check")), code(comments))
    found = by_name(nb)
    assert found["rnn_step"].unfilled == "your answer stands in comments, which do not run: take the # away"
    assert not any(found[name].unfilled for name in NAMES[1:])
    answers(nb, "rnn_step", answer)
    assert by_name(nb)["rnn_step"].unfilled == ""


def test_what_later_exercises_may_need_stays_where_a_test_is_left_out(nb):
    helper = "def slope(h):\n    return 1 - h * h"
    answer = ast.unparse(ast.parse(RIGHT_SEQUENCE))
    answers(nb, "rnn_sequence", f"{answer}\n{helper}\nfor i in range(9):\n    print(i)\ntiny = abs(0)")
    exercise = by_name(nb)["rnn_sequence"]
    assert [c.source for c in exercise.alone().cells if c.answers] == [answer]
    exercise.leave_out_tests()
    assert [c.source for c in exercise.cells if c.answers] == [f"{answer}\n{helper}\ntiny = abs(0)"]
    assert by_name(notebook.read(SOLUTION))["rnn_sequence"].alone() is None


def test_what_changes_a_thing_that_a_function_needs_is_needed(nb):
    lines = ["w = {'b': 1}", "class C:\n    pass", "def f():\n    return w['b'] + C.g"]
    changes = ["w['b'] = 2", "w.update(b=3)", "C.g = 1", "w['b'] += 1", "del w['b']"]
    aside = ["v = {}", "v['b'] = 2", "v.update(w)", "np.f = f", "f()", "print(w)"]
    exercise = by_name(nb)["rnn_step"]
    answer = "def rnn_step():\n    return f()"
    exercise.cells = [Cell("\n".join([*lines, *aside, *changes, answer]), "")]
    assert exercise.alone().cells[0].source == "\n".join([*lines, *changes, answer])


def test_a_cell_with_a_profiler_is_its_code(nb):
    exercise = by_name(nb)["rnn_sequence"]
    exercise.cells = [Cell(f"%%prun -q\n{RIGHT_SEQUENCE}print(1)", "")]
    assert exercise.alone().cells[0].source == ast.unparse(ast.parse(RIGHT_SEQUENCE))


def test_an_answer_in_quotes_is_told(nb):
    answer = cell(nb, "rnn_step").source.replace('"""', "")
    answers(nb, "rnn_step", f'"""\n{answer}\n"""')
    where = "your answer stands in quotes, so that it does not run: take them away"
    assert by_name(nb)["rnn_step"].unfilled == where


@pytest.mark.parametrize(
    "comment", ["# TODO", "# tanh of what?", "# x = 1", "# def other(x): pass", "# return to this one later"]
)
def test_other_comments_are_no_answers(comment):
    student = notebook.read(STUDENT)
    gap = cell(student, "rnn_step")
    gap.source = gap.source.replace("    raise", f"    {comment}\n    raise")
    assert by_name(student)["rnn_step"].unfilled == "not filled in yet"


@pytest.mark.parametrize("text", ["My rnn_step is short.", "def other(x):\n    return x", ""])
def test_other_texts_are_no_answers(text):
    student = notebook.read(STUDENT)
    student.cells.append(nbformat.v4.new_markdown_cell(text))
    gap = copy.deepcopy(cell(student, "rnn_step"))
    gap.cell_type = "markdown"
    student.cells.append(gap)
    assert by_name(student)["rnn_step"].unfilled == "not filled in yet"


def test_of_two_answers_the_one_that_counts_is_named(nb):
    assert not any(exercise.note for exercise in by_name(nb).values())
    place = nb.cells.index(cell(nb, "rnn_sequence"))
    nb.cells.insert(place, code("def rnn_sequence(*a):\n    return 0"))
    assert by_name(nb)["rnn_sequence"].note == "rnn_sequence is made in 2 cells: the last one counts."
    nb.cells.append(code("def rnn_sequence(*a):\n    return 1"))
    assert "Another rnn_sequence stands below its check" in by_name(nb)["rnn_sequence"].note
    copied = notebook.read(SOLUTION)
    copied.cells.append(copy.deepcopy(cell(copied, "rnn_step")))
    assert by_name(copied)["rnn_step"].note == ""


def test_code_in_a_check_cell_runs_before_its_own_check(nb):
    check = cell(nb, "rnn_step_check")
    check.source = f"helper = 1\n{check.source}"
    exercises = by_name(nb)
    assert exercises["rnn_step"].cells[-1].source == check.source
    assert check.source not in [c.source for c in exercises["rnn_sequence"].cells]


def test_code_above_all_cells_runs_first(nb):
    nb.cells.insert(0, code("import math"))
    assert by_name(nb)["rnn_step"].cells[0].source == "import math"


def test_a_gap_in_other_words_replaces_no_answer(nb):
    place = nb.cells.index(cell(nb, "rnn_step_check"))
    nb.cells.insert(place, code("def rnn_step(x):\n    'Later.'\n    raise NotImplementedError('mine')"))
    exercise = by_name(nb)["rnn_step"]
    assert not any("Later." in c.source for c in exercise.cells)
    assert exercise.note == ""


def test_an_answer_copied_and_changed_below_its_check_replaces_none(nb):
    changed = copy.deepcopy(cell(nb, "rnn_step"))
    changed.source = "def rnn_step(*a):\n    return 0"
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_step_check")) + 1, changed)
    exercises = by_name(nb)
    assert [c.source for c in exercises["rnn_step"].cells if c.answers] == [cell(nb, "rnn_step").source]
    assert changed.source in [c.source for c in exercises["rnn_sequence"].cells if c.solution is None]


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_no_figure_is_drawn_for_a_grade(path):
    nb = notebook.read(path)
    figures = {c.source for c in nb.cells if matching.FIGURE in c.metadata.get("tags", [])}
    sources = {c.source for exercise in matching.exercises(nb) for c in exercise.cells}
    assert figures.isdisjoint(sources)
    assert sources


@pytest.mark.parametrize("name", [None, "01_rnn", "nix"])
@pytest.mark.parametrize("stem", ["homework", "01_rnn", "03_lstm"])
def test_a_notebook_belongs_to_the_lab_whose_exercises_it_holds(stem, name):
    """Whatever it is called, in its file's name and in its metadata."""
    nb = notebook.read(LABS[1])
    nb.metadata = nbformat.from_dict({"rnnlib": {"lab": name}})
    assert notebook.solution_for(stem, nb, LABS[1].parent) == LABS[1]


def test_a_file_belongs_to_the_lab_with_the_longest_name_that_begins_its_own(tmp_path):
    for name in ("01_rnn", "01_rnn_b", "02"):
        (tmp_path / f"{name}.ipynb").write_bytes(SOLUTION.read_bytes())
    for stem, lab in [("01_rnn_b (1)", "01_rnn_b"), ("01_rnn-1", "01_rnn"), ("02_x", "02")]:
        assert notebook.solution_for(stem, None, tmp_path).stem == lab


def test_what_is_made_below_a_check_alone_is_known(nb):
    answers(nb, "rnn_sequence", RIGHT_SEQUENCE.replace("rnn_step", "helper"))
    nb.cells.append(code("helper = rnn_step"))
    found = by_name(nb)
    assert "helper" in found["rnn_sequence"].below
    assert "rnn_step" not in found["rnn_sequence"].below
    nb.cells.insert(1, code("helper = rnn_step"))
    assert "helper" not in by_name(nb)["rnn_sequence"].below


def test_what_no_cell_makes_is_known(nb):
    answers(nb, "rnn_sequence", RIGHT_SEQUENCE + "\nfor step in range(3):\n    import math\n")
    made = by_name(nb)["rnn_step"].made
    assert {"np", "rnn_step", "step", "math", "compare"} <= made
    assert not {"t", "eps"} & made  # a function's own
    assert not by_name(None)["rnn_step"].made


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_a_lab_calls_answers_by_position(path):
    """A student may give the parameters other names."""
    nb = notebook.read(path)
    names = {notebook.grade_id(c) for c in nb.cells if notebook.role(c) == "answer"}
    sources = [c.source for c in nb.cells if notebook.role(c) == "provided"]
    calls = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    own = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names]
    assert not [ast.unparse(call) for call in own if call.keywords]
