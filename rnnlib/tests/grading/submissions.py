"""What students hand in: honest, wrong, odd and hostile notebooks for lab 1, with their verdicts.

Each case is a function that makes a student's folder, and the verdicts that differ from "passed".
"""

import copy
import io
import json
import os
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from rnnlib.grading import notebook

ROOT = Path(__file__).parents[3]
SOLUTION = ROOT / "labs_solutions" / "01_rnn.ipynb"
STUDENT = ROOT / "labs" / "01_rnn.ipynb"
OF_FOUR = Path(__file__).with_name("lab01_of_four.json")  # solved, as the lab was before it had eight
POINTS = {
    notebook.exercise_name(cell)[0]: cell.metadata["nbgrader"]["points"]
    for cell in notebook.read(SOLUTION).cells
    if notebook.role(cell) == "check"
}
NAMES = list(POINTS)


@dataclass
class Case:
    """One submission.

    Attributes:
        make: called with the student's folder; writes what was handed in.
        verdicts: function's name -> verdict, where it is not "passed".
        review: names of the functions that are marked.
        says: a part of the message of the first exercise that did not pass.
        walls: whether the verdicts hold inside bubblewrap alone.
    """

    make: object
    verdicts: dict = field(default_factory=dict)
    review: set = field(default_factory=set)
    says: str = ""
    walls: bool = False


CASES = {}


def case(verdict="passed", of="rnn_sequence", review=(), says="", walls=False):
    """Add a case: the decorated function changes the solved lab, or returns what the file holds.

    Args:
        verdict: of the exercise ``of``; a dict gives several.
    """

    def add(change):
        verdicts = verdict if isinstance(verdict, dict) else {of: verdict}
        verdicts = {name: v for name, v in verdicts.items() if v != "passed"}
        review_ = {review} if isinstance(review, str) else set(review)
        CASES[change.__name__] = Case(lambda folder: write(folder, change), verdicts, review_, says, walls)
        return change

    return add


def folder_case(verdicts, review=(), says=""):
    """Add a case: the decorated function fills a student's folder."""

    def add(make):
        CASES[make.__name__] = Case(make, verdicts, set(review), says)
        return make

    return add


def write(folder, change):
    """The solved lab, changed, in a student's folder."""
    nb = notebook.read(SOLUTION)
    changed = change(nb)
    content = nb if changed is None else changed
    if isinstance(content, dict):
        content = (
            nbformat.writes(content) if isinstance(content, nbformat.NotebookNode) else json.dumps(content)
        )
    if isinstance(content, str):
        content = content.encode()
    (folder / "01_rnn.ipynb").write_bytes(content)


def cell(nb, name):
    return next(c for c in nb.cells if notebook.grade_id(c) == name)


def code(source, **more):
    return nbformat.v4.new_code_cell(source, **more)


def answers(nb, name, source):
    cell(nb, name).source = source


def replaces(nb, name, old, new):
    assert old in cell(nb, name).source
    cell(nb, name).source = cell(nb, name).source.replace(old, new)


def hostile(verdict, name, source, of="rnn_sequence", **more):
    """Add a case in which one answer cell holds this source."""

    def change(nb):
        answers(nb, of, source)

    change.__name__ = name
    case(verdict, of, **more)(change)


def edited(verdict, name, of, old, new, **more):
    """Add a case in which a text of one answer is replaced."""

    def change(nb):
        replaces(nb, of, old, new)

    change.__name__ = name
    case(verdict, of, **more)(change)


UNFILLED = dict.fromkeys(NAMES, "unfilled")
FROM_THE_THIRD_ON = dict.fromkeys(NAMES[2:], "unfilled")
FROM_THE_FIFTH_ON = dict.fromkeys(NAMES[4:], "unfilled")
UNREADABLE = dict.fromkeys(NAMES, "unreadable")
RIGHT_SEQUENCE = """def rnn_sequence(x, h0, W_x, W_h, b):
    hs, h = np.zeros((x.shape[0], x.shape[1], h0.shape[1])), h0
    for t in range(x.shape[1]):
        h = rnn_step(x[:, t], h, W_x, W_h, b)
        hs[:, t] = h
    return hs
"""

# Honest work


@case()
def solved(nb):
    pass


@case(UNFILLED)
def untouched(nb):
    return notebook.read(STUDENT)


@case(FROM_THE_FIFTH_ON)
def half_filled(nb):
    student = notebook.read(STUDENT)
    for name in NAMES[:4]:
        answers(student, name, cell(nb, name).source)
    return student


@case({"rnn_step": "unfilled"})
def first_gap_left(nb):
    """Later answers call the function that is missing."""
    answers(nb, "rnn_step", cell(notebook.read(STUDENT), "rnn_step").source)


@case(dict.fromkeys(NAMES, "wrong"), says="what keeps h between −1 and 1?")
def everything_wrong(nb):
    answers(nb, "rnn_step", "def rnn_step(x, h_prev, W_x, W_h, b):\n    return x @ W_x + h_prev @ W_h + b")
    replaces(nb, "rnn_sequence", "h = h0", "h = 0 * h0")
    replaces(nb, "numerical_gradient", "(2 * eps)", "eps")
    replaces(nb, "rnn_step_backward", "1 - h**2", "1 - h_prev**2")
    replaces(nb, "rnn_sequence_backward", "dy[:, t] + dh_prev", "dy[:, t]")
    replaces(nb, "find_mistakes", '"A": (9,', '"A": (8,')
    replaces(nb, "clip", "longest / length", "1 / length")
    replaces(nb, "noisy_memory", "2.0", "0.5")


edited("wrong", "bias_forgotten", "rnn_step", " + b)", ")", says="Your answer does not move when b does")
edited(
    "wrong",
    "too_few_results",
    "rnn_step_backward",
    "return dx, dh_prev, dW_x, dW_h, db",
    "return dx, dh_prev, dW_x, dW_h",
    says="must return 5 results",
)
edited(
    "wrong",
    "transposed",
    "rnn_step",
    "return np.tanh(x @ W_x + h_prev @ W_h + b)",
    "return np.tanh(x @ W_x + h_prev @ W_h + b).T",
    says="h has shape",
)
edited("wrong", "rounded_to_int", "rnn_step", "+ b)", "+ b).round().astype(int)", says="dtype int")
edited(
    "wrong",
    "float32_inside",
    "rnn_sequence",
    "h0.shape[1])",
    "h0.shape[1]), dtype=np.float32",
    says="half the digits are lost",
)
edited("wrong", "not_a_number", "rnn_step", "+ b)", "+ b) * np.nan", says="is nan")
edited("wrong", "no_return", "rnn_step", "return np", "np", says="returned None")
edited(
    "wrong",
    "input_changed",
    "rnn_step_backward",
    "da = (1 - h**2) * dh",
    "dh *= 1 - h**2\n    da = dh",
    says="caller's dh has changed",
)
edited(
    "crashed",
    "shapes_do_not_fit",
    "rnn_sequence",
    "x[:, t]",
    "x[:, t].T",
    says="the shapes on both sides of @ do not fit",
)

edited(
    "wrong",
    "a_line_without_a_mistake",
    "find_mistakes",
    '"A": (9,',
    '"A": (8,',
    says="A: line 8 is as it should be",
)
edited("passed", "other_weights_of_the_memory", "noisy_memory", "1.0, 2.0", "1.2, 2.2")
edited("wrong", "a_memory_that_forgets", "noisy_memory", "2.0", "0.5", says="1000 silent steps")
edited(
    "wrong", "a_memory_of_texts", "noisy_memory", "1.0, 2.0, 0.0", "'1', '2', '0'", says="must be a number"
)

hostile("crashed", "division_by_zero", "def rnn_sequence(*a):\n    return 1 / 0", says="ZeroDivisionError")
for of in ("rnn_step_backward", "rnn_sequence_backward"):  # the lab calls them above their checks
    hostile(
        "crashed",
        f"division_by_zero_in_{of}",
        f"def {of}(*a):\n    return 1 / 0",
        of=of,
        says=f"{of} stopped with",
    )
hostile("crashed", "syntax_error", "def rnn_sequence(x, h0\n    return x", says="SyntaxError")
hostile("crashed", "wrong_indent", "def rnn_sequence(*a):\nreturn 1", says="IndentationError")
hostile(
    "crashed", "function_renamed", RIGHT_SEQUENCE.replace("rnn_sequence", "sequence"), says="is not defined"
)
hostile("crashed", "wrong_arguments", "def rnn_sequence(x):\n    return x", says="TypeError")
hostile(
    "crashed",
    "needs_a_file",
    "import helpers\n" + RIGHT_SEQUENCE.replace("return hs", "return helpers.last(hs)"),
    says="helpers",
    review="rnn_sequence",
)
hostile("crashed", "recursion", "def rnn_sequence(*a):\n    return rnn_sequence(*a)", says="RecursionError")
hostile("wrong", "is_no_function", "rnn_sequence = 3", says="must be a function")
hostile("wrong", "pass_alone", "def rnn_sequence(*a):\n    pass", says="returned None")
hostile("unfilled", "empty_cell", "")
hostile("unfilled", "comment_alone", "# I do not know")
hostile(
    "unfilled",
    "other_wording_of_the_gap",
    "def rnn_sequence(x):\n    'To do.'\n    raise NotImplementedError",
)
hostile(
    "unfilled",
    "raise_left_above",
    RIGHT_SEQUENCE.replace("    hs,", "    raise NotImplementedError('x')\n    hs,", 1),
)


@case()
def raise_left_below_the_answer(nb):
    answers(
        nb, "rnn_sequence", RIGHT_SEQUENCE + "    raise NotImplementedError('Exercise 1.2 rnn_sequence')\n"
    )


@case("unfilled")
def answer_deleted(nb):
    nb.cells.remove(cell(nb, "rnn_sequence"))


@case(dict.fromkeys(NAMES, "unfilled"))
def everything_deleted(nb):
    nb.cells = [c for c in nb.cells if c.cell_type != "code"]


# Right answers, written in other ways


@case()
def other_ways(nb):
    answers(
        nb,
        "rnn_step",
        "rnn_step = lambda x, h, W_x, W_h, b: 2 / (1 + np.exp(-2 * (x.dot(W_x) + h.dot(W_h) + b))) - 1",
    )
    answers(
        nb,
        "rnn_sequence",
        "from itertools import accumulate\n\n"
        "def rnn_sequence(x, h0, W_x, W_h, b):\n"
        "    step = lambda h, x_t: rnn_step(x_t, h, W_x, W_h, b)\n"
        "    steps = accumulate(np.moveaxis(x, 1, 0), step, initial=h0)\n"
        "    return np.stack(list(steps)[1:], axis=1)",
    )
    answers(
        nb,
        "numerical_gradient",
        "def numerical_gradient(f, x, eps=1e-5):\n"
        "    moves = eps * np.eye(x.size).reshape(-1, *x.shape)\n"
        "    return np.array([(f(x + m) - f(x - m)) / 2 / eps for m in moves]).reshape(x.shape)",
    )
    answers(
        nb,
        "rnn_step_backward",
        "class Tanh:\n    def __call__(self, dh, h):\n        return dh - dh * h * h\n\n"
        "def rnn_step_backward(dh, x, h_prev, h, W_x, W_h):\n"
        "    da = Tanh()(dh, h)\n"
        "    both = np.concatenate([x, h_prev], axis=1)\n"
        "    dW = np.einsum('bi,bj->ij', both, da)\n"
        "    dboth = da @ np.concatenate([W_x, W_h]).T\n"
        "    D = x.shape[1]\n"
        "    return [dboth[:, :D], dboth[:, D:], dW[:D], dW[D:], np.ones(len(x)) @ da]",
    )
    answers(
        nb,
        "rnn_sequence_backward",
        "def rnn_sequence_backward(dy, x, h0, hs, W_x, W_h):\n"
        "    das, back = [], 0 * h0\n"
        "    for slope, dy_t in zip(*(np.moveaxis(a, 1, 0)[::-1] for a in (1 - hs * hs, dy))):\n"
        "        das.insert(0, slope * (dy_t + back))\n"
        "        back = das[0] @ W_h.T\n"
        "    da = np.stack(das, axis=1)\n"
        "    before = np.concatenate([h0[:, None], hs], axis=1)[:, :-1]\n"
        "    dW_x, dW_h = (np.tensordot(a, da, ([0, 1], [0, 1])) for a in (x, before))\n"
        "    return da @ W_x.T, back, dW_x, dW_h, da.sum((0, 1))",
    )
    answers(
        nb,
        "find_mistakes",
        "found = {}\nfor name, *where in ('C', 1, 'H'), ('B', 3, ' d'), ('A', 9, 'b'):\n"
        "    found[name] = where\n\ndef find_mistakes():\n    return found",
    )
    answers(
        nb,
        "clip",
        "def clip(grads, longest):\n"
        "    length = np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))\n"
        "    grads = grads.copy()\n"
        "    if length > longest:\n"
        "        for name in grads:\n            grads[name] = grads[name] / length * longest\n"
        "    return grads",
    )
    answers(nb, "noisy_memory", "def noisy_memory():\n    return [np.float64(1.2), 2.2, 0]")


@case()
def loops_of_python(nb):
    answers(
        nb,
        "rnn_step",
        "import math\n\ndef rnn_step(x, h_prev, W_x, W_h, b):\n"
        "    rows = []\n    for i in range(len(x)):\n        row = []\n        for j in range(len(b)):\n"
        "            a = b[j] + sum(x[i][d] * W_x[d][j] for d in range(x.shape[1]))\n"
        "            a += sum(h_prev[i][k] * W_h[k][j] for k in range(len(b)))\n"
        "            row.append(math.tanh(a))\n        rows.append(row)\n    return np.array(rows)",
    )


@case()
def another_name_for_numpy(nb):
    for name in NAMES:
        cell(nb, name).source = "import numpy\n" + cell(nb, name).source.replace("np.", "numpy.")


@case()
def typed_and_documented(nb):
    answers(
        nb,
        "rnn_step",
        "from functools import wraps\nfrom typing import Any\n\n"
        "def told(f):\n    @wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n"
        "    return inner\n\n"
        "@told\ndef rnn_step(x: Any, h_prev: Any, W_x: Any, W_h: Any, b: Any) -> np.ndarray:\n"
        "    '''One step. Inspect the modules of rnnlib for more.'''  # eval, exec\n"
        "    return np.tanh(x @ W_x + h_prev @ W_h + b)",
    )


@case()
def prints_warnings_and_figures(nb):
    replaces(
        nb,
        "rnn_step",
        "return",
        "print('here', x.shape); import warnings; warnings.warn('!'); return",
    )
    nb.cells.insert(
        6, code("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    )


@case()
def draws_random_numbers_and_sets_options(nb):
    replaces(nb, "rnn_step", "return", "np.random.seed(3); np.seterr(all='raise'); return")


# Cells where nobody expects them


@case()
def answer_in_two_cells(nb):
    first = cell(nb, "rnn_step")
    second = copy.deepcopy(first)
    second.id, second.source = "other", first.source.replace("np.tanh", "squash")
    first.source = "squash = np.tanh"
    nb.cells.insert(nb.cells.index(first) + 1, second)


@case()
def helper_in_an_added_cell(nb):
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_step")), code("squash = np.tanh"))
    replaces(nb, "rnn_step", "np.tanh", "squash")


@case()
def the_labs_invitations_taken(nb):
    """Examples asked for, a version tried, the sliders given other places."""
    tried = 'mistakes.VERSIONS["A"](G, x, h0, hs, W_x, W_h)\nrnn_step(**checks.rnn_step.example())'
    nb.cells.insert(nb.cells.index(cell(nb, "find_mistakes")), code(tried))
    replaces(nb, "play", "min=-4, max=4", "min=-5, max=5")
    cell(nb, "mistakes").source += '\nmistakes.show("A")'


@case()
def helper_in_the_labs_own_cell(nb):
    cell(nb, "setup").source += "\nimport math"
    cell(nb, "rnn_step_check").source = "squash = np.vectorize(math.tanh)\nchecks.rnn_step(rnn_step)"
    replaces(nb, "rnn_step", "np.tanh", "squash")


@case()
def added_cell_fails(nb):
    nb.cells.insert(5, code("1 / 0"))
    nb.cells.insert(1, code("no_such_name"))


@case()
def cells_moved_to_the_end(nb):
    for name in NAMES[:2]:
        moved = cell(nb, name)
        nb.cells.remove(moved)
        nb.cells.append(moved)


@case()
def order_turned_round(nb):
    nb.cells.reverse()


@case()
def ids_and_metadata_lost(nb):
    for i, c in enumerate(nb.cells):
        c.metadata, c.id = {}, f"new-{i}"


@case()
def copied_cells_hold_the_answers(nb):
    student = notebook.read(STUDENT)
    for i, name in enumerate(NAMES):
        copied = copy.deepcopy(cell(student, "rnn_step"))
        copied.id, copied.source = f"copy-{i}", cell(nb, name).source
        student.cells.append(copied)
    return student


@case()
def gap_left_below_the_answer(nb):
    gap = copy.deepcopy(cell(notebook.read(STUDENT), "rnn_step"))
    gap.id = "gap"
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_step")) + 1, gap)


@case()
def answer_without_metadata_above_the_gap(nb):
    filled = cell(nb, "rnn_step")
    nb.cells.insert(nb.cells.index(filled), code(filled.source))
    filled.source = cell(notebook.read(STUDENT), "rnn_step").source


@case()
def experiment_below_the_check(nb):
    experiment = copy.deepcopy(cell(nb, "rnn_step"))
    experiment.id, experiment.source = "experiment", "def rnn_step(*a):\n    return 0"
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_step_check")) + 1, experiment)


@case()
def experiment_at_the_end(nb):
    nb.cells.append(code("def rnn_step(*a):\n    return 0"))


@case()
def two_answers_in_one_cell(nb):
    cell(nb, "rnn_step").source += "\n\n" + cell(nb, "rnn_sequence").source
    nb.cells.remove(cell(nb, "rnn_sequence"))


@case("wrong", "rnn_step")
def two_answers_in_one_cell_the_first_wrong(nb):
    replaces(nb, "rnn_step", " + b)", ")")
    cell(nb, "rnn_step").source += "\n\n" + cell(nb, "rnn_sequence").source
    nb.cells.remove(cell(nb, "rnn_sequence"))


@case("wrong", "numerical_gradient")
def all_answers_in_the_last_cell(nb):
    replaces(nb, "numerical_gradient", "(2 * eps)", "eps")
    whole = "squash = np.tanh\n\n" + "\n\n".join(cell(nb, name).source for name in NAMES).replace(
        "np.tanh", "squash"
    )
    for name in NAMES[:-1]:
        nb.cells.remove(cell(nb, name))
    answers(nb, NAMES[-1], whole)


@case()
def answer_and_check_in_one_cell(nb):
    cell(nb, "rnn_step").source += "\n\nchecks.rnn_step(rnn_step)"
    nb.cells.remove(cell(nb, "rnn_step_check"))


@case()
def answer_made_a_text_and_written_again(nb):
    old = cell(nb, "rnn_step")
    new = code(old.source)
    old.cell_type = "markdown"
    old.pop("outputs"), old.pop("execution_count")
    nb.cells.insert(nb.cells.index(old) + 1, new)


@case()
def answers_unpacked_from_one_function(nb):
    """All functions come out of one, and the other gaps are gone."""
    whole = "\n\n".join(cell(nb, name).source for name in NAMES)
    body = "\n".join(f"    {line}" for line in whole.splitlines())
    for name in NAMES[1:]:
        nb.cells.remove(cell(nb, name))
    answers(
        nb, "rnn_step", f"def make():\n{body}\n    return {', '.join(NAMES)}\n\n{', '.join(NAMES)} = make()"
    )


@case()
def answers_below_an_if(nb):
    cell(nb, "rnn_step").source += "\n\nif True:\n    def rnn_sequence(*a):\n        return right(*a)"
    nested = cell(nb, "rnn_sequence").source.replace("def rnn_sequence", "def right")
    cell(nb, "rnn_step").source += "\n\n" + nested
    nb.cells.remove(cell(nb, "rnn_sequence"))


@case(review="rnn_step")
def seed_and_settings_changed_inside_an_answer(nb):
    spoil = "import os, warnings; os.environ['RNNLIB_SEED'] = '7'; warnings.simplefilter('error'); return"
    replaces(nb, "rnn_step", "return", spoil)


@case()
def a_long_sum(nb):
    replaces(nb, "rnn_step", " + b)", " + b" + " + 0.0" * 600 + ")")


@case("wrong", says="hs changes when rnn_sequence is called again")
def one_buffer_for_all_calls(nb):
    answers(
        nb,
        "rnn_sequence",
        "BUFFER = {}\n\n"
        + RIGHT_SEQUENCE.replace("rnn_sequence(", "fresh(")
        + "\ndef rnn_sequence(*a):\n    hs = fresh(*a)\n    kept = BUFFER.setdefault(hs.shape, hs)\n"
        "    kept[:] = hs\n    return kept",
    )


@case("crashed", says="IndexError")
def right_for_long_sequences_alone(nb):
    first = "hs[:, 0] = h = rnn_step(x[:, 0], h0, W_x, W_h, b)"
    rest = "hs[:, 1] = h = rnn_step(x[:, 1], h, W_x, W_h, b)"
    loop = "for t in range(2, x.shape[1]):"
    replaces(nb, "rnn_sequence", "h = h0\n", f"{first}\n    {rest}\n")
    replaces(nb, "rnn_sequence", "for t in range(x.shape[1]):", loop)


@case("wrong", "rnn_step")
def right_for_several_features_alone(nb):
    replaces(nb, "rnn_step", "return", "x = x.squeeze()\n    if x.ndim < 2: return h_prev\n    return")


@case("wrong", "rnn_step", says="caller's b has changed")
def shape_of_an_argument_changed(nb):
    replaces(nb, "rnn_step", "return", "b.shape = (1, -1)\n    return")


@case(review="rnn_step")
def folders_without_end(nb):
    """In the kernel's own folder, which has to be removed afterwards."""
    spoil = "import os\nplace = os.path.dirname(os.environ['HOME'])\n"
    spoil += "os.chdir(place if os.access(place, os.W_OK) else '.')\n"
    spoil += "for i in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\n"
    cell(nb, "rnn_step").source = spoil + cell(nb, "rnn_step").source


@case()
def own_copy_of_a_helper(nb):
    cell(nb, "rnn_sequence").source = cell(nb, "rnn_step").source + "\n\n" + cell(nb, "rnn_sequence").source


@case()
def built_ins_shadowed(nb):
    """The student's own names spoil later cells in the notebook, but no answer is wrong."""
    cell(nb, "rnn_step").source += "\n\nsum = range = 3"


@case()
def numpy_spoiled_after_the_answer(nb):
    cell(nb, "rnn_sequence").source += "\n\nimport numpy\nnumpy.ndindex = None"


@case()
def helper_of_a_right_answer_outlives_a_dead_kernel(nb):
    cell(nb, "rnn_step").source += "\n\ndef slope(h):\n    return 1 - h**2"
    replaces(nb, "rnn_step_backward", "(1 - h**2)", "slope(h)")


@case({"rnn_step": "wrong"} | FROM_THE_THIRD_ON)
def last_weeks_release(nb):
    """Other words, another order, an exercise less: what the student did still counts."""
    old = notebook.read(STUDENT)
    answers(
        old, "rnn_step", "def rnn_step(x, h_prev, W_x, W_h, b):\n    return np.tanh(x @ W_x + h_prev @ W_h)"
    )
    answers(old, "rnn_sequence", RIGHT_SEQUENCE)
    gap = "def numerical_gradient(f, x):\n    'Old words.'\n    raise NotImplementedError('Exercise 1.4')"
    answers(old, "numerical_gradient", gap)
    cell(old, "setup").source = "import numpy as np\nfrom rnnlib import checks"
    old.cells = [c for c in old.cells if c.cell_type == "code" and "backward" not in c.source]
    old.cells.insert(1, old.cells.pop(4))
    return old


@case("wrong", "rnn_sequence_backward")
def display_in_a_right_answer(nb):
    """What is shown neither helps nor hurts, however much it is."""
    show = "from IPython.display import display; display(x); [display(i) for i in range(99)]"
    replaces(nb, "rnn_step_backward", "return", f"{show}; return")
    replaces(nb, "rnn_sequence_backward", "dy[:, t] + dh_prev", "dy[:, t]")


@case(FROM_THE_FIFTH_ON, says="not in this notebook: was it begun in an earlier form of the lab?")
def lab_of_four(nb):
    return notebook.read(OF_FOUR)


@case({"rnn_sequence": "wrong"} | FROM_THE_FIFTH_ON)
def lab_of_four_with_one_wrong(nb):
    old = notebook.read(OF_FOUR)
    replaces(old, "rnn_sequence", "h = h0", "h = 0 * h0")
    return old


@case({"rnn_step_backward": "crashed"} | FROM_THE_FIFTH_ON, says="rnn_step_backward stopped with")
def lab_of_four_whose_comparison_stops(nb):
    old = notebook.read(OF_FOUR)
    replaces(old, "rnn_step_backward", "da =", "1 / 0\n    da =")
    return old


@case(FROM_THE_FIFTH_ON, review="rnn_sequence_backward", says="not in this notebook")
def lab_of_four_without_ids_and_metadata(nb):
    """Its last picture is then a cell of the student's, below the fourth check; it names the library."""
    old = notebook.read(OF_FOUR)
    ids_and_metadata_lost(old)
    return old


@case(FROM_THE_FIFTH_ON | {"rnn_sequence_backward": "passed"})
def lab_of_four_and_a_fifth_answer(nb):
    old = notebook.read(OF_FOUR)
    old.cells.append(code(cell(nb, "rnn_sequence_backward").source))
    return old


@case()
def a_name_of_the_lab_taken(nb):
    """Two of the lab's own cells call it; what stops them stands in a right answer."""
    cell(nb, "rnn_sequence_backward").source += "\n\ndef compare(*a):\n    return 1 / 0"


@case({"rnn_step": "wrong", "rnn_sequence": "kernel died"}, review="rnn_sequence")
def helper_of_a_wrong_answer_outlives_a_dead_kernel(nb):
    replaces(nb, "rnn_step", " + b)", ")")
    cell(nb, "rnn_step").source += "\n\ndef slope(h):\n    return 1 - h**2"
    answers(nb, "rnn_sequence", "import os\nos._exit(0)")
    replaces(nb, "rnn_step_backward", "(1 - h**2)", "slope(h)")


@case()
def helper_outlives_an_experiment(nb):
    """The second exercise passes at its second attempt; a later one needs what the first defines."""
    cell(nb, "rnn_step").source += "\n\ndef slope(h):\n    return 1 - h**2"
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_step_check")) + 1, code("def rnn_step(*a):\n    return 0"))
    replaces(nb, "rnn_step_backward", "(1 - h**2)", "slope(h)")


@case()
def check_run_again_further_down(nb):
    place = nb.cells.index(cell(nb, "rnn_sequence_check")) + 1
    nb.cells.insert(
        place, code("two = rnn_sequence(np.ones((1, 2, 1)), np.ones((1, 1)), *np.ones((2, 1, 1)), 0)")
    )
    nb.cells.insert(place, code("checks.rnn_step(rnn_step)"))
    nb.cells.insert(place, copy.deepcopy(cell(nb, "setup")))
    replaces(nb, "numerical_gradient", "value = x[i]", "value = x[i] + 0 * two.sum()")


@case("wrong", review="rnn_step", says="it calls your rnn_step, which is not right yet")
def names_of_the_lab_hidden(nb):
    cell(nb, "rnn_step").source += "\n\ndef checks():\n    pass"
    cell(nb, "rnn_sequence").source += "\n\ndef np():\n    pass"


# Notebooks of all kinds


@case()
def old_format_without_ids(nb):
    old = json.loads(nbformat.writes(nb))
    old["nbformat_minor"] = 4
    for c in old["cells"]:
        del c["id"]
    return old


@case()
def byte_order_mark(nb):
    return "\ufeff" + nbformat.writes(nb)


@case()
def windows_line_ends(nb):
    return nbformat.writes(nb).replace("\n", "\r\n")


@case()
def kernel_of_another_language(nb):
    nb.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}


@case("wrong", "rnn_step")
def tags_of_nbval(nb):
    replaces(nb, "rnn_step", " + b)", ")")
    for c in nb.cells:
        c.metadata["tags"] = ["nbval-skip", "raises-exception", "nbval-ignore-output"]
        if c.cell_type == "code":
            c.source = "# NBVAL_SKIP\n" + c.source


@case()
def odd_metadata(nb):
    nb.metadata["rnnlib"] = {"lab": ["x"]}
    nb.metadata["orig_nbformat"] = None
    cell(nb, "rnn_step_check").metadata["nbgrader"] = [3]


@case()
def pictures_widgets_and_outputs(nb):
    """Much that no grade needs: Colab writes pictures into text cells, and widgets keep their state."""
    picture = "![](data:image/png;base64," + "A" * 4_200_000 + ")"
    nb.cells.insert(2, nbformat.v4.new_markdown_cell(picture))
    nb.cells.insert(
        9, nbformat.v4.new_markdown_cell(picture, attachments={"a.png": {"image/png": "A" * 10**6}})
    )
    nb.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"a": "B" * 5_000_000}}}
    cell(nb, "rnn_step").outputs = [nbformat.v4.new_output("stream", text="C" * 20_000_000)]


@case()
def odd_cells(nb):
    """Ids, metadata and sources of which no grade needs anything."""
    nb = json.loads(nbformat.writes(nb))
    nb["nbformat_minor"] = 99
    nb["metadata"] = {"kernelspec": None, "rnnlib": None, "widgets": [float("nan"), 1e400]}
    texts = [c for c in nb["cells"] if c["cell_type"] == "markdown"]
    for c, source in zip(texts, [None, 3, ["a", None, {}], {"a": 1}, "\ud83d"], strict=False):
        c["source"] = source
        del c["metadata"]
    del texts[-1]["source"]
    first = next(c for c in nb["cells"] if c["cell_type"] == "code")
    first |= {"metadata": None, "id": None, "outputs": {"a": 1}, "execution_count": "x"}
    more = [{"id": None, "cell_type": "code", "source": None}, {"cell_type": "sql", "source": 3}]
    nb["cells"] += [
        *more,
        {"cell_type": "code", "source": ["x = 1\n", None], "id": [1]},
        {"cell_type": "raw"},
        None,
    ]
    return nb


@case()
def format_of_ten_years_ago(nb):
    """Version 3: worksheets, and code called input."""
    cells = [{"cell_type": "heading", "level": 1, "source": "Lab"}]
    for c in nb.cells:
        code = c.cell_type == "code"
        more = {"input": c.source, "language": "python", "outputs": [], "collapsed": False} if code else {}
        cells.append({"cell_type": c.cell_type, "metadata": c.metadata, **(more or {"source": c.source})})
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}


@case()
def half_an_emoji_in_code(nb):
    cell(nb, "rnn_step").source += "\n# done \ud83d\nsmile = '\ude00'\n"
    return json.loads(nbformat.writes(nb))


@case()
def utf_16(nb):
    return nbformat.writes(nb).encode("utf-16")


@case()
def a_notebook_in_a_text(nb):
    return json.dumps(nbformat.writes(nb))


@case()
def latin_1_in_a_text_cell(nb):
    nb.cells.insert(1, nbformat.v4.new_markdown_cell("M@ller"))
    return nbformat.writes(nb).encode().replace(b"M@ller", b"M\xfcller")


@case(UNREADABLE, says="are not UTF-8: save the notebook as UTF-8")
def latin_1_in_code(nb):
    cell(nb, "rnn_step").source += "\n# M@ller"
    return nbformat.writes(nb).encode().replace(b"M@ller", b"M\xfcller")


@case("wrong", "rnn_step")
def points_and_checks_changed(nb):
    answers(nb, "rnn_step", "def rnn_step(*a): return 1")
    check = cell(nb, "rnn_step_check")
    check.metadata["nbgrader"]["points"] = 100
    check.source = "print('✓ Exercise 1.1 rnn_step')"
    nb.cells.remove(cell(nb, "rnn_sequence_check"))


@case("wrong", "rnn_step")
def outputs_forged(nb):
    """What a notebook shows counts for nothing."""
    answers(nb, "rnn_step", "def rnn_step(*a): return 1")
    cell(nb, "rnn_step").metadata["nbgrader"]["grade"] = True


for name, content in {
    "empty_file": b"",
    "cut_off": SOLUTION.read_bytes()[:5000],
    "a_list": b"[]",
    "null": b"null",
    "cells_are_a_number": b'{"cells": 3}',
    "a_cell_without_a_type": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"id": "a",'
    b' "source": "x = 1", "metadata": {}, "outputs": []}]}',
    "a_cell_is_a_number": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
    "code_is_a_number": b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": 3}]}',
    "a_web_page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "binary": bytes(range(256)) * 10,
    "nested_too_deep": b"[" * 100_000,
    "git_conflict": SOLUTION.read_bytes().replace(b' "cells": [', b'<<<<<<< HEAD\n "cells": ['),
}.items():

    def returns(nb, content=content):
        return content

    returns.__name__ = name
    case(UNREADABLE)(returns)


@folder_case({})
def renamed(folder):
    shutil.copy(SOLUTION, folder / "lab01 (1) final_FINAL.ipynb")


@folder_case({})
def renamed_and_known_by_its_checks_alone(folder):
    nb = notebook.read(SOLUTION)
    nb.metadata = {}
    for i, c in enumerate(nb.cells):
        c.metadata, c.id = {}, f"new-{i}"
    nbformat.write(nb, folder / "homework.ipynb")


@folder_case({})
def deep_in_folders_with_checkpoints(folder):
    inner = folder / "unzipped" / "labs"
    (inner / ".ipynb_checkpoints").mkdir(parents=True)
    (folder / "__MACOSX").mkdir()
    shutil.copy(SOLUTION, inner)
    shutil.copy(STUDENT, inner / ".ipynb_checkpoints" / "01_rnn-checkpoint.ipynb")
    (folder / "__MACOSX" / "._01_rnn.ipynb").write_bytes(b"\0\1")


@folder_case({})
def files_that_pytest_would_run(folder):
    shutil.copy(SOLUTION, folder)
    evil = "import os\nos._exit(3)\n"
    for file in ("conftest.py", "numpy.py", "sitecustomize.py", "rnnlib.py", "pytest.py"):
        (folder / file).write_text(evil)
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--collect-only'\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")


@folder_case({})
def named_as_a_text(folder):
    shutil.copy(SOLUTION, folder / "01_rnn.ipynb.txt")


@folder_case({})
def named_as_json(folder):
    shutil.copy(SOLUTION, folder / "01_rnn.json")
    (folder / "settings.json").write_text('{"cells": "none", "a": 1}')
    (folder / "notes.txt").write_text("a text")


@folder_case({})
def in_a_zip_in_a_zip(folder):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.write(SOLUTION, "../../lab/01_rnn.ipynb")
        archive.writestr("__MACOSX/lab/._01_rnn.ipynb", b"\0\1")
    with zipfile.ZipFile(folder / "lab.zip", "w") as archive:
        archive.writestr("lab.zip", inner.getvalue())


@folder_case(UNREADABLE, says="locked with a password")
def in_a_locked_zip(folder):
    with zipfile.ZipFile(folder / "lab.zip", "w") as archive:
        archive.write(SOLUTION, "01_rnn.ipynb")
    data = (folder / "lab.zip").read_bytes()
    place = data.index(b"PK\x01\x02") + 8
    (folder / "lab.zip").write_bytes(data[:place] + bytes([data[place] | 1]) + data[place + 1 :])


@folder_case(UNREADABLE, says="lab.zip (a zip file that is broken")
def a_broken_zip(folder):
    (folder / "lab.zip").write_bytes(b"PK\x03\x04")


@folder_case({})
def a_clone_of_the_course(folder):
    """Its solutions are nobody's work."""
    for inner in ("labs", "labs_solutions", "rnnlib", ".git"):
        (folder / inner).mkdir()
        shutil.copy(SOLUTION, folder / inner / "01_rnn.ipynb")


@folder_case(UNREADABLE, says="this is a link")
def link_to_the_solution(folder):
    (folder / "01_rnn.ipynb").symlink_to(SOLUTION)


@folder_case(UNREADABLE, says="not a file")
def named_pipe(folder):
    os.mkfifo(folder / "01_rnn.ipynb")


@folder_case(UNREADABLE, says="no notebook")
def nothing_handed_in(folder):
    (folder / "lab.pdf").write_bytes(b"%PDF")


@folder_case(UNREADABLE, says="no notebook")
def folder_with_the_name_of_a_notebook(folder):
    (folder / "01_rnn.ipynb").mkdir()


@folder_case(UNREADABLE, says="this is no lab")
def another_notebook(folder):
    nbformat.write(nbformat.v4.new_notebook(cells=[code("1 + 1")]), folder / "notes.ipynb")


# Code that ends, hangs, floods or fills

hostile(
    "timed out", "endless_loop", "def rnn_sequence(*a):\n    while True:\n        pass", says="endless loop"
)
hostile("timed out", "endless_loop_in_the_cell", "while True:\n    pass")
hostile(
    "timed out",
    "endless_loop_in_the_labs_comparison",
    "def rnn_step_backward(*a):\n    while True:\n        pass",
    of="rnn_step_backward",
)
hostile(
    "timed out",
    "endless_loop_without_interrupts",
    "def rnn_sequence(*a):\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
)
hostile("timed out", "endless_printing", "def rnn_sequence(*a):\n    while True:\n        print('x' * 1000)")
hostile("timed out", "sleeps", "import time\ndef rnn_sequence(*a):\n    time.sleep(1000)")
hostile(
    "wrong",
    "giant_display",
    "from IPython.display import display\ndef rnn_sequence(*a):\n    display('x' * 40_000_000)\n    return 0",
)
hostile(
    "timed out",
    "lock",
    "import threading\ndef rnn_sequence(*a):\n    lock = threading.Lock()\n"
    "    lock.acquire()\n    lock.acquire()",
    review="rnn_sequence",
)
hostile(
    "kernel died",
    "exits_in_the_function",
    "def rnn_sequence(*a):\n    import os\n    os._exit(0)",
    review="rnn_sequence",
)
hostile("kernel died", "exits_in_the_cell", "import os\nos._exit(0)", review="rnn_sequence")
hostile("kernel died", "aborts", "import os\nos.abort()", review="rnn_sequence")
hostile(
    "kernel died",
    "kills_itself",
    "import os\ndef rnn_sequence(*a):\n    os.kill(os.getpid(), 9)",
    review="rnn_sequence",
)
hostile(
    "kernel died",
    "segmentation_fault",
    "import ctypes\ndef rnn_sequence(*a):\n    ctypes.string_at(0)",
    review="rnn_sequence",
)
hostile("crashed", "sys_exit", "import sys\ndef rnn_sequence(*a):\n    sys.exit()", says="SystemExit")
hostile(
    "crashed",
    "asks_for_input",
    "def rnn_sequence(*a):\n    return input()",
    says="StdinNotImplementedError",
    review="rnn_sequence",
)
hostile("crashed", "interrupts", "def rnn_sequence(*a):\n    raise KeyboardInterrupt")
hostile("crashed", "raises_no_exception", "def rnn_sequence(*a):\n    raise BaseException('x')")
hostile("crashed", "too_much_memory", "def rnn_sequence(*a):\n    return np.ones(10**11)", says="MemoryError")
hostile(
    "crashed",
    "more_and_more_memory",
    "def rnn_sequence(*a):\n    x = []\n    while True:\n        x.append(np.ones(10**7))",
    says="MemoryError",
)
hostile(
    "kernel died",
    "memory_of_many_processes",
    "import subprocess, sys, time\ndef rnn_sequence(*a):\n"
    "    hog = 'import time; x = b\"x\" * 450_000_000; time.sleep(500)'\n"
    "    hogs = [subprocess.Popen([sys.executable, '-c', hog]) for _ in range(6)]\n    time.sleep(500)",
    review="rnn_sequence",
    says="it used more than 2 GiB of memory",
)
hostile(
    "kernel died",
    "many_processes",
    "import os, time\ndef rnn_sequence(*a):\n"
    "    for _ in range(150):\n        if os.fork() == 0:\n            time.sleep(500)\n"
    "    time.sleep(500)",
    says="it started more than 100 processes",
    review="rnn_sequence",
)
hostile(
    "crashed",
    "odd_exception",
    "class E(Exception):\n    def __str__(self):\n        raise self\n\ndef rnn_sequence(*a):\n    raise E",
)
hostile(
    "crashed",
    "message_with_controls",
    "def rnn_sequence(*a):\n    raise ValueError('\\x1b[31mred\\x07\\n=1+1 | <b>')",
    says="[31mred",
)


@case(review="rnn_step")
def leaves_threads_and_processes(nb):
    replaces(
        nb,
        "rnn_step",
        "return",
        "import threading, time; threading.Thread(target=time.sleep, args=(500,)).start(); return",
    )
    nb.cells.insert(1, code("import atexit, time\natexit.register(time.sleep, 500)"))


# Cheats

hostile(
    "wrong",
    "check_replaced",
    "def rnn_sequence(*a): pass\nchecks.rnn_sequence = lambda f: print('✓')",
    review="rnn_sequence",
)
FAKE = (
    "def {0}(*a): pass\nclass Fake:\n    def _repr_mimebundle_(self, **k):\n"
    "        return {{'text/plain': '✓', 'application/vnd.rnnlib.values+json': {1}}}\n"
    "checks.{0} = lambda f: Fake()"
)
for name, values in {
    "other_values": "[{'hs': [1.0]}]",
    "no_values": "None",
    "nan_values": "[{'hs': [float('nan')]}]",
}.items():
    hostile("wrong", f"check_shows_{name}", FAKE.format("rnn_sequence", values), review="rnn_sequence")
for name, values in {
    "that_forget": "[{'w_x': 1.0, 'w_h': 0.5, 'b': 0.0}]",
    "not_a_number": "[{'w_x': 1.0, 'w_h': 2.0, 'b': float('nan')}]",
    "as_texts": "[{'w_x': '1.0', 'w_h': '2.0', 'b': '0.0'}]",
    "in_lists": "[{'w_x': [[1.0]], 'w_h': [[2.0], [2.0, 3.0]], 'b': []}]",
    "too_large": "[{'w_x': 10**400, 'w_h': 2.0, 'b': 0.0}]",
    "missing": "[{'w_x': 1.0, 'w_h': 2.0}]",
}.items():
    source = FAKE.format("noisy_memory", values)
    hostile("wrong", f"shown_weights_{name}", source, of="noisy_memory", review="noisy_memory")
hostile(
    "wrong",
    "shown_weights_twice",
    "from IPython.display import display\ndef noisy_memory(): pass\n"
    "mime = 'application/vnd.rnnlib.values+json'\n"
    "def fake(f):\n    for w_h in (2.0, 2.2):\n"
    "        display({mime: [{'w_x': 1.0, 'w_h': w_h, 'b': 0.0}]}, raw=True)\n"
    "checks.noisy_memory = fake",
    of="noisy_memory",
    review="noisy_memory",
    says="it showed values twice",
)
hostile(
    "wrong",
    "two_fakes",
    "from IPython.display import display\ndef rnn_sequence(*a): pass\n"
    "mime = 'application/vnd.rnnlib.values+json'\n"
    "def fake(f):\n    for n in (1, 10**400):\n        display({mime: [{'hs': [n]}]}, raw=True)\n"
    "checks.rnn_sequence = fake",
    review="rnn_sequence",
)
hostile(
    "wrong",
    "display_without_data",
    "def rnn_sequence(*a): pass\n"
    "checks.rnn_sequence = lambda f: get_ipython().display_pub.publish({}, metadata={'a': 1})",
    review="rnn_sequence",
)
hostile(
    "wrong",
    "traceback_silenced",
    "def rnn_sequence(*a): pass\nget_ipython().showtraceback = lambda *a, **k: None",
    review="rnn_sequence",
)
hostile(
    "wrong",
    "everything_is_close",
    "import numpy\nnumpy.allclose = numpy.array_equal = lambda *a, **k: True\n"
    "numpy.isclose = lambda a, b, **k: numpy.ones(numpy.shape(a), bool)\n"
    "def rnn_sequence(x, h0, *a): return numpy.zeros((*x.shape[:2], h0.shape[1]))",
)
hostile(
    "wrong",
    "array_that_equals_all",
    "class Sly(np.ndarray):\n    def __array_function__(self, *a, **k):\n        return True\n"
    "    def __eq__(self, other):\n        return True\n\n"
    "def rnn_sequence(x, h0, *a):\n    return np.zeros((*x.shape[:2], h0.shape[1])).view(Sly)",
    review="rnn_sequence",
)
hostile("wrong", "checks_hidden", "checks = None\ndef rnn_sequence(*a): pass", review="rnn_sequence")
hostile("crashed", "numpy_deleted", "del np\ndef rnn_sequence(x, h0, *a): return np.zeros(3)")
hostile("unfilled", "everything_reset", "%reset -f")
hostile(
    "wrong",
    "kernel_cut_off",
    "get_ipython().run_cell = None\ndef rnn_sequence(*a): pass",
    review="rnn_sequence",
)


@case({"rnn_step": "wrong", "rnn_step_backward": "wrong"})
def stored_values_hard_coded(nb):
    """The values of the public solution, in the order of its inputs."""
    for name in ("rnn_step", "rnn_step_backward"):
        stored = next(o.data["application/vnd.rnnlib.values+json"] for o in cell(nb, f"{name}_check").outputs)
        shapes = {
            "rnn_step": "[h_prev.shape]",
            "rnn_step_backward": "[x.shape, h.shape, W_x.shape, W_h.shape, (h.shape[1],)]",
        }[name]
        header = cell(nb, name).source.splitlines()[0]
        order = {"rnn_step": ["h"], "rnn_step_backward": ["dx", "dh_prev", "dW_x", "dW_h", "db"]}[name]
        calls = {"rnn_step": 0, "rnn_step_backward": 1}[name]  # above the check, by the lab
        answers(
            nb,
            name,
            f"stored_{name} = iter({[None] * calls + [[case[key] for key in order] for case in stored]})\n"
            f"{header}\n"
            f"    values = [np.resize(v, s) for v, s in zip(next(stored_{name}), {shapes})]\n"
            "    return values[0] if len(values) == 1 else values",
        )


def reference(name, source, of="rnn_step"):
    hostile("passed", name, source, of=of, review=of)


reference("calls_the_reference", "rnn_step = checks.rnn_step.reference")
hostile(
    "crashed",
    "takes_a_layer_that_has_moved",
    "from rnnlib.layers import RNN\n\n\ndef rnn_step(x, h_prev, W_x, W_h, b):\n    return RNN",
    of="rnn_step",
    review="rnn_step",
    says="No module named 'rnnlib.layers'",
)
reference(
    "takes_the_layer",
    "from rnnlib.models.rnn import RNN\ndef rnn_step(x, h_prev, W_x, W_h, b):\n"
    "    rnn = RNN(*W_x.shape, dtype=float)\n    rnn.params = {'W_x': W_x, 'W_h': W_h, 'b': b}\n"
    "    return rnn.step(x, h_prev)[0]",
)
reference("searches_the_modules", "import sys\nrnn_step = sys.modules['rnnlib.checks'].rnn_step.reference")
reference(
    "imports_by_a_text",
    "def rnn_step(*a):\n    return __import__('rnn' + 'lib').checks.rnn_step.reference(*a)",
)
reference("evaluates_a_text", "rnn_step = eval('che' 'cks.rnn_' + 'step.reference')")
reference(
    "looks_up_the_stack",
    "import inspect\ndef rnn_step(*a):\n    f = inspect.currentframe()\n"
    "    while 'self' not in f.f_locals:\n        f = f.f_back\n    return f.f_locals['self'].reference(*a)",
)
reference(
    "walks_the_subclasses",
    "def rnn_step(*a):\n    for f in object.__subclasses__():\n"
    "        pass\n    return np.tanh(a[0] @ a[2] + a[1] @ a[3] + a[4])",
)


@case(review="rnn_step")
def check_calls_the_reference(nb):
    answers(
        nb,
        "rnn_step",
        "def rnn_step(*a): pass\nreal = checks.rnn_step\nchecks.rnn_step = lambda f: real(real.reference)",
    )


@case(UNFILLED | {"rnn_step": "passed"}, review="rnn_step")
def checks_of_later_exercises_call_the_reference(nb):
    student = notebook.read(STUDENT)
    answers(
        student,
        "rnn_step",
        cell(nb, "rnn_step").source + "\n\nimport rnnlib.checks as c\n"
        "for e in c.EXERCISES['01_rnn'].values():\n"
        "    setattr(checks, e.name, lambda f, e=e: e(e.reference))",
    )
    return student


@case({"rnn_sequence": "wrong"} | FROM_THE_THIRD_ON, review="rnn_step")
def marked_code_does_not_live_on_after_a_wrong_answer(nb):
    """All checks but the second call the reference; the second is wrong, and the others untouched."""
    student = notebook.read(STUDENT)
    answers(
        student,
        "rnn_step",
        cell(nb, "rnn_step").source + "\n\nimport rnnlib.checks as c\n"
        "for e in c.EXERCISES['01_rnn'].values():\n    if e.name != 'rnn_sequence':\n"
        "        setattr(checks, e.name, lambda f, e=e: e(e.reference))",
    )
    answers(student, "rnn_sequence", "def rnn_sequence(*a):\n    return 0")
    return student


@case("wrong", review={"rnn_sequence"})
def added_cell_replaces_a_check(nb):
    answers(nb, "rnn_sequence", "def rnn_sequence(*a): return 0")
    place = nb.cells.index(cell(nb, "rnn_sequence"))
    nb.cells.insert(place, code("checks.rnn_sequence = lambda f: print('✓')"))


@case(review={"rnn_step", "rnn_step_backward"})
def helper_of_marked_code(nb):
    """An honest student who looked: the later answer needs the helper that stands there."""
    cell(nb, "rnn_step").source += "\n\nimport inspect\n\ndef slope(h):\n    return 1 - h**2"
    replaces(nb, "rnn_step_backward", "(1 - h**2)", "slope(h)")


# What walls keep out

hostile(
    "crashed",
    "reads_the_solutions",
    f"text = open({str(SOLUTION)!r}).read()\n" + RIGHT_SEQUENCE.replace("    hs,", "    text\n    hs,", 1),
    review="rnn_sequence",
    walls=True,
    says="FileNotFoundError",
)
hostile(
    "crashed",
    "calls_the_network",
    "import socket\ndef rnn_sequence(*a):\n    socket.create_connection(('127.0.0.1', 22), timeout=2)",
    walls=True,
    review="rnn_sequence",
)
hostile(
    "crashed",
    "writes_into_the_system",
    "import pathlib\ndef rnn_sequence(*a):\n"
    f"    pathlib.Path({str(ROOT / 'rnnlib' / 'spoiled.py')!r}).write_text('')",
    review="rnn_sequence",
    walls=True,
)
hostile(
    "wrong",
    "kills_its_parent",
    "import os\ndef rnn_sequence(*a):\n    os.kill(os.getppid(), 9)",
    walls=True,
    review="rnn_sequence",
)
hostile(
    "crashed",
    "kills_everything",
    "import os\ndef rnn_sequence(*a):\n    os.kill(-1, 9)",
    walls=True,
    review="rnn_sequence",
)
hostile(
    "wrong",
    "looks_for_tokens",
    "import os\ndef rnn_sequence(*a):\n    assert 'RNNLIB_TEST_TOKEN' not in os.environ\n    return 0",
    review="rnn_sequence",
)

from rnnlib.tests.grading import surroundings  # noqa: E402, F401  (adds more cases)
