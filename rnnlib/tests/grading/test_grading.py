"""The pytest plugin: ``pytest --nbval`` over one notebook. What students hand in is in test_walls.py."""

import itertools
import os
import re
import shutil

import nbformat
import pytest

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import kernel, matching, notebook, sandbox, session
from rnnlib.grading.comparison import compare, same_values
from rnnlib.grading.table import read_csv
from rnnlib.grading.verdicts import Failed
from rnnlib.tests.grading.submissions import (
    CASES,
    NAMES,
    POINTS,
    ROOT,
    SOLUTION,
    STUDENT,
    answers,
    cell,
    replaces,
)

pytest_plugins = ["pytester"]

MISSING = sandbox.missing()


@pytest.fixture
def solved():
    return notebook.read(SOLUTION)


@pytest.fixture
def grade(pytester):
    """Grade a notebook; return pytest's result and the rows by the functions' names."""

    def run(nb, *options, name="01_rnn.ipynb", sandbox="off"):
        path = pytester.path / "ada" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(nb if isinstance(nb, str) else nbformat.writes(nb), encoding="utf-8")
        options = (
            "--nbval",
            "--nbval-cell-timeout=60",
            f"--sandbox={sandbox}",
            "--grades=grades.csv",
            *options,
        )
        result = pytester.runpytest("-p", "no:cacheprovider", path, *options)
        grades = pytester.path / "grades.csv"
        rows = read_csv(grades) if grades.exists() else []
        return result, {row.exercise.split()[-1]: row for row in rows}

    return run


def verdicts(rows):
    return {name: row.verdict for name, row in rows.items()}


def test_the_unfilled_lab_fails_at_exactly_its_exercises(grade):
    result, rows = grade(notebook.read(STUDENT))
    result.assert_outcomes(failed=len(NAMES))
    assert verdicts(rows) == dict.fromkeys(NAMES, "unfilled")
    assert {name: row.of for name, row in rows.items()} == POINTS
    assert {(row.points, row.message) for row in rows.values()} == {(0, "not filled in yet")}


def test_the_solved_lab_has_full_points(grade, solved):
    result, rows = grade(solved)
    result.assert_outcomes(passed=len(NAMES))
    assert verdicts(rows) == dict.fromkeys(NAMES, "passed")
    assert {name: row.points for name, row in rows.items()} == POINTS
    assert {(row.student, row.lab, row.review) for row in rows.values()} == {("ada", "01_rnn", "")}


@pytest.mark.slow
@pytest.mark.parametrize("lab", ["03_lstm", "04_gru", "05_min_gru", "06_mamba"])
def test_a_lab_has_full_points_when_solved_and_none_as_released(grade, lab):
    for folder, verdict, points in [("labs_solutions", "passed", 20), ("labs", "unfilled", 0)]:
        _, rows = grade(notebook.read(ROOT / folder / f"{lab}.ipynb"), name=f"{lab}.ipynb")
        assert set(verdicts(rows).values()) == {verdict}
        assert sum(row.points for row in rows.values()) == points
        assert sum(row.of for row in rows.values()) == 20


@pytest.mark.slow
def test_one_line_tells_each_exercise(grade, solved):
    answers(
        solved, "rnn_step", "def rnn_step(x, h_prev, W_x, W_h, b):\n    return x @ W_x + h_prev @ W_h + b"
    )
    answers(solved, "rnn_sequence", "import os\nos._exit(0)")
    cell(solved, "numerical_gradient").source += "\n\nimport inspect"
    result, _ = grade(solved, "--junitxml=report.xml", "--feedback=pages")
    result.assert_outcomes(passed=len(NAMES) - 2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "ada/01_rnn.ipynb",
            "  1.1 rnn_step *0/2  wrong  *There is no tanh in your answer*(book: One step)",
            "  1.2 rnn_sequence *0/3  kernel died  the Python kernel died: does the code end or crash it? *",
            "  1.3 numerical_gradient *3/3  passed *(To review: its code names inspect.)",
            "  1.4 rnn_step_backward *3/3  passed",
            "  1.5 rnn_sequence_backward *4/4  passed",
            "  1.6 find_mistakes *2/2  passed",
            "  1.7 clip *1/1  passed",
            "  1.8 noisy_memory *2/2  passed",
            "  total *15/20",
            f"Not protected: the students' code ran with your rights ({MISSING or 'switched off'}).",
        ]
    )
    xml = _text("report.xml")
    assert xml.count("<testcase") == len(NAMES)
    assert "wrong: h[0, 0] is" in xml
    page = _text("pages/ada/01_rnn.md")
    assert "**15 of 20 points**" in page
    assert "There is no tanh in your answer" in page


def _text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("cut_off", "homework.ipynb"),
        *itertools.product(
            ["cut_off", "nested_too_deep", "code_is_a_number"], ["01_rnn.ipynb", "01_rnn (1).ipynb"]
        ),
    ],
)
def test_an_unreadable_notebook_is_told_in_a_line(grade, pytester, case, name):
    folder = pytester.mkdir("made")
    CASES[case].make(folder)
    result, rows = grade((folder / "01_rnn.ipynb").read_text(encoding="utf-8"), name=name)
    result.assert_outcomes(failed=len(NAMES))
    assert result.ret == 1  # failed tests, not an interrupted run
    assert verdicts(rows) == dict.fromkeys(NAMES, "unreadable")
    assert all(row.message.startswith("the notebook cannot be read") for row in rows.values())


def test_an_unreadable_notebook_belongs_to_the_lab_whose_cells_it_holds():
    text = (ROOT / "labs" / "03_lstm.ipynb").read_text(encoding="utf-8")[:-1]
    for stem, content, lab in [
        ("homework", text, "03_lstm"),
        ("01_rnn", text, "01_rnn"),
        ("homework", "[", None),
    ]:
        solution = notebook.solution_for(stem, None, ROOT / "labs_solutions", content)
        assert (solution and solution.stem) == lab


def test_a_changed_or_deleted_check_still_counts(grade, solved):
    answers(solved, "rnn_step", "def rnn_step(*a): return 1")
    cell(solved, "rnn_step_check").source = "print('✓ Exercise 1.1 rnn_step')"
    solved.cells.remove(cell(solved, "rnn_sequence_check"))
    _, rows = grade(solved)
    assert verdicts(rows) == dict.fromkeys(NAMES, "passed") | {"rnn_step": "wrong"}


@pytest.mark.parametrize("name", ["01_rnn (1).ipynb", "homework.ipynb", "01_RNN.IPYNB"])
def test_a_renamed_notebook_is_graded_as_what_it_is(grade, name):
    _, rows = grade(notebook.read(STUDENT), name=name)
    assert verdicts(rows) == dict.fromkeys(NAMES, "unfilled")


@pytest.mark.parametrize("case", ["lab_of_four", "lab_of_four_without_ids_and_metadata"])
def test_a_lab_in_its_earlier_form_keeps_its_points(grade, pytester, case):
    folder = pytester.mkdir("made")
    CASES[case].make(folder)
    result, rows = grade((folder / "01_rnn.ipynb").read_text(encoding="utf-8"))
    result.assert_outcomes(passed=4, failed=len(NAMES) - 4)
    assert [row.points for row in rows.values()] == [*list(POINTS.values())[:4], *[0] * (len(NAMES) - 4)]
    for name in NAMES[4:]:
        assert rows[name].verdict == "unfilled"
        assert rows[name].message == "not in this notebook: was it begun in an earlier form of the lab?"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("clip", ["clip"]),
        ("rnn_step", ["rnn_step", "rnn_step_backward"]),
        ("rnn_step and not backward", ["rnn_step"]),
        ("1.4", ["rnn_step_backward"]),
    ],
)
def test_k_selects_the_exercises_whose_names_hold_a_text(pytester, words, names):
    result = pytester.runpytest("--nbval", "--collect-only", "-q", "-k", words, STUDENT)
    selected = [line.split()[-1] for line in result.outlines if "::" in line]
    assert selected == names


def test_a_file_name_that_pytest_cannot_take_is_told(grade):
    result, rows = grade(notebook.read(STUDENT), name="01_rnn[1].ipynb")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert rows == {}
    result.stderr.fnmatch_lines(
        ["*01_rnn[[]1[]].ipynb: pytest takes *: rename the file, or use *rnnlib grade"]
    )


def test_two_labs_in_one_notebook_are_told_as_in_a_class(grade):
    both = notebook.read(STUDENT)
    for each in notebook.read(STUDENT.with_name("03_lstm.ipynb")).cells:
        each.id += "-3"
        both.cells.append(each)
    _, rows = grade(both)
    assert {row.review for row in rows.values()} == {
        "holds 03_lstm, too: a lab is graded as a file of its own"
    }


def test_a_page_that_cannot_be_written_is_told(grade, pytester):
    (pytester.mkdir("pages") / "ada").write_text("a file, where a folder should be")
    result, _ = grade(notebook.read(STUDENT), "--feedback=pages")
    result.stdout.fnmatch_lines(["A page could not be written: pages/ada/01_rnn.md: *"])


def test_two_notebooks_of_one_lab_in_a_folder_are_told(grade, pytester):
    folder = pytester.mkdir("ada")
    for name in ("01_rnn.ipynb", "01_rnn (1).ipynb"):
        (folder / name).write_text(STUDENT.read_text(encoding="utf-8"), encoding="utf-8")
    result = pytester.runpytest("--nbval", "-p", "no:cacheprovider", "ada")
    result.stdout.fnmatch_lines(["2 notebooks of 01_rnn lie in one folder: all their rows are ada's."])


@pytest.mark.slow
def test_one_selected_exercise_runs_what_it_needs(grade, solved):
    answers(solved, "numerical_gradient", "import os\nos._exit(1)")
    result, rows = grade(solved, "-k", "rnn_step_backward")
    result.assert_outcomes(passed=1, deselected=len(NAMES) - 1)
    assert verdicts(rows) == {"rnn_step_backward": "passed"}


@pytest.mark.slow
def test_what_failed_last_runs_again_alone(grade, solved, pytester):
    answers(solved, "rnn_sequence", "def rnn_sequence(*a): return 1")
    first, _ = grade(solved, "-p", "cacheprovider")
    first.assert_outcomes(passed=len(NAMES) - 1, failed=1)
    again, rows = grade(notebook.read(SOLUTION), "-p", "cacheprovider", "--lf")
    again.assert_outcomes(passed=1, deselected=len(NAMES) - 1)
    assert verdicts(rows) == {"rnn_sequence": "passed"}


@pytest.mark.slow
def test_exercises_in_another_order_have_the_same_verdicts(grade, solved, pytester):
    pytester.makepyfile(
        turned="import pytest\n@pytest.hookimpl(trylast=True)\n"
        "def pytest_collection_modifyitems(items):\n    items.reverse()"
    )
    pytester.syspathinsert()
    answers(solved, "rnn_step", "def rnn_step(*a): return 1")
    result, rows = grade(solved, "-p", "turned")
    result.assert_outcomes(passed=len(NAMES) - 1, failed=1)
    assert rows["rnn_step"].verdict == "wrong"


@pytest.mark.slow
def test_workers_of_xdist_keep_a_notebook_together(grade, solved, pytester):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    for student in ("ada", "bob"):
        pytester.mkdir(student)
        nbformat.write(solved, pytester.path / student / "01_rnn.ipynb")
    result = pytester.runpytest("-n2", "-v", "--nbval", "ada/01_rnn.ipynb", "bob/01_rnn.ipynb")
    result.assert_outcomes(passed=2 * len(NAMES))
    workers = {}
    for worker, student in re.findall(r"\[(gw\d)\].*PASSED (\w+)/", result.stdout.str()):
        workers.setdefault(student, set()).add(worker)
    assert [len(used) for used in workers.values()] == [1, 1]


@pytest.mark.skipif(os.name != "posix", reason="this system has no such names")
def test_a_student_whose_name_is_in_no_encoding_has_grades(pytester):
    folder = pytester.path / os.fsdecode(b"M\x81ller")
    folder.mkdir()
    shutil.copy(STUDENT, folder)
    options = ("--nbval", "--grades=grades.csv", "--feedback=pages")
    pytester.runpytest(folder / "01_rnn.ipynb", *options).assert_outcomes(failed=len(NAMES))
    assert {row.student for row in read_csv(pytester.path / "grades.csv")} == {r"M\x81ller"}
    assert (pytester.path / "pages" / "M_x81ller" / "01_rnn.md").is_file()


def test_a_notebook_that_is_no_lab_stays_with_nbval(grade):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    result, rows = grade(nb, name="notes.ipynb")
    result.assert_outcomes(passed=1)
    assert rows == {}


def test_settings_beside_the_notebook_do_not_rule_the_grading(grade, solved, pytester):
    (pytester.mkdir("ada") / "pytest.ini").write_text("[pytest]\naddopts = --solutions=ada --sandbox=off")
    result, rows = grade(solved)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert rows == {}
    result.stderr.fnmatch_lines(["*the settings in *pytest.ini would rule the grading: use *rnnlib grade*"])
    (pytester.path / "pytest.ini").write_text("[pytest]")
    result, _ = grade(solved, "-c", "pytest.ini")
    result.assert_outcomes(passed=len(NAMES))


def test_solutions_that_are_not_there_are_told(grade, solved):
    result, _ = grade(solved, "--solutions=nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--solutions: there are no solved labs in nowhere*"])


@pytest.mark.slow
def test_a_conftest_beside_the_notebook_is_not_run(grade, solved, pytester):
    folder = pytester.mkdir("ada")
    (folder / "conftest.py").write_text("raise SystemExit('run')")
    result, _ = grade(solved)
    result.assert_outcomes(passed=len(NAMES))


@pytest.mark.slow
def test_a_damaged_solution_is_no_zero(grade, solved, tmp_path):
    broken = notebook.read(SOLUTION)
    cell(broken, "setup").source = "import no_such_module"
    nbformat.write(broken, tmp_path / "01_rnn.ipynb")
    result, rows = grade(solved, f"--solutions={tmp_path}")
    assert {(row.verdict, row.points) for row in rows.values()} == {("regrade", None)}
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*1.1 rnn_step *–/2  regrade *stopped with ModuleNotFoundError*"])


@pytest.mark.slow
def test_a_failure_of_the_grader_is_no_zero(grade, solved, monkeypatch):
    def breaks(self, source, deadline):
        raise OSError("no more file handles")

    monkeypatch.setattr(session.Session, "execute", breaks)
    _, rows = grade(solved)
    assert {(row.verdict, row.points) for row in rows.values()} == {("regrade", None)}
    assert all("no more file handles" in row.message for row in rows.values())


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_passing_failure_of_the_grader_costs_nothing(grade, solved, monkeypatch, times):
    start, failures = kernel.Kernel.__init__, []

    def fails_at_first(self, *arguments, **options):
        if len(failures) < times:
            failures.append(self)
            self.stop = lambda: None
            raise RuntimeError("Kernel died before replying to kernel_info")
        start(self, *arguments, **options)

    monkeypatch.setattr(kernel.Kernel, "__init__", fails_at_first)
    _, rows = grade(solved)
    assert verdicts(rows) == dict.fromkeys(NAMES, "passed")


@pytest.mark.slow
def test_a_kernel_that_dies_once_costs_nothing(grade, solved, pytester):
    """As when the machine's memory is short."""
    flag = pytester.path / "died"
    once = f"import os\nif not os.path.exists({str(flag)!r}):\n    os.mkdir({str(flag)!r})\n    os._exit(1)\n"
    cell(solved, "rnn_step").source = once + cell(solved, "rnn_step").source
    _, rows = grade(solved)
    assert verdicts(rows) == dict.fromkeys(NAMES, "passed")


@pytest.mark.parametrize("text", ["", "student,grade\nada,5\n"])
def test_another_table_is_not_written_over(grade, solved, pytester, text):
    path = pytester.path / "mine.csv"
    path.write_text(text)
    result, _ = grade(solved, f"--grades={path}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--grades: *mine.csv is no table of grades*"])
    assert path.read_text() == text
    result, _ = grade(solved, "--grades=ada")
    result.stderr.fnmatch_lines(["*--grades: ada is a folder"])
    result, _ = grade(solved, "--feedback=mine.csv", "--grades=other.csv")
    result.stderr.fnmatch_lines(["*--feedback: mine.csv is no folder"])
    result, _ = grade(solved, "--grades=nowhere/grades.csv")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--grades: there is no folder nowhere"])


@pytest.mark.slow
def test_what_a_student_adds_cannot_look_like_a_failure_of_the_grader(grade, solved):
    solved.cells.insert(1, nbformat.v4.new_code_cell("import sys\nno = sys.modules['numpy'] = None"))
    replaces(solved, "rnn_step", "return", "return no or")
    _, rows = grade(solved)
    assert rows["rnn_step"].verdict == "crashed"
    assert "the lab's own code stopped with" in rows["rnn_step"].message
    assert "without your code it works" in rows["rnn_step"].message
    assert {row.verdict for name, row in rows.items() if name != "rnn_step"} == {"passed"}
    replaces(solved, "rnn_step", "return no or", "return")  # it needs none of it
    _, rows = grade(solved)
    assert verdicts(rows) == dict.fromkeys(NAMES, "passed")
    assert rows["rnn_step"].review == "its code names sys.modules"


@pytest.mark.slow
def test_the_labs_own_code_survives_what_an_earlier_answer_broke(grade, solved, tmp_path):
    solution = notebook.read(SOLUTION)
    place = solution.cells.index(cell(solution, "rnn_step_backward"))
    solution.cells.insert(place, nbformat.v4.new_code_cell("np.ones(1)", id="middle"))
    nbformat.write(solution, tmp_path / "01_rnn.ipynb")
    cell(solved, "rnn_sequence").source += "\n\nimport numpy\nnumpy.ones = None"
    _, rows = grade(solved, f"--solutions={tmp_path}")
    assert verdicts(rows) == dict.fromkeys(NAMES, "passed")


def test_an_endless_loop_is_not_waited_for_by_default(pytester):
    config = pytester.parseconfigure("--nbval")
    assert config.option.nbval_cell_timeout <= 60
    assert pytester.parseconfigure("--nbval", "--nbval-cell-timeout=99").option.nbval_cell_timeout == 99


@pytest.mark.slow
def test_notebooks_from_any_folder_are_told_apart(pytester, solved, tmp_path_factory):
    """Two students, outside pytest's root folder, with files of one name."""
    paths = []
    for student in ("ada", "bob"):
        path = tmp_path_factory.mktemp(student) / "01_rnn.ipynb"
        nbformat.write(solved, path)
        paths.append(path)
        answers(solved, "rnn_step", "def rnn_step(*a): return 1")
    result = pytester.runpytest("--nbval", "--junitxml=report.xml", f"--rootdir={pytester.path}", *paths)
    result.assert_outcomes(passed=2 * len(NAMES) - 1, failed=1)
    for path, total in zip(paths, ("20/20", "18/20"), strict=True):
        place = result.outlines.index(path.as_posix())
        assert result.outlines[place + len(NAMES) + 1].split() == ["total", total]
    assert "ada" in (pytester.path / "report.xml").read_text(encoding="utf-8")


def test_values_are_compared_within_rounding():
    assert same_values([{"a": [1.0, 2]}], [{"a": [1.00001, 2.0]}])
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert not same_values(deep, [deep])
    for other in (
        [{"a": [1.0001, 2]}],
        [{"a": [1.0]}],
        [{"b": [1.0, 2]}],
        {"a": 1},
        None,
        [{"a": [float("nan"), 2]}],
        [{"a": [float("inf"), 2]}],
        [{"a": [10**400, 2]}],
        [{"a": [deep, 2]}],
    ):
        assert not same_values([{"a": [1.0, 2]}], other)


WEIGHTS = {"w_x": 1.0, "w_h": 2.0, "b": 0.0}
DEEP = []
for _ in range(100_000):
    DEEP = [DEEP]


def shown(*displays):
    """A check's outputs, with these values."""
    return [{"output_type": "display_data", "data": {VALUES_MIME: values}} for values in displays]


@pytest.fixture
def memory(solved):
    return next(e for e in matching.exercises(solved) if e.name == "noisy_memory")


def test_weights_are_judged_by_what_they_do(memory):
    for w_x, w_h, b in ((1.0, 2.0, 0.0), (1.2, 2.2, 0.0), (1, 2, 0)):
        assert compare(memory, shown([{"w_x": w_x, "w_h": w_h, "b": b}])) is None


@pytest.mark.parametrize(
    "values",
    [
        [WEIGHTS | {"w_h": 0.5}],
        [WEIGHTS | {"w_h": -2.0}],
        [WEIGHTS | {"w_h": 1e308, "w_x": -1e308}],
        *([WEIGHTS | {"b": value}] for value in (float("nan"), float("inf"), "0.0", None, True, 10**400)),
        *([WEIGHTS | {"b": value}] for value in ([], [0.0], [[0.0], [0.0, 1.0]], {"b": 0.0}, DEEP)),
        [{"w_x": 1.0, "w_h": 2.0}],
        [WEIGHTS, WEIGHTS],
        [list(WEIGHTS.values())],
        [[[WEIGHTS]]],
        [],
        {},
        WEIGHTS,
        "w_x",
        3,
        None,
        DEEP,
    ],
)
def test_forged_weights_are_wrong(memory, values):
    with pytest.raises(Failed, match="the check passed in the notebook, but") as failure:
        compare(memory, shown(values))
    assert failure.value.verdict == "wrong"


def test_right_weights_shown_twice_are_wrong(memory):
    with pytest.raises(Failed, match="it showed values twice"):
        compare(memory, shown([WEIGHTS], [WEIGHTS]))


def test_a_solution_without_stored_values_is_no_zero(memory):
    memory.check.outputs = []
    with pytest.raises(Failed, match="the solution has no stored values: release it first") as failure:
        compare(memory, shown([WEIGHTS]))
    assert failure.value.verdict == "regrade"


@pytest.mark.parametrize(
    ("exercise", "unmade", "words"),
    [
        ({"below": {"helper"}}, {}, "helper is made further down: cells run from top to bottom."),
        ({}, {"helper": "E: x"}, "The cell that was to make helper stopped with E: x."),
        ({}, {"*": "E: x"}, "A cell that imports * stopped with E: x."),
        ({"made": {"np"}}, {}, "No cell of the notebook makes helper: was one deleted after it had run?"),
        ({"made": {"np", "*"}}, {}, "name 'helper' is not defined"),
        ({"made": {"np", "helper"}}, {}, "name 'helper' is not defined"),
    ],
)
def test_where_a_name_is_that_is_missing_is_told(memory, exercise, unmade, words):
    for key, names in exercise.items():
        setattr(memory, key, frozenset(names))
    error = {"output_type": "error", "ename": "Crashed", "evalue": "NameError: name 'helper' is not defined"}
    with pytest.raises(Failed) as failure:
        compare(memory, [error], unmade=unmade)
    assert failure.value.verdict == "crashed"
    assert failure.value.message.endswith(words)


def test_a_letter_that_the_check_names_is_not_looked_for_elsewhere(memory):
    memory.below = frozenset({"x"})
    alike = "\N{CYRILLIC SMALL LETTER HA}"
    text = (
        f"NameError: name 'x' is not defined. The parameter {alike} is written with CYRILLIC SMALL LETTER HA"
    )
    with pytest.raises(Failed) as failure:
        compare(memory, [{"output_type": "error", "ename": "Crashed", "evalue": text}])
    assert failure.value.message == text


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
def test_inside_bubblewrap_nothing_is_said_and_the_verdicts_are_the_same(grade, solved):
    result, rows = grade(solved, sandbox="on")
    result.assert_outcomes(passed=len(NAMES))
    assert {row.sandbox for row in rows.values()} == {"bubblewrap"}
    assert "Not protected" not in result.stdout.str()
