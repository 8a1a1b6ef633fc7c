"""Magics and shell commands in a cell: which are harmless, what code they hold, the names of others."""

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

from rnnlib.grading.modules import MODULES
from rnnlib.grading.shell import INSTALLERS, PYTHON

#: Magics that run the code behind them, as it would run without them.
RUN_CODE = set("time timeit prun capture".split())
NOT_CODE = {"capture"}  # what stands in their own line
OPTIONS = re.compile(r"(?:-[a-zA-Z]+\s*\d*\s+)*")

#: Magics that reach nothing that an answer could be taken from.
PLAIN = set(INSTALLERS) | set(
    """matplotlib autoreload config precision xmode colors tensorflow_version
    gui who who_ls whos pwd cd ls lsmagic magic quickref clear cls pinfo pinfo2 pdoc html HTML markdown latex
    javascript js SVG svg pdb pylab
    """.split()
)
#: And those that reach nothing with such a line.
OF_A_LINE = {
    "load_ext": re.compile(r"autoreload|google\.colab\.\w+|tensorboard"),
    "reset": re.compile(r"(-f)?"),
    "env": re.compile(r"(?!RNNLIB)\w+[ =][\w.,:/-]*"),
}

#: Commands that a grader does not even run (see ``shell``), and some that only look.
COMMANDS = re.compile(
    rf"\s*(({PYTHON})?({'|'.join(INSTALLERS)}|pip3)|(sudo )?apt(-get)?)\s[\w\s=.<>~\[\],'\"/:@+-]*"
    r"|\s*(nvidia-smi|pwd|date|lscpu|(df|free|uname)( -\w+)?|python3? (--version|-V)|ls( +[\w./-]+)*)\s*"
    r"|\s*git clone( -q| --quiet| --depth[ =]\d+)* https://[\w./~-]+\s*"
    r"|\s*(wget|curl)( -[qOoLsSP]+| -n[cv]| \"?https?://[\w./~%?=-]+\"?| \w[\w./-]*)+\s*"
    r"|\s*mkdir( -p)?( [\w./-]+)+\s*"
)
ONE_AFTER_ANOTHER = re.compile(r"&&|;")


def transformed(source):
    """A cell as Python alone: magics and shell commands are calls."""
    return TransformerManager().transform_cell(source)


def parsed(source):
    """The syntax tree of a cell in which harmless magics are gone, and the code behind them stands free.

    Others are marked: their node has the attribute ``magic``, such as "!cat" or "%%bash".

    Raises:
        Exception: SyntaxError, or RecursionError, MemoryError, ValueError ...
    """
    tree = ast.parse(transformed(source))
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [each for statement in statements for each in _free(statement)])
        if isinstance(node, ast.Call):
            name, code = _read(node)
            inner = _statements(name, code)
            if name and inner is None:
                node.magic = name
            elif name:
                node.func, node.args = ast.Name("magic", ast.Load()), inner
    return tree


def _free(statement):
    """A statement; if it is a harmless magic, the statements behind it."""
    name, code = _read(statement.value) if isinstance(statement, ast.Expr) else (None, None)
    is_text = code == "" and name.startswith("%%")  # "%%html": something stands there, and no code
    inner = None if is_text else _statements(name, code)
    return [statement] if inner is None else inner


def _statements(name, code):
    """The statements behind a magic; None if it is not harmless, or Python cannot read its line."""
    try:
        return None if code is None else parsed(code).body
    except SyntaxError:
        if name.startswith("%%"):  # the whole cell does not run
            raise
        return None


def _read(node):
    """(name, code) of a magic: code is None where it is not harmless; two None for what is no magic."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=attr), args=args
        ):
            texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in args]
        case _:
            return None, None
    match attr, texts:
        case "run_line_magic", [str(name), _] if name.startswith("%"):  # "%%time" too far down
            return f"%{name}", ""
        case "run_line_magic", [str(name), str(line)]:
            return f"%{name}", _code_of(name, line)
        case "run_cell_magic", [str(name), str(line), str(body)]:
            first = _code_of(name, line)
            return f"%%{name}", None if first is None else first + ("\n" + body if name in RUN_CODE else "")
        case (("system" | "getoutput"), [str(command)]):
            first = (command.split() or [""])[0]
            return f"!{first}", "" if all(map(_is_harmless, ONE_AFTER_ANOTHER.split(command))) else None
        case "show_usage", []:
            return "?", ""
    return None, None


def _is_harmless(command):
    """Whether a command only looks, or fetches what no import of an answer would run."""
    fetches = re.match(r"\s*(git|wget|curl)\b", command)
    names = (re.match(r"[\w-]*", word.rpartition("/")[2])[0] for word in command.split()[1:])
    runs = fetches and (re.search(r"\.(py|so|pth)\b", command) or not MODULES.isdisjoint(names))
    return COMMANDS.fullmatch(command) is not None and not runs


def _code_of(name, line):
    """The code in a magic's line, which may be none; None if the magic is not harmless."""
    if name in RUN_CODE:
        return "" if name in NOT_CODE else OPTIONS.sub("", line + " ", count=1).strip()
    pattern = OF_A_LINE.get(name)
    is_plain = name in PLAIN or (pattern and pattern.fullmatch(line.strip()))
    return "" if is_plain else None
