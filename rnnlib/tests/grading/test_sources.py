"""What the text of an answer tells."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnlib.grading import sources
from rnnlib.grading.review import to_review


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from rnnlib.layers import RNN", "rnnlib.layers.RNN"),
        ("import rnnlib.layers.rnn as r", "rnnlib.layers.rnn"),
        ("from rnnlib import RNN", "rnnlib.RNN"),
        ("from rnnlib import checks as c", "rnnlib.checks"),
        ("from numpy import inspect", "numpy.inspect"),
        ("import rnnlib", "rnnlib"),
        ("rnn_step = checks.rnn_step.reference", "checks.rnn_step"),
        ("checks.rnn_step(checks.rnn_step.reference)", "checks.rnn_step"),
        ("check = checks", "checks"),
        ("checks.rnn_step.example(checks.rnn_step.reference)", "checks.rnn_step"),
        ("example = checks.rnn_step.example", "checks.rnn_step"),
        ("from rnnlib.checks import lab01_mistakes, lab01_rnn", "rnnlib.checks.lab01_mistakes"),
        ("mistakes.inspect", "mistakes.inspect"),
        ("import sys\ndef f():\n    return sys.modules['x']", "sys.modules"),
        ("from sys import modules as m", "sys.modules"),
        ("import inspect as i", "inspect"),
        ("def f():\n    import inspect", "inspect"),
        ("f = open('../labs_solutions/01_rnn.ipynb')", "open"),
        ("np.load(folder + 'labs_solutions')", "labs_solutions"),
        ("__import__('x')", "__import__"),
        ("import importlib.util", "importlib.util"),
        ("exec(text)", "exec"),
        ("f = eval", "eval"),
        ("globals()['f']", "globals"),
        ("f.__globals__", "f.__globals__"),
        ("().__class__.__base__", "__base__"),
        ("getattr(np, name)", "getattr"),
        ("%run other.ipynb", "%run"),
        ("!cat file", "!cat"),
        ("!ls; cat file", "!ls;"),
        ("!ls $(cat file)", "!ls"),
        ("text = !cat file", "!cat"),
        ("%%bash\nls", "%%bash"),
        ("!pip install a; cat file", "!pip"),
        ("!pip install $(cat file)", "!pip"),
        (f"!pip{' ' * 99_000}x$y", "!pip"),
        (f"!wget{' --a' * 20_000} $y", "!wget"),
        (f"!mkdir{' a' * 40_000} $y", "!mkdir"),
        ("%load_ext mine", "%load_ext"),
        ("%timeit -n 10 checks.rnn_step.reference(x)", "checks.rnn_step"),
        ("%time f = eval('g')", "eval"),
        ("x = %time eval('g')", "eval"),
        ("%%time\nimport inspect", "inspect"),
        ("%%timeit import inspect\nf(x)", "inspect"),
        ("%%capture out\n!cat file", "!cat"),
        ("def f():\n    %run other.py", "%run"),
        ("%time %run other.py", "%run"),
        ("f = checks.f.reference\n%timeit (", "checks.f"),
        ("f = checks.f.reference\nif 0:\n    %time (", "checks.f"),
        ("x = %time (\nf = checks.f.reference", "%time"),
        ("get_ipython().run_line_magic('run', 'a.py')", "%run"),
        ("get_ipython().run_line_magic(name, 'a.py')", "get_ipython"),
        ("get_ipython().user_ns", "user_ns"),
        ("g.gi_frame.f_back.f_locals", "f_locals"),
        ("sys.exc_info()[2].tb_frame", "tb_frame"),
        ("operator.attrgetter('a')", "operator.attrgetter"),
        ("note = '%matplotlib inline'\nimport inspect", "inspect"),
        ("match sys:\n    case object(modules=m):\n        pass", "modules"),
        ("InteractiveShell.instance()", "InteractiveShell.instance"),
        ("exit._ip", "exit._ip"),
        ("a.b()._c", "_c"),
        ("import pathlib", "pathlib"),
        ("import os\nos.system('cat file')", "os.system"),
        ("import os.path\nos.popen('cat file')", "os.popen"),
        ("from os import system", "os.system"),
        ("import os\nos.environ['RNNLIB_SEED'] = '7'", "os.environ"),
        ("os.environ['A'] = os.popen('cat file').read()", "os.popen"),
        ("os.environ['A'] = os.environ[name] = ''", "os.environ"),
        ("os.environ.update(A='1')", "os.environ"),
        ("%env", "%env"),
        ("%env RNNLIB_SEED=7", "%env"),
        ("%env A=$(cat file)", "%env"),
        ("!git clone ext::sh", "!git"),
        ("!git clone -c a=b https://example.org/course", "!git"),
        ("!git clone https://example.org/course && cat course/file", "!git"),
        ("!apt-get update & cat file", "!apt-get"),
        ("!wget https://example.org/a & cat file", "!wget"),
        ("!curl https://example.org/a | sh", "!curl"),
        ("!wget $(cat file)", "!wget"),
        ("!curl -o jax.py https://example.org/a", "!curl"),
        ("!wget https://example.org/scipy.py", "!wget"),
        ("!git clone https://example.org/einops.git", "!git"),
        ("!git clone https://example.org/a einops", "!git"),
        ("!curl -K file", "!curl"),
        ("!wget --post-file=a https://example.org", "!wget"),
        ("!mkdir `cat file`", "!mkdir"),
        ("%reset out; f(x)", "%reset"),
        ("from os import *", "os.*"),
        ("import os as o\no.system('cat file')", "os"),
        ("import os\nf(os)", "os"),
        ("'a' in sys.modules['b'].c", "sys.modules"),
        ("import os\nos.path.os.popen('cat file')", "os"),
        ("from os.path import os", "os.path.os"),
        ("from logging import os as o\no.popen('cat file')", "logging.os"),
        ("logging.os.popen('cat file')", "logging.os"),
        ("import os.path as p\np.os.popen('cat file')", "p.os"),
        ("def help(x): return x.reference\nhelp(checks.clip)", "checks.clip"),
        ("def str(x): return x.ev('f')\n'a' in str(get_ipython())", "get_ipython"),
        ("import os\no = os", "os"),
        ("from __main__ import f", "__main__.f"),
        ("from mine import f", "mine.f"),
        ("from . import f", ".f"),
        ("timeit(globals=x)", "globals"),
        ("class A:\n    def __reduce__(self):\n        pass", "__reduce__"),
        ("checks.rnn_step(rnn_sequence)", "checks.rnn_step"),
        ("print(checks.rnn_step(rnn_step, helpers=False))", "checks.rnn_step"),
        ("checks.rnn_step(rnn_step.__globals__)", "checks.rnn_step"),
        ("%debug f(x)", "%debug"),
        ("logging.sys.modules", "modules"),
        ("x = " + "1" * 200_000, "what cannot be read (more than 100000 characters)"),
        ("x = 1" + " + 1" * 50_000, "what cannot be read (more than 100000 characters)"),
    ],
)
def test_ways_to_the_reference_are_marked(source, name):
    assert to_review(source) == name


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def f(:",
        "# from rnnlib.layers import RNN",
        '"""Inspect rnnlib.checks."""',
        "def f(x):\n    'The modules of rnnlib.'\n    return x",
        "import numpy as np\n\nfrom rnnlib import checks\nchecks.rnn_step(rnn_step)",
        "from rnnlib.data import prices",
        "ok = checks.rnn_step(rnn_step)\nprint(checks.rnn_step(rnn_step), ok)",
        "try:\n    checks.clip(clip)\nexcept AssertionError as e:\n    print(e)",
        "import logging\nlogging.basicConfig(level=logging.INFO)",
        "import tensorflow as tf\nimport plotly.express as px",
        "%pylab inline\n%pdb on",
        "# once more\n%%time\nx = 1",
        "checks.rnn_step.example()",
        "case = checks.rnn_step.example()\nprint(rnn_step(**case), rnn_step(**checks.rnn_step.example()))",
        "from rnnlib.checks import lab01_mistakes as mistakes\nmistakes.VERSIONS['A']\nmistakes.show('B')",
        "from ipywidgets import FloatSlider, interact",
        "import sys\nprint(sys.maxsize, f.__name__)",
        "class A:\n    def __init__(self):\n        self.x = 1\n    def __add__(self, b):\n        pass",
        "%matplotlib inline\nx = 1",
        "inspection = checked = 1",
        "\0",
        "x = " + "(" * 5000,
        "%%time\ndef f(x):\n    return x",
        "%%capture\nx = 1",
        "%%time\ndef f(:",
        "f?",
        "%%timeit -n 10 -r 3\nf(x)",
        "%timeit -n10 f(x)",
        "%timeit f(x)",
        "y = %time f(x)",
        "def f(x):\n    %time g(x)\n    return x",
        "%matplotlib widget\n%config InlineBackend.figure_format = 'retina'",
        "%load_ext autoreload\n%autoreload 2",
        "!pip install -q numpy>=1.26 'scipy[all]' git+https://github.com/a/b.git@main",
        "%pip install numpy\n!python -m pip install --upgrade pip\n!apt-get install -y graphviz",
        "!{sys.executable} -m pip install x",
        "!apt-get -qq update && apt-get install -y graphviz; pip install x",
        "!git clone -q --depth 1 https://github.com/a/b.git\n!git clone https://github.com/a/course\n%cd b",
        "import os, random\nos.environ['PYTHONHASHSEED'] = str(seed)\nos.environ['OMP_NUM_THREADS'] = '1'",
        '!wget -q https://example.org/a.csv -O data.csv\n!curl -L -o a.csv "https://example.org/a"',
        "!mkdir -p figures data/raw\n%reset -f\n%load_ext tensorboard",
        "%env OMP_NUM_THREADS=1\n%env CUDA_VISIBLE_DEVICES 0",
        "!nvidia-smi",
        "import re\nre.compile('x')",
        "import os\nfor d, _, names in os.walk('/kaggle'):\n    print(os.path.join(d, names[0]))",
        "import os, sys\nfrom os.path import join",
        "import sys\nIN_COLAB = 'google.colab' in sys.modules",
        "checks.clip?",
        "import datetime\nfrom datetime import date\nprint(np.__version__)",
        "!ls\n!ls -la ./data\n!python --version\n!free -h",
        "from __future__ import annotations",
        "import scipy.linalg\nfrom matplotlib import pyplot as plt\nfrom IPython.display import display",
    ],
)
def test_honest_code_is_not_marked(source):
    assert to_review(source) is None


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("x = 1\nchecks.f(f)\ny = 2", "x = 1\n\ny = 2"),
        ("checks.f(f);  \nprint(checks.g(g))", "\n"),
        ("y = checks.f(f)\nprint(y)", "y = None\nprint(y)"),
        ("checks.f(g)\nif y:\n    checks.f(f)", None),
        ("checks.f.example()\nchecks.f = f", None),
    ],
)
def test_checks_that_a_student_runs_are_left_out(source, left):
    assert sources.without_checks(source) == (source if left is None else left)


def test_what_is_replaced_in_numpy_is_known():
    assert sources.replaced("x = 1\n    np.random.seed = None\nnp.zeros = f") == "np.random.seed"
    for source in ["np.zeros == f", "x = np.zeros(3)", "np.zeros(3)[0] = 1", "# np.zeros = 1", "f(np.x=1)"]:
        assert sources.replaced(source) is None


def test_gaps_and_definitions_are_known():
    assert sources.is_gap("")
    assert sources.is_gap("# nothing")
    assert sources.is_gap("%matplotlib inline")
    assert sources.is_gap("%%time\ndef f(x):\n    raise NotImplementedError('f')")
    assert not sources.is_gap("!cat file")
    assert not sources.is_gap("%%html\n<b>text</b>")
    assert to_review("%%html\n<b>text</b>") is None
    assert not sources.is_gap("%time f(x)")
    assert sources.functions("def f(): pass\nclass A: pass\nasync def g(): pass\nh = 1") == {"f", "g"}
    assert sources.functions("%%time\ndef f(): pass") == {"f"}
    assert sources.functions("def f(): pass\ndef g(:") == {"f", "g"}
    assert sources.is_gap("def f(x):\n    '''Text.'''\n    # here\n    raise NotImplementedError('f')")
    assert not sources.is_gap("def f(x):\n    y = 1\n    raise NotImplementedError('f')")
    assert not sources.is_gap("def f(x):\n    pass")
    assert not sources.is_gap("def f(:")
    made = sources.names_made(
        "a, (b, *c) = x\nif y:\n    def d(): e = 1\nf = g = lambda h: h\n[i for i in j]"
    )
    assert made == {"a", "b", "c", "d", "f", "g"}
    assert not sources.is_gap("def f():\n    return 1" + " + 1" * 700)
    made = sources.names_made(
        "import numpy as np\nimport os.path\nfrom a import b as c, d\nx = os.environ['A'] = 1\ndef f(): y = 1"
    )
    assert made == {"np", "os", "c", "d", "x", "f"}
    for source in (
        "def f(x): pass",
        "async def f(): pass",
        "f = 1",
        "f: object = 1",
        "class f: pass",
        "x = 1\nf=g",
    ):
        assert "f" in sources.names_made(source)
    for source in ("def ff(x): pass", "lambda f: (f := 1)", "f == 1", "f(x)", "x = f", "# def f(x)"):
        assert "f" not in sources.names_made(source)


WORDS = "%time %%timeit %%bash !pip ! % ? = f(x) def f(x): return eval -n 1 x get_ipython() .system('ls') '"


@given(st.lists(st.sampled_from([*WORDS.split(" "), "\n", "\n    "]), max_size=12).map(" ".join))
@example("eval .system('ls')")
def test_any_text_can_be_asked_about(source):
    assert (to_review(source) or "").lstrip("!%") in "".join(source.split())
    assert isinstance(sources.is_gap(source), bool)
    assert sources.functions(source) <= set(sources.names_made(source))
