"""Release and the pytest plugin: honest, wrong, odd and hostile notebooks."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from rnnlib.grading import notebook, release

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
SOLUTION = ROOT / "labs_solutions" / "01_rnn.ipynb"
STUDENT = ROOT / "labs" / "01_rnn.ipynb"
TITLES = [
    "Exercise 1.1 rnn_step",
    "Exercise 1.2 rnn_sequence",
    "Exercise 1.3 numerical_gradient",
    "Exercise 1.4 rnn_step_backward",
]


def answer_cell(nb, name):
    return next(cell for cell in nb.cells if notebook.grade_id(cell) == name)


@pytest.fixture
def solved():
    return notebook.read(SOLUTION)


@pytest.fixture
def grade(pytester):
    """Grade a notebook; return (verdict, points, message) for each exercise, and pytest's result."""

    def run(nb, *options, name="01_rnn.ipynb", outcomes=None):
        path = pytester.path / name
        path.write_text(nb if isinstance(nb, str) else nbformat.writes(nb), encoding="utf-8")
        result = pytester.runpytest(
            "--nbval", "--nbval-cell-timeout=6", "-p", "no:cacheprovider", path, *options
        )
        lines = {}
        for title in TITLES:
            line = next((line for line in result.outlines if line.strip().startswith(title)), None)
            if line is not None:
                rest = line.strip().removeprefix(title).split("  ")
                points, verdict, *message = [part.strip() for part in rest if part.strip()]
                lines[title] = (verdict, points, " ".join(message))
        if outcomes:
            result.assert_outcomes(**outcomes)
        return lines, result

    return run


def only_loses(lines, title, verdict):
    assert lines.pop(title)[:2] == (verdict, "0/5")
    assert set(lines.values()) == {("passed", "5/5", "")}
    assert len(lines) == 3


def test_the_unfilled_lab_fails_at_exactly_its_exercises(grade):
    lines, _ = grade(notebook.read(STUDENT), outcomes={"failed": 4})
    assert [line[:2] for line in lines.values()] == [("unfilled", "0/5")] * 4
    assert all("not filled in yet" in message for *_, message in lines.values())


def test_the_solved_lab_has_full_points(grade, solved):
    _, result = grade(solved, outcomes={"passed": 4})
    result.stdout.fnmatch_lines(["*total*20/20"])


@pytest.mark.parametrize("number", range(4))
def test_a_wrong_answer_loses_its_exercise_alone(grade, solved, number):
    name = TITLES[number].split()[-1]
    cell = answer_cell(solved, name)
    cell.source = {
        "rnn_step": "def rnn_step(x, h_prev, W_x, W_h, b):\n    return x @ W_x + h_prev @ W_h + b",
        "rnn_sequence": cell.source.replace("h = h0", "h = 0 * h0"),
        "numerical_gradient": cell.source.replace("(2 * eps)", "eps"),
        "rnn_step_backward": cell.source.replace("1 - h**2", "1 - h_prev**2"),
    }[name]
    lines, _ = grade(solved, outcomes={"passed": 3, "failed": 1})
    message = lines[TITLES[number]][2]
    only_loses(lines, TITLES[number], "wrong")
    sentence = {
        "rnn_step": "what keeps h between −1 and 1?",
        "rnn_sequence": "Step 1 ignores the h0",
        "numerical_gradient": "twice too big",
        "rnn_step_backward": "which state came out of this tanh?",
    }[name]
    assert sentence in message


HOSTILE = {
    "loop in the function": ("def rnn_sequence(*a):\n    while True:\n        pass", "timed out"),
    "loop in the cell": ("while True:\n    pass", "timed out"),
    "loop that swallows the interrupt": (
        "def rnn_sequence(*a):\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass",
        "timed out",
    ),
    "endless printing": ("def rnn_sequence(*a):\n    while True:\n        print('x' * 1000)", "timed out"),
    "os._exit in the function": ("def rnn_sequence(*a):\n    import os\n    os._exit(0)", "kernel died"),
    "os._exit in the cell": ("import os\nos._exit(0)", "kernel died"),
    "os.abort": ("import os\nos.abort()", "kernel died"),
    "sys.exit": ("import sys\ndef rnn_sequence(*a):\n    sys.exit()", "wrong"),
    "input": ("def rnn_sequence(*a):\n    return input()", "wrong"),
    "syntax error": ("def rnn_sequence(x, h0\n    return x", "wrong"),
    "silenced check": ("def rnn_sequence(*a): pass\nchecks.rnn_sequence = lambda f: print('✓')", "wrong"),
    "check shows other values": (
        "def rnn_sequence(*a): pass\nclass Fake:\n    def _repr_mimebundle_(self, **k):\n"
        "        return {'text/plain': '✓', 'application/vnd.rnnlib.values+json': [{'hs': [1.0]}]}\n"
        "checks.rnn_sequence = lambda f: Fake()",
        "wrong",
    ),
    "check shows no numbers": (
        "def rnn_sequence(*a): pass\nclass Fake:\n    def _repr_mimebundle_(self, **k):\n"
        "        return {'text/plain': '✓', 'application/vnd.rnnlib.values+json': None}\n"
        "checks.rnn_sequence = lambda f: Fake()",
        "wrong",
    ),
    "silenced traceback": (
        "def rnn_sequence(*a): pass\nget_ipython().showtraceback = lambda *a, **k: None",
        "wrong",
    ),
    "allclose says yes": (
        "import numpy\nnumpy.allclose = lambda *a, **k: True\ndef rnn_sequence(x, *a): return 0 * x",
        "wrong",
    ),
    "empty cell": ("", "wrong"),
    "np deleted": ("del np\ndef rnn_sequence(*a): pass", "wrong"),
    "built-in deleted": ("import builtins\ndel builtins.zip\ndef rnn_sequence(*a): pass", "wrong"),
    "checks shadowed": ("checks = None\ndef rnn_sequence(*a): pass", "wrong"),
    "everything reset": ("%reset -f", "wrong"),
    "kernel's code cut off": ("get_ipython().run_cell = None\ndef rnn_sequence(*a): pass", "wrong"),
    "two fakes": (
        "from IPython.display import display\ndef rnn_sequence(*a): pass\n"
        "mime = 'application/vnd.rnnlib.values+json'\n"
        "def fake(f):\n    for n in (1, 10**400):\n        display({mime: [{'hs': [n]}]}, raw=True)\n"
        "checks.rnn_sequence = fake",
        "wrong",
    ),
    "a display without data": (
        "from IPython.display import display\ndef rnn_sequence(*a): pass\n"
        "checks.rnn_sequence = lambda f: get_ipython().display_pub.publish({}, metadata={'a': 1})",
        "wrong",
    ),
}


ENDLESS = {"loop in the cell", "endless printing"}  # each waits for two time-outs


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow) if case in ENDLESS else case for case in HOSTILE]
)
def test_a_hostile_answer_loses_its_exercise_alone(grade, solved, case):
    source, verdict = HOSTILE[case]
    answer_cell(solved, "rnn_sequence").source = source
    lines, _ = grade(solved, outcomes={"passed": 3, "failed": 1})
    assert lines[TITLES[1]][2]
    only_loses(lines, TITLES[1], verdict)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"cells": 3}',
        "[]",
        "null",
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": '
        '[{"cell_type": "code", "id": [1], "source": "", "metadata": {}, "outputs": []}]}',
    ],
)
@pytest.mark.parametrize("name", ["01_rnn.ipynb", "01_rnn (1).ipynb", "homework.ipynb"])
def test_an_unreadable_notebook_is_told_in_a_line(grade, text, name):
    lines, result = grade(text, name=name, outcomes={"failed": 4})
    for verdict, points, message in lines.values():
        assert (verdict, points) == ("unreadable", "0/5")
        assert message.startswith("the notebook cannot be read")
    assert result.ret == 1  # failed tests, not an interrupted run


def test_a_broken_cell_is_told_by_its_check(grade, solved):
    answer_cell(solved, "rnn_step").source = "def rnn_step(x:\n"
    lines, _ = grade(solved, "-k", "rnn_step and not backward")
    assert "rnn_step is not defined, since its cell stopped with SyntaxError" in lines[TITLES[0]][2]


def test_a_changed_or_deleted_check_still_counts(grade, solved):
    answer_cell(solved, "rnn_step").source = "def rnn_step(*a): return 1"
    answer_cell(solved, "rnn_step_check").source = "print('✓ Exercise 1.1 rnn_step')"
    solved.cells.remove(answer_cell(solved, "rnn_sequence_check"))
    lines, _ = grade(solved)
    only_loses(lines, TITLES[0], "wrong")


def test_an_added_cell_runs_where_it_stands(grade, solved):
    """A helper below a text cell, used by the answer."""
    place = next(i for i, cell in enumerate(solved.cells) if cell.id == "rnn-step-text")
    solved.cells.insert(place + 1, nbformat.v4.new_code_cell("squash = np.tanh"))
    cell = answer_cell(solved, "rnn_step")
    cell.source = cell.source.replace("np.tanh", "squash")
    grade(solved, outcomes={"passed": 4})


def test_an_answer_split_in_two_cells(grade, solved):
    cell = answer_cell(solved, "rnn_step")
    second = nbformat.from_dict({**cell, "id": "other", "source": cell.source.replace("np.tanh", "squash")})
    cell.source = "squash = np.tanh"
    solved.cells.insert(solved.cells.index(cell) + 1, second)
    grade(solved, outcomes={"passed": 4})


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize("keeps_metadata", [True, False])
def test_a_gap_left_standing_does_not_replace_the_answer(grade, solved, below, keeps_metadata):
    filled = answer_cell(solved, "rnn_step")
    gap = nbformat.from_dict({**answer_cell(notebook.read(STUDENT), "rnn_step"), "id": "gap"})
    if not keeps_metadata:
        filled.metadata, filled.id = {}, "new"
    solved.cells.insert(solved.cells.index(filled) + below, gap)
    grade(solved, outcomes={"passed": 4})


def test_moved_and_stripped_cells_are_found(grade, solved):
    cell = answer_cell(solved, "rnn_sequence")
    solved.cells.remove(cell)
    solved.cells.append(cell)
    for i, cell in enumerate(solved.cells):  # a tool that keeps neither ids nor metadata
        cell.metadata, cell.id = {}, f"new-{i}"
    grade(solved, outcomes={"passed": 4})


def test_a_later_experiment_does_not_replace_an_answer(grade, solved):
    solved.cells.append(nbformat.v4.new_code_cell("def rnn_step(*a):\n    return 0"))
    grade(solved, outcomes={"passed": 4})


@pytest.mark.parametrize("name", ["01_rnn (1).ipynb", "homework.ipynb"])
def test_a_renamed_notebook_is_graded_as_what_it_is(grade, name):
    lines, _ = grade(notebook.read(STUDENT), name=name, outcomes={"failed": 4})
    assert len(lines) == 4


@pytest.mark.parametrize("keeps_cells", [True, False])
def test_a_renamed_notebook_without_metadata_is_known_by_its_exercises(grade, keeps_cells):
    student = notebook.read(STUDENT)
    student.metadata = {}
    for i, cell in enumerate(student.cells):
        if not keeps_cells:
            cell.metadata, cell.id = {}, f"new-{i}"
    grade(student, name="homework.ipynb", outcomes={"failed": 4})


def test_a_byte_order_mark_does_not_matter(grade, solved):
    grade("\ufeff" + nbformat.writes(solved), outcomes={"passed": 4})


@pytest.mark.parametrize("odd", [3, [], ["01_rnn"], {"lab": ["x"]}, {"lab": None}])
def test_odd_metadata_is_no_stumbling_block(grade, solved, odd):
    solved.metadata["rnnlib"] = odd
    for cell in solved.cells:
        if notebook.role(cell) == "provided":
            cell.metadata["nbgrader"]["grade_id"] = ["x"]
    answer_cell(solved, "rnn_step_check").metadata["nbgrader"] = odd
    grade(solved, outcomes={"passed": 4})


def test_another_kernel_in_the_metadata_does_not_matter(grade, solved):
    solved.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    grade(solved, outcomes={"passed": 4})


def test_prints_and_warnings_neither_help_nor_hurt(grade, solved):
    cell = answer_cell(solved, "rnn_step")
    cell.source = cell.source.replace("return", "print('here'); import warnings; warnings.warn('!'); return")
    grade(solved, outcomes={"passed": 4})


def test_an_old_notebook_without_cell_ids(grade, solved):
    old = json.loads(nbformat.writes(solved))
    old["nbformat_minor"] = 4
    for cell in old["cells"]:
        del cell["id"]
    grade(json.dumps(old), outcomes={"passed": 4})


def test_one_selected_exercise_runs_what_it_needs(grade, solved):
    answer_cell(solved, "numerical_gradient").source = "import os\nos._exit(1)"
    lines, _ = grade(solved, "-k", "rnn_step_backward", outcomes={"passed": 1, "deselected": 3})
    assert lines == {TITLES[3]: ("passed", "5/5", "")}


def test_a_notebook_that_is_no_lab_stays_with_nbval(grade):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    lines, _ = grade(nb, name="notes.ipynb", outcomes={"passed": 1})
    assert lines == {}


def test_a_damaged_solution_is_no_zero(grade, solved, tmp_path):
    broken = notebook.read(SOLUTION)
    answer_cell(broken, "setup").source = "import no_such_module"
    nbformat.write(broken, tmp_path / "01_rnn.ipynb")
    lines, result = grade(solved, f"--solutions={tmp_path}", outcomes={"failed": 4})
    assert {line[0] for line in lines.values()} == {"regrade"}
    assert {line[1] for line in lines.values()} == {"–/5"}
    assert result.ret == 1


def test_code_that_breaks_the_lab_for_later_exercises_is_left_behind(grade, solved):
    """An answer that is right, and spoils what the others need."""
    cell = answer_cell(solved, "rnn_sequence")
    cell.source += "\n\nimport numpy\nnumpy.ndindex = None"
    lines, _ = grade(solved)
    assert [line[0] for line in lines.values()][:2] == ["passed", "passed"]
    assert lines[TITLES[3]][0] == "passed"


def test_a_failure_of_the_grader_is_no_zero(grade, solved, monkeypatch):
    from rnnlib.grading import plugin

    def breaks(self, source):
        raise OSError("no more file handles")

    monkeypatch.setattr(plugin.Lab, "execute", breaks)
    lines, _ = grade(solved, outcomes={"failed": 4})
    for verdict, points, message in lines.values():
        assert (verdict, points) == ("regrade", "–/5")
        assert "no more file handles" in message


def test_a_helper_of_a_right_answer_outlives_a_dead_kernel(grade, solved):
    answer_cell(solved, "rnn_step").source += "\n\ndef slope(h):\n    return 1 - h**2"
    answer_cell(solved, "rnn_sequence").source = "import os\nos._exit(1)"
    cell = answer_cell(solved, "rnn_step_backward")
    cell.source = cell.source.replace("(1 - h**2)", "slope(h)")
    lines, _ = grade(solved)
    only_loses(lines, TITLES[1], "kernel died")


def test_a_right_answer_that_spoils_the_kernel_spoils_itself_at_most(grade, solved):
    answer_cell(solved, "rnn_sequence").source += "\n\nchecks = None"
    lines, _ = grade(solved)
    only_loses(lines, TITLES[1], "wrong")


def test_a_helper_written_into_the_labs_own_cells(grade, solved):
    answer_cell(solved, "setup").source += "\nimport math"
    answer_cell(
        solved, "rnn_step_check"
    ).source = "squash = np.vectorize(math.tanh)\nchecks.rnn_step(rnn_step)"
    cell = answer_cell(solved, "rnn_step")
    cell.source = cell.source.replace("np.tanh", "squash")
    grade(solved, outcomes={"passed": 4})


def test_a_copied_cell_that_holds_another_answer(grade, solved):
    """Copy and paste carries the first cell's metadata along."""
    student = notebook.read(STUDENT)
    for name in ("rnn_step", "rnn_sequence", "numerical_gradient", "rnn_step_backward"):
        copy = nbformat.from_dict(
            {**answer_cell(student, "rnn_step"), "id": f"copy-{name.replace('_', '-')}"}
        )
        copy.source = answer_cell(solved, name).source
        student.cells.append(copy)
    grade(student, outcomes={"passed": 4})


def test_the_labs_own_code_survives_what_an_earlier_answer_broke(grade, solved, tmp_path):
    solution = notebook.read(SOLUTION)
    place = solution.cells.index(answer_cell(solution, "rnn_step_backward"))
    middle = nbformat.v4.new_code_cell("np.ones(1)", id="middle")
    solution.cells.insert(place, middle)
    nbformat.write(solution, tmp_path / "01_rnn.ipynb")
    answer_cell(solved, "rnn_sequence").source += "\n\nimport numpy\nnumpy.ones = None"
    grade(solved, f"--solutions={tmp_path}", outcomes={"passed": 4})


def test_a_message_has_no_control_characters(grade, solved):
    answer_cell(solved, "rnn_step").source = "def rnn_step(*a):\n    raise ValueError('\\x1b[31mred\\x07')"
    lines, _ = grade(solved)
    assert "ValueError: [31mred" in lines[TITLES[0]][2]


def test_an_endless_loop_is_not_waited_for_by_default(pytester):
    config = pytester.parseconfigure("--nbval")
    assert config.option.nbval_cell_timeout <= 60
    assert pytester.parseconfigure("--nbval", "--nbval-cell-timeout=99").option.nbval_cell_timeout == 99


def test_notebooks_from_any_folder_are_told_apart(pytester, solved, tmp_path_factory):
    """Two students, outside pytest's root folder, with files of one name."""
    paths = []
    for student in ("ada", "bob"):
        path = tmp_path_factory.mktemp(student) / "01_rnn.ipynb"
        nbformat.write(solved, path)
        paths.append(path)
        answer_cell(solved, "rnn_step").source = "def rnn_step(*a): return 1"
    result = pytester.runpytest("--nbval", "--junitxml=report.xml", f"--rootdir={pytester.path}", *paths)
    result.assert_outcomes(passed=7, failed=1)
    for path, total in zip(paths, ("20/20", "15/20"), strict=True):
        place = result.outlines.index(path.as_posix())
        assert result.outlines[place + 5].split() == ["total", total]
    assert "rnn_step" not in "".join(result.outlines[: result.outlines.index(paths[0].as_posix())])
    assert "ada" in (pytester.path / "report.xml").read_text(encoding="utf-8")


def test_junit_report_has_a_case_for_each_exercise(grade, solved, pytester):
    answer_cell(solved, "rnn_step").source = "def rnn_step(*a): return 1"
    grade(solved, "--junitxml=report.xml")
    report = (pytester.path / "report.xml").read_text(encoding="utf-8")
    assert all(title in report for title in TITLES)
    assert "wrong: h has shape ()" in report


def test_released_labs_hold_no_solution():
    text = STUDENT.read_text(encoding="utf-8")
    student, solution = notebook.read(STUDENT), notebook.read(SOLUTION)
    assert "SOLUTION" not in text
    for cell, solved_cell in zip(student.cells, solution.cells, strict=True):
        assert cell.id == solved_cell.id
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            if notebook.role(solved_cell) == "answer":
                for line in notebook.BLOCK.search(solved_cell.source)[2].splitlines():
                    assert line.strip() not in cell.source
                assert "raise NotImplementedError" in cell.source
    assert sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in student.cells) == 20


def test_release_is_stable_and_check_finds_what_is_not(tmp_path):
    solution, student = tmp_path / "solution.ipynb", tmp_path / "student.ipynb"
    shutil.copy(SOLUTION, solution)
    release.release(solution, student)
    assert solution.read_bytes() == SOLUTION.read_bytes()
    assert student.read_bytes() == STUDENT.read_bytes()
    assert b"\r" not in student.read_bytes()
    assert release.check(solution, student) == []

    nb = notebook.read(solution)  # another machine rounds another way, and leaves time stamps
    values = answer_cell(nb, "rnn_step_check").outputs[0].data["application/vnd.rnnlib.values+json"]
    values[0]["h"][0] *= 1 + 1e-6
    nbformat.write(nb, solution)
    assert release.check(solution, student) == []
    release.release(solution, student)
    assert notebook.read(solution).cells == nb.cells

    student.write_text(student.read_text(encoding="utf-8").replace("YOUR CODE", "MY CODE"), encoding="utf-8")
    assert len(release.check(solution, student)) == 1
    nb = notebook.read(solution)
    answer_cell(nb, "rnn_step_check").outputs[0].data["application/vnd.rnnlib.values+json"][0]["h"][0] += 1e-3
    nbformat.write(nb, solution)
    problems = release.check(solution, tmp_path / "missing.ipynb")
    assert len(problems) == 2
    assert "rnn_step" in problems[0]
    assert "missing.ipynb" in problems[1]


def test_a_solution_that_fails_is_told_in_a_line(tmp_path):
    nb = notebook.read(SOLUTION)
    answer_cell(nb, "rnn_step").source += "\n1 / 0"
    path = tmp_path / "01_rnn.ipynb"
    nbformat.write(nb, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="a cell of the solution stopped with ZeroDivisionError"):
        release.release(path, tmp_path / "student.ipynb")
    assert [file.name for file in tmp_path.iterdir()] == ["01_rnn.ipynb"]
    assert path.read_bytes() == before
    nb.metadata = {}
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match="must name its lab"):
        release.check(path, tmp_path / "student.ipynb")


def test_a_gap_needs_its_markers():
    source = f"def f():\n    {notebook.BEGIN}\n    return 1\n    {notebook.END}\n"
    assert notebook.with_gap(source, "Exercise 9.9 f") == (
        'def f():\n    # YOUR CODE HERE\n    raise NotImplementedError("Exercise 9.9 f")\n'
    )
    for bad in ("def f(): pass", source + notebook.BEGIN, source.replace(notebook.END, "")):
        with pytest.raises(ValueError, match=r"9\.9 f: its cell needs a solution between"):
            notebook.with_gap(bad, "Exercise 9.9 f")


def test_values_are_compared_within_rounding():
    assert notebook.same_values([{"a": [1.0, 2]}], [{"a": [1.00001, 2.0]}])
    for other in (
        [{"a": [1.0001, 2]}],
        [{"a": [1.0]}],
        [{"b": [1.0, 2]}],
        {"a": 1},
        None,
        [{"a": [float("nan"), 2]}],
        [{"a": [float("inf"), 2]}],
    ):
        assert not notebook.same_values([{"a": [1.0, 2]}], other)
