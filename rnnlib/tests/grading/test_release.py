"""What students get: gaps for solutions, the same bytes each time, ids that last."""

import shutil
import signal
import time

import nbformat
import pytest

from rnnlib.checks import EXERCISES
from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import matching, notebook, release
from rnnlib.grading.comparison import same_values
from rnnlib.tests.grading.submissions import NAMES, ROOT, SOLUTION, STUDENT
from rnnlib.tests.grading.submissions import cell as answer_cell

LABS = [path.name for path in sorted((ROOT / "labs_solutions").glob("*.ipynb"))]


@pytest.mark.parametrize("lab", LABS)
def test_a_released_lab_holds_no_solution(lab):
    path = ROOT / "labs" / lab
    student, solution = notebook.read(path), notebook.read(ROOT / "labs_solutions" / lab)
    text = path.read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    assert VALUES_MIME not in text
    assert student.metadata.rnnlib == {"lab": path.stem}
    for cell, solved in zip(student.cells, solution.cells, strict=True):
        assert cell.id == solved.id
        assert cell.metadata == solved.metadata
        assert cell.metadata.keys() <= {"nbgrader", "deletable", "editable", "tags"}
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
        if notebook.role(solved) == "answer":
            before, block, after = solved.source.partition(notebook.BLOCK.search(solved.source)[0])
            assert cell.source.startswith(before)
            assert cell.source.endswith(after)
            assert "raise NotImplementedError" in cell.source
            for line in filter(str.strip, block.splitlines()[1:-1]):
                assert line.strip() not in cell.source
        else:
            assert cell.source == solved.source
    assert sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in student.cells) == 20
    assert text.count("<summary>Hint") == 3 * len(matching.exercises(solution))


@pytest.mark.slow
def test_release_is_stable_and_check_finds_what_is_not(tmp_path):
    solution, student = tmp_path / "solution.ipynb", tmp_path / "student.ipynb"
    shutil.copy(SOLUTION, solution)
    release.release(solution, student)
    assert solution.read_bytes() == SOLUTION.read_bytes()
    assert student.read_bytes() == STUDENT.read_bytes()
    assert b"\r" not in student.read_bytes()
    assert release.check(solution, student) == []

    nb = notebook.read(solution)  # another machine rounds another way, and leaves time stamps
    values = answer_cell(nb, "rnn_step_check").outputs[0].data[VALUES_MIME]
    values[0]["h"][0] *= 1 + 1e-6
    nbformat.write(nb, solution)
    assert release.check(solution, student) == []
    release.release(solution, student)
    assert notebook.read(solution).cells == nb.cells

    student.write_text(student.read_text(encoding="utf-8").replace("YOUR CODE", "MY CODE"), encoding="utf-8")
    assert len(release.check(solution, student)) == 1
    nb = notebook.read(solution)
    answer_cell(nb, "rnn_step_check").outputs[0].data[VALUES_MIME][0]["h"][0] += 1e-3
    nbformat.write(nb, solution)
    problems = release.check(solution, tmp_path / "missing.ipynb")
    assert len(problems) == 2
    assert "rnn_step" in problems[0]
    assert "missing.ipynb" in problems[1]


@pytest.mark.slow
def test_no_widget_makes_a_run_miss_the_end_of_a_cell():
    """A front end that answers on the socket where the end is awaited missed one cell in ten."""
    source = (
        "import ipywidgets\nwith ipywidgets.Output():\n    print(1)\nwith ipywidgets.Output():\n    print(2)"
    )
    nb = nbformat.v4.new_notebook(
        metadata={"rnnlib": {"lab": "01_rnn"}}, cells=[nbformat.v4.new_code_cell(source) for _ in range(80)]
    )
    begin = time.monotonic()
    release.execute(nb)
    assert time.monotonic() - begin < 100  # one miss costs 120


@pytest.mark.slow
def test_what_a_cell_prints_in_pieces_is_one_output():
    """On a busy machine the kernel sends it in pieces."""
    source = "import time\nfor i in range(3):\n    print(i, flush=True)\n    time.sleep(0.5)"
    nb = nbformat.v4.new_notebook(
        metadata={"rnnlib": {"lab": "01_rnn"}}, cells=[nbformat.v4.new_code_cell(source)]
    )
    (output,) = release.execute(nb).cells[0].outputs
    assert output.text == "0\n1\n2\n"


def test_a_run_leaves_a_signal_as_it_was():
    """nbclient does not: a class's run that is ended from outside would say nothing, and leave its files."""
    nb = nbformat.v4.new_notebook(metadata={"rnnlib": {"lab": "01_rnn"}})
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        release.execute(nb)
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


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


def leaks(nb):
    nb.cells.append(nbformat.v4.new_code_cell(f"{notebook.BEGIN}\n1\n{notebook.END}"))


def leaks_in_a_text(nb):
    nb.cells.append(nbformat.v4.new_markdown_cell(f"Not yet: {notebook.BEGIN}"))


def copied(nb):
    nb.cells.append(nbformat.from_dict({**answer_cell(nb, "rnn_step"), "id": "copied"}))


def unpaid(nb):
    del answer_cell(nb, "rnn_step_check").metadata["nbgrader"]["points"]


def fined(nb):
    answer_cell(nb, "rnn_step_check").metadata["nbgrader"]["points"] = -3


def nameless(nb):
    del answer_cell(nb, "rnn_step").metadata["nbgrader"]["grade_id"]


def unchecked(nb):
    nb.cells.remove(answer_cell(nb, "rnn_step_check"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (leaks, "holds a marked solution, but is no answer"),
        (leaks_in_a_text, "holds a marked solution, but is no answer"),
        (copied, "two cells have the id rnn_step"),
        (unpaid, "needs points, a number that is not negative"),
        (fined, "needs points, a number that is not negative"),
        (nameless, "the answer in the cell rnn-step needs a grade_id"),
        (unchecked, r"rnn_step needs a check cell: checks\.rnn_step\(rnn_step\)"),
    ],
)
def test_what_would_leak_or_confuse_is_not_released(spoil, message):
    nb = notebook.read(SOLUTION)
    spoil(nb)
    with pytest.raises(ValueError, match=message):
        release.student_version(nb)


def test_metadata_with_answers_stay_behind():
    nb = notebook.read(SOLUTION)
    answer_cell(nb, "rnn_step").metadata["answer"] = "np.tanh"
    nb.metadata["widgets"] = nb.metadata.rnnlib["answers"] = {"rnn_step": "np.tanh"}
    student = release.student_version(nb)
    assert "answer" not in answer_cell(student, "rnn_step").metadata
    assert student.metadata.keys() == {"kernelspec", "language_info", "rnnlib"}
    assert student.metadata.rnnlib == {"lab": "01_rnn"}


@pytest.mark.slow
def test_an_id_that_students_hold_is_not_lost(tmp_path):
    nb = notebook.read(SOLUTION)
    path, student = tmp_path / "01_rnn.ipynb", tmp_path / "student.ipynb"
    shutil.copy(STUDENT, student)
    for name in ("noisy_memory", "noisy_memory_check", "mistakes"):
        nb.cells.remove(answer_cell(nb, name))
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match="students' notebooks hold the cell mistakes"):
        release.release(path, student)
    assert student.read_bytes() == STUDENT.read_bytes()


def test_another_seed_gives_other_values_and_the_same_verdicts():
    nb = notebook.loads(release.with_seed(SOLUTION, 7))
    assert notebook.seed(nb) == 7
    assert notebook.seed(notebook.read(SOLUTION)) == 0
    for name in NAMES:
        new, old = (
            answer_cell(n, f"{name}_check").outputs[0].data[VALUES_MIME]
            for n in (nb, notebook.read(SOLUTION))
        )
        has_inputs = EXERCISES["01_rnn"][name].accept is None
        assert same_values(new, old) != has_inputs
        assert [case.keys() for case in new] == [case.keys() for case in old]
