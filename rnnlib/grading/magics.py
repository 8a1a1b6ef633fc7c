"""Magics and shell commands in a cell: which are harmless, what code they hold, the names of others."""

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

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
EXTENSIONS = re.compile(r"autoreload|google\.colab\.\w+")

#: Commands that a grader does not even run (see ``shell``), and some that only look.
COMMANDS = re.compile(
    rf"\s*(({PYTHON})?({'|'.join(INSTALLERS)}|pip3)|(sudo )?apt(-get)?)\s[\w\s=.<>~\[\],'\"/:@+-]*"
    r"|\s*(nvidia-smi|pwd|date|lscpu|(df|free|uname)( -\w+)?|python3? (--version|-V)|ls( +[\w./-]+)*)\s*"
)


def parsed(source):
    """The syntax tree of a cell in which harmless magics are gone, and the code behind them stands free.

    Others are marked: their node has the attribute ``magic``, such as "!cat" or "%%bash".

    Raises:
        Exception: SyntaxError, or RecursionError, MemoryError, ValueError ...
    """
    tree = ast.parse(TransformerManager().transform_cell(source))
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [each for statement in statements for each in _free(statement)])
        if isinstance(node, ast.Call):
            name, code = _read(node)
            if name and code is None:
                node.magic = name
            elif name:
                node.func, node.args = ast.Name("magic", ast.Load()), parsed(code).body
    return tree


def _free(statement):
    """A statement; if it is a harmless magic, the statements behind it."""
    name, code = _read(statement.value) if isinstance(statement, ast.Expr) else (None, None)
    is_text = code == "" and name.startswith("%%")  # "%%html": something stands there, and no code
    return [statement] if code is None or is_text else parsed(code).body


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
            return f"!{first}", "" if COMMANDS.fullmatch(command) else None
        case "show_usage", []:
            return "?", ""
    return None, None


def _code_of(name, line):
    """The code in a magic's line, which may be none; None if the magic is not harmless."""
    if name in RUN_CODE:
        return "" if name in NOT_CODE else OPTIONS.sub("", line + " ", count=1).strip()
    is_plain = name in PLAIN or (name == "load_ext" and EXTENSIONS.fullmatch(line.strip()))
    return "" if is_plain else None
