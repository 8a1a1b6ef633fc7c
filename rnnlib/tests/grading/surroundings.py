"""More that students hand in: what is right in their surroundings and not in the grader's; moved answers."""

import copy
import sys
import textwrap
from itertools import cycle

import nbformat

from rnnlib.tests.grading.submissions import (
    NAMES,
    RIGHT_SEQUENCE,
    answers,
    case,
    cell,
    code,
    edited,
    hostile,
    replaces,
)

# Lines that are right elsewhere


@case()
def installs_packages(nb):
    lines = [f"!pip install -q package{i}>=1.{i}" for i in range(5)]
    lines += [
        "%pip install numpy",
        "%conda install -y numpy",
        "!conda install numpy",
        "!apt-get install -y git",
    ]
    nb.cells.insert(1, code("\n".join(lines)))
    cell(nb, "rnn_step").source = "!pip install numpy\n" + cell(nb, "rnn_step").source


@case()
def begun_in_colab(nb):
    nb.cells.insert(1, code("from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content"))
    nb.cells.insert(1, code("%tensorflow_version 2.x\n%load_ext google.colab.data_table"))


@case()
def figures_in_windows_and_widgets(nb):
    windows = cycle(["widget", "ipympl", "qt", "tk", "notebook", "", "nbagg", "osx"])
    for name, window in zip(NAMES, windows, strict=False):
        cell(nb, name).source = f"%matplotlib {window}\n" + cell(nb, name).source
    cell(nb, "clip").source = "%gui qt\n" + cell(nb, "clip").source


@case()
def pictures_and_sliders_in_answers(nb):
    cell(nb, "rnn_step").source += (
        "\n\nimport matplotlib.pyplot as plt\nfrom ipywidgets import FloatSlider, interact\n\n"
        "@interact(w=FloatSlider(1, min=0, max=2))\ndef show(w):\n    plt.plot([0, w])\n    plt.show()\n"
        "    print(w)\ndisplay(plt.gcf())"
    )


@case()
def magics_of_every_day(nb):
    cell(nb, "rnn_step").source = "%%time\n" + cell(nb, "rnn_step").source
    nb.cells.insert(
        1, code("%load_ext autoreload\n%autoreload 2\n%config InlineBackend.figure_format = 'retina'")
    )
    place = nb.cells.index(cell(nb, "rnn_step_check"))
    nb.cells.insert(place, code("%timeit -n 1 -r 1 rnn_step(*[np.ones((2, 2))] * 4, np.ones(2))\nrnn_step?"))


@case()
def prints_and_shows_very_much(nb):
    cell(nb, "rnn_step").source += "\nprint('x' * 34_000_000)\ndisplay('x' * 34_000_000)\n'x' * 34_000_000"


@case()
def line_ends_form_feeds_and_tabs(nb):
    for name in NAMES[:4]:
        cell(nb, name).source = cell(nb, name).source.replace("\n", "\r\n")
    cell(nb, "clip").source = "\f\n" + cell(nb, "clip").source.replace("    ", "\t")


@case()
def parameters_renamed(nb):
    for name in NAMES:
        cell(nb, name).source += f"\n\nmy_{name} = {name}\n\ndef {name}(*mine):\n    return my_{name}(*mine)"


# Lines that only the student's surroundings can run


def odd(name, source, says, review="rnn_sequence", needs="0"):
    answer = RIGHT_SEQUENCE.replace("    hs, h", f"    {needs}\n    hs, h", 1)
    hostile("crashed", name, f"{source}\n\n{answer}", says=says, review=review)


def needless(name, source):
    """Add a case in which the line is not needed: the answer passes without it, and is marked."""
    hostile("passed", name, f"{source}\n\n{RIGHT_SEQUENCE}", review="rnn_sequence")


odd("a_magic_misspelt", "%matplotlb inline", "since its cell stopped with UsageError: Line magic")
odd("a_magic_of_an_extension", "%lprun -f g g()", "the grader has IPython's magics")
package = "import no_such_package as nsp"
odd("a_package_that_is_not_there", package, "the grader has no module no_such_package", needs="nsp")
needless("a_package_that_nothing_needs", package)
odd("an_own_module", "from helpers import *", "the grader has no module helpers: the notebook alone")
odd("a_drive_of_colab", "from google.colab import drive", "in Google Colab alone", needs="drive")
needless("a_drive_of_colab_that_nothing_needs", "from google.colab import drive")
odd("a_file_beside_it", "data = np.loadtxt('data.csv')", "the grader has no file data.csv", needs="data")
odd("a_name_of_another_numpy", "from numpy import no_such_name", "(the grader has numpy ", review=())
window = "import matplotlib.pyplot as plt\n{}plt.switch_backend('TkAgg')"
odd("a_window_for_figures", window.format("np.x = "), "no screen for windows", needs="np.x")
needless("a_window_for_figures_that_nothing_needs", window.format(""))
needless(
    "a_window_of_qt",
    "import matplotlib\nmatplotlib.use('QtAgg')\nimport matplotlib.pyplot as plt\nplt.figure()",
)
odd("asks_for_input_in_its_cell", "n = int(input())", "while notebooks are graded, nobody types", needs="n")
needless("asks_for_input_that_nothing_needs", "name = input('Your name? ')")
if sys.version_info < (3, 14):
    newer = "type X = int" if sys.version_info < (3, 12) else "try:\n    1\nexcept A, B:\n    2"
    odd("syntax_of_a_newer_python", newer, " reads it")
odd(
    "quotes_from_a_text_program",
    "mode = ‘tanh’",
    "in line 1: it was pasted, it seems; type ' instead",
    review=(),
)
odd("a_space_from_a_web_page", "x\u00a0= 1", "type a space instead", review=())
odd("a_character_that_cannot_be_seen", "x = 1\u200b", "delete it", review=())
odd("a_null_byte", "x = '\0'", "null bytes: it cannot be seen", review=())
odd("tabs_and_spaces", "if True:\n\tx = 1\n        y = 2", "TabError on Python", review=())


@case("crashed", review=NAMES[:2], says="was to make scale stopped with ModuleNotFoundError")
def a_name_of_a_cell_that_stopped(nb):
    nb.cells.insert(1, code("import no_such_package\nscale = 1"))
    replaces(nb, "rnn_sequence", "return hs", "return scale * hs")


@case(
    "crashed", review=[*NAMES[:1], "rnn_sequence"], says="was to make scale stopped with ModuleNotFoundError"
)
def a_name_that_the_answers_cell_needs_at_once(nb):
    nb.cells.insert(1, code("from helpers import *\nscale = 1"))
    cell(nb, "rnn_sequence").source = "own_scale = scale\n" + cell(nb, "rnn_sequence").source
    replaces(nb, "rnn_sequence", "return hs", "return own_scale * hs")


@case("crashed", says="helper is made further down: cells run from top to bottom")
def a_helper_below_the_check(nb):
    replaces(nb, "rnn_sequence", "return hs", "return helper(hs)")
    nb.cells.append(code("def helper(hs):\n    return hs"))


@case(review="numerical_gradient")
def an_experiment_that_ends_the_kernel(nb):
    place = nb.cells.index(cell(nb, "numerical_gradient"))
    nb.cells.insert(place, code("import os\nos._exit(0)"))


@case()
def data_in_a_cell(nb):
    """A picture as a text in the code: the cell is left out."""
    nb.cells.insert(1, code("PHOTO = '" + "iVBO" * 1_700_000 + "'"))


@case()
def profiled(nb):
    """A profiler has been seen to come to no end, by chance."""
    cell(nb, "rnn_sequence").source = "%%prun -q -s cumulative\n" + cell(nb, "rnn_sequence").source


# Answers that stand elsewhere


def text_cell(kind):
    def change(nb):
        cell(nb, "rnn_sequence").cell_type = kind
        for key in ("outputs", "execution_count"):
            cell(nb, "rnn_sequence").pop(key)

    change.__name__ = f"answer_in_a_{kind}_cell"
    case("unfilled", says="your answer stands in a text cell: make it a code cell")(change)


text_cell("markdown")
text_cell("raw")


@case("unfilled", says="your answer stands in a text cell")
def answer_copied_into_a_text(nb):
    source = cell(nb, "rnn_sequence").source
    answers(nb, "rnn_sequence", "def rnn_sequence(x):\n    raise NotImplementedError")
    nb.cells.append(nbformat.v4.new_markdown_cell(f"My answer:\n\n```python\n{source}\n```"))


@case("unfilled", says="your answer stands in comments, which do not run: take the # away")
def answer_in_comments(nb):
    """Ctrl+/ before a restart, and forgotten."""
    source = "".join(f"# {line}\n" for line in cell(nb, "rnn_sequence").source.splitlines())
    answers(nb, "rnn_sequence", f"def rnn_sequence(x):\n    raise NotImplementedError\n\n{source}")


@case("wrong", says="rnn_sequence is made in 2 cells: the last one counts")
def answered_twice_the_last_one_wrong(nb):
    second = copy.deepcopy(cell(nb, "rnn_sequence"))
    second.id, second.source = "second", second.source.replace("h = h0", "h = 0 * h0")
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_sequence")) + 1, second)


@case()
def answered_twice_the_first_one_wrong(nb):
    first = copy.deepcopy(cell(nb, "rnn_sequence"))
    first.id, first.source = "first", first.source.replace("h = h0", "h = 0 * h0")
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_sequence")), first)


@case("wrong", says="Another rnn_sequence stands below its check: only what is above counts")
def mended_below_the_check(nb):
    right = cell(nb, "rnn_sequence").source
    replaces(nb, "rnn_sequence", "h = h0", "h = 0 * h0")
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_sequence_check")) + 1, code(right))


edited(
    "crashed",
    "another_capital",
    "rnn_sequence",
    "def rnn_sequence",
    "def RNN_sequence",
    says="defines RNN_seq",
)
edited(
    "wrong", "asynchronous", "rnn_sequence", "def rnn_sequence", "async def rnn_sequence", says="coroutine"
)
hostile(
    "crashed",
    "written_to_a_file",
    "%%writefile mine.py\n" + RIGHT_SEQUENCE,
    says="Its cell begins with %%writefile, and defines nothing here",
    review="rnn_sequence",
)
hostile("crashed", "written_as_html", "%%html\n" + RIGHT_SEQUENCE, says="Its cell begins with %%html")
hostile(
    "crashed",
    "a_module_missing_above_the_labs_comparison",
    "import no_such_package\n\ndef rnn_step_backward(*a):\n    return 0",
    of="rnn_step_backward",
    says="its cell stopped with ModuleNotFoundError",
    review="rnn_step_backward",
)
edited(
    "crashed",
    "another_name_above_the_labs_comparison",
    "rnn_step_backward",
    "def rnn_step_backward",
    "def rnn_backward",
    says="was it renamed? Its cell defines rnn_backward",
)
hostile("crashed", "deleted", "rnn_sequence = old = 1\ndel old, rnn_sequence", says="deletes it, with del")
hostile("crashed", "another_deleted", "rnn_sequence_old = 1\ndel rnn_sequence_old", says="was it renamed?")
hostile("crashed", "a_class_alone", "class rnn_sequence:\n    pass", says="takes no arguments")
hostile(
    "wrong",
    "a_class_that_keeps_its_arguments",
    "class rnn_sequence:\n    def __init__(self, *a):\n        self.a = a",
    says="rnn_sequence",
)


@case({"rnn_step": "wrong"})
def a_step_that_returns_more_and_a_sequence_that_takes_it(nb):
    """The second answer fits the student's own first one, and not the solution's."""
    replaces(nb, "rnn_step", "return np", "return 0, np")
    replaces(nb, "rnn_sequence", "h = rnn_step", "_, h = rnn_step")


@case({"rnn_step": "crashed", "rnn_step_backward": "wrong"})
def functions_with_other_arguments_and_results(nb):
    replaces(nb, "rnn_step", "W_h, b):", "W_h, b, squash):")
    replaces(nb, "rnn_sequence", "h, W_x, W_h, b)", "h, W_x, W_h, b, np.tanh)")
    replaces(
        nb, "rnn_step_backward", "return dx, dh_prev, dW_x, dW_h, db", "return db, dx, dh_prev, dW_x, dW_h"
    )
    replaces(
        nb,
        "rnn_sequence_backward",
        "dx[:, t], dh_prev, dW_x_t, dW_h_t, db_t =",
        "db_t, dx[:, t], dh_prev, dW_x_t, dW_h_t =",
    )


@case()
def answers_in_each_others_gaps(nb):
    clip, memory = cell(nb, "clip"), cell(nb, "noisy_memory")
    clip.source, memory.source = memory.source, clip.source


@case(review="clip")
def the_checks_name_taken(nb):
    nb.cells.insert(nb.cells.index(cell(nb, "clip")), code("results = checks = []"))


@case({"rnn_step": "unfilled"}, says="not filled in yet. Its cell defines my_step: the check calls rnn_step")
def an_answer_of_another_name_beside_the_gap(nb):
    step = cell(nb, "rnn_step").source
    gap = (
        'def rnn_step(x, h_prev, W_x, W_h, b):\n    raise NotImplementedError("Exercise 1.1 rnn_step")\n\n\n'
    )
    answers(nb, "rnn_step", gap + step.replace("rnn_step", "my_step"))


@case("crashed", of="clip", says="written with CYRILLIC SMALL LETTER ES")
def a_name_in_the_letters_of_another_keyboard(nb):
    replaces(nb, "clip", "def clip", "def \u0441lip")


@case("crashed", of="clip", says="(%%time counts in the first line of a cell alone)")
def a_cell_magic_below_a_comment(nb):
    cell(nb, "clip").source = "# second attempt\n%%time\n" + cell(nb, "clip").source


@case("wrong", of="rnn_step", says="There is no tanh in your answer")
def all_answers_and_checks_in_one_cell(nb):
    """The first check fails, and would end the cell."""
    replaces(nb, "rnn_step", "np.tanh(x @ W_x + h_prev @ W_h + b)", "x @ W_x + h_prev @ W_h + b")
    pairs = [f"{cell(nb, name).source}\n\n{cell(nb, f'{name}_check').source}" for name in NAMES]
    nb.cells = [code("\n\n".join([cell(nb, "setup").source, *pairs]))]


@case("wrong", of="rnn_step")
def checks_run_once_more_with_an_answer(nb):
    replaces(nb, "rnn_step", " + b)", ")")
    more = "print(checks.rnn_step(rnn_step))\nchecks.rnn_step(rnn_step)\n\n"
    cell(nb, "rnn_sequence").source = more + cell(nb, "rnn_sequence").source


@case()
def written_over_another_lab(nb):
    """The cells of this lab in the notebook of the third, whose name the metadata keep."""
    nb.metadata["rnnlib"] = {"lab": "03_lstm"}


@case("crashed", of="rnn_step", says="The code replaces np.zeros, and the check needs NumPy's own")
def a_function_of_numpy_replaced(nb):
    nb.cells.insert(nb.cells.index(cell(nb, "rnn_step")), code("np.zeros = lambda shape: 0"))


def above_the_first_answer(name, source, review=()):
    """Add a case in which a cell spoils surroundings that a student's computer has, and the grader not."""

    def change(nb):
        nb.cells.insert(nb.cells.index(cell(nb, "rnn_step")), code(source))

    change.__name__ = name
    case(review=review)(change)


above_the_first_answer("environment_cleared", "import os\nos.environ.clear()", review="rnn_step")
above_the_first_answer("traced", "import sys\nsys.settrace(lambda *a: None)", review="rnn_step")
above_the_first_answer(
    "the_same_numbers_each_time", "rng = np.random.default_rng(0)\nnp.random.default_rng = lambda seed=0: rng"
)


@case("crashed", of="clip", says="tiny stands in a text cell: make it a code cell")
def a_helper_in_a_text_cell(nb):
    replaces(nb, "clip", "longest / length", "longest / (length + tiny)")
    nb.cells.insert(nb.cells.index(cell(nb, "clip")), nbformat.v4.new_markdown_cell("tiny = 1e-12"))


@case("crashed", of="clip", says="No cell of the notebook makes tiny: was one deleted after it had run?")
def a_cell_deleted_after_it_had_run(nb):
    replaces(nb, "clip", "longest / length", "longest / (length + tiny)")


@case(
    "crashed",
    of="clip",
    says="A cell that imports * stopped with ModuleNotFoundError",
    review=("rnn_step", "clip"),
)
def names_of_a_module_that_is_not_there(nb):
    nb.cells.insert(1, code("from no_such_helpers import *"))
    replaces(nb, "clip", "longest / length", "longest / (length + tiny)")


# What people are asked about


@case()
def begun_in_kaggle_and_asks_where_it_runs(nb):
    walk = "import os\nfor d, _, names in os.walk('/kaggle/input'):\n    print(os.path.join(d, names[0]))"
    nb.cells.insert(1, code(f"from __future__ import annotations\n{walk}"))
    nb.cells.insert(1, code("import sys\nIN_COLAB = 'google.colab' in sys.modules\n!ls -la"))
    cell(nb, "clip").source += "\nchecks.clip?"


hostile(
    "wrong",
    "a_return_at_the_margin",
    "def rnn_sequence(*a):\n    hs = 1\nreturn hs",
    says="'return' outside function in line 3",
)
hostile(
    "crashed",
    "an_answer_inside_a_class",
    "class Lab1:\n" + textwrap.indent(RIGHT_SEQUENCE, "    "),
    says="It stands inside Lab1: begin its def at the left margin",
)
hostile(
    "crashed",
    "a_name_of_an_older_numpy",
    "def rnn_sequence(*a):\n    return np.zeros(3, dtype=np.float)",
    says="NumPy has no float any more: float does the same",
    review="rnn_sequence",
)
hostile(
    "crashed",
    "a_bracket_without_end",
    "def rnn_sequence(*a):\n    return np.zeros((3,\n",
    says="'(' was never closed in line 2",
)
hostile(
    "crashed",
    "marks_of_a_merge",
    f"<<<<<<< HEAD\n{RIGHT_SEQUENCE}\n=======\n{RIGHT_SEQUENCE}\n>>>>>>> main",
    says="git's conflict marks (<<<<<<<) stand in the cell",
)
hostile("crashed", "marks_of_a_text", f"```python\n{RIGHT_SEQUENCE}\n```", says="the marks ``` were pasted")
