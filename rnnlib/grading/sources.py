"""What a student's code says, as far as its text tells. That is no proof: a text can hide what it does."""

import ast
import re
from functools import lru_cache

from rnnlib.grading import magics

#: Names that lead to the reference, to the checks, or to other code than what stands there.
SUSPECTS = set(
    """rnnlib checks labs_solutions inspect modules get_ipython user_ns InteractiveShell
    eval exec compile open globals locals vars getattr breakpoint builtins attrgetter methodcaller
    f_back f_locals f_globals f_builtins gi_frame cr_frame tb_frame settrace setprofile
    ctypes read_pickle allow_pickle write_text write_bytes""".split()
)

#: Modules that an answer may well import. Others are ways to somewhere else, some of them.
MODULES = set(
    """__future__ abc bisect cmath collections contextlib copy dataclasses decimal enum fractions
    functools heapq itertools math numbers operator pprint random re statistics string sys textwrap
    time typing warnings logging numpy scipy pandas matplotlib sklearn seaborn sympy tqdm torch jax
    tensorflow cupy numba einops plotly
    ipywidgets IPython.display google.colab rnnlib.data""".split()
)
HARMLESS = {"re.compile"}
DUNDER = re.compile(r"__\w+__")
HARMLESS_DUNDER = re.compile(
    r"__(init|post_init|call|len|name|doc|repr|str|iter|next|getitem|setitem|contains|enter|exit|eq|lt|hash"
    r"|neg|i?(add|sub|mul|matmul|truediv|pow)|r(add|sub|mul|matmul|truediv))__"
)
OWN_CHECK = re.compile(r"^(\w+ *= *|print\()?checks\.(\w+)\(\2\)\)?;?[ \t]*$", re.MULTILINE)
NUMPYS = re.compile(r"^[ \t]*((?:np|numpy)\.[\w.]+) *=(?!=)", re.MULTILINE)
IN_TEXTS = re.compile(r"rnnlib|labs_solutions")

once = lru_cache(maxsize=1000)  # a cell is asked about many times
LONGEST = 100_000  # characters that a person, too, would read


@once
def to_review(source):
    """Why a person should look at a source: its first suspicious name, or what hides it; or None.

    Comments, docstrings and what the lab says itself do not count.
    """
    try:
        tree = _parse(source)
    except SyntaxError:
        return None  # it cannot run
    except Exception as error:  # too deep, too long: perhaps for this program alone
        return f"what cannot be read ({error})"
    for statement in tree.body:
        for node in ast.walk(statement) if not _is_own_word(statement) else ():
            name = _suspicious_name(node)
            if name:
                return name
    return None


@once
def names_made(source):
    """The names that a source gives something to, outside of functions and classes."""
    try:
        tree = _parse(source)
    except Exception:
        pattern = r"^(?:(?:async +)?def|class) +(\w+)|^(\w+) *(?::[^=\n]*)?=[^=]"
        return frozenset(first or second for first, second in re.findall(pattern, source, re.MULTILINE))
    names, nodes = set(), list(tree.body)
    while nodes:
        match nodes.pop():
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
            case node:
                nodes += ast.iter_child_nodes(node)
    return frozenset(names)


def functions(source):
    """The names of the functions that a source defines at its top."""
    try:
        body = _parse(source).body
    except Exception:
        return set(re.findall(r"^(?:async +)?def +(\w+)", source, re.MULTILINE))
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def without_checks(source):
    """A source without the lines' checks, one of which would end the cell where it fails."""
    return OWN_CHECK.sub(lambda line: f"{line[1]}None" if "=" in (line[1] or "") else "", source)


def replaced(source):
    """What of NumPy's a source gives another value to, such as np.zeros; or None."""
    return next(iter(NUMPYS.findall(source)), None)


@once
def is_gap(source):
    """Whether a source holds nothing, or only functions that are not filled in."""
    try:
        tree = _parse(source)
    except Exception:
        return False
    return all(_is_text(node) or _is_empty_function(node) for node in tree.body)


def _parse(source):
    """The syntax tree of a cell, without harmless magics.

    Raises:
        Exception: SyntaxError, or RecursionError, MemoryError, ValueError ...
    """
    if len(source) > LONGEST:
        raise ValueError(f"more than {LONGEST} characters")
    if "\0" in source:
        raise SyntaxError("source code cannot contain null bytes")  # Python 3.10 says ValueError
    tree = magics.parsed(source)
    for node in ast.walk(tree):
        if _is_text(node):
            node.value.value = ""  # docstrings are prose
        if _asks_for_example(node) or _asks_for_its_check(node):
            node.func = ast.Name("asked", ast.Load())
    return tree


def _asks_for_example(node):
    """Whether a node is ``checks.rnn_step.example()``: numbers to work by hand, for whoever asks."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="checks")), attr="example"),
            args=[],
            keywords=[],
        ):
            return True
    return False


def _asks_for_its_check(node):
    """Whether a node is ``checks.rnn_step(rnn_step)``, as the lab says it, in whatever expression."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="checks"), attr=check),
            args=[ast.Name(id=function)],
            keywords=[],
        ):
            return check == function
    return False


def _is_own_word(statement):
    """Whether a statement is a text, or what a lab says itself."""
    match statement:
        case ast.ImportFrom(module="rnnlib", names=[ast.alias(name="checks", asname=None)]):
            return True
        case ast.ImportFrom(module="rnnlib.checks", names=[ast.alias(name=name)]):
            return re.fullmatch(r"lab\d\d_mistakes", name) is not None
    return _is_text(statement)


def _is_text(node):
    """Whether a statement is a text that nothing is done with."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_empty_function(node):
    """Whether a node is a function that does no more than to raise NotImplementedError."""
    code = [part for part in node.body if not _is_text(part)] if isinstance(node, ast.FunctionDef) else []
    match code:
        case [ast.Raise(exc=ast.Name(id="NotImplementedError"))]:
            return True
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")))]:
            return True
    return False


def _suspicious_name(node):
    """The first suspicious name that a node holds, or None; dotted where it is so in the text."""
    names = []
    if hasattr(node, "magic"):
        return node.magic
    match node:
        case ast.Import(names=aliases):
            names = [alias.name for alias in aliases]
        case ast.ImportFrom(module=module, names=aliases):
            names = [f"{module or ''}.{alias.name}" for alias in aliases]
        case ast.Constant(value=value):
            return next(iter(IN_TEXTS.findall(value)), None) if isinstance(value, str) else None
        case ast.Attribute(value=value, attr=name):
            owner = value.id if isinstance(value, ast.Name) else ""
            private = name.startswith("_") and not DUNDER.fullmatch(name) and owner not in ("self", "cls")
            dotted = f"{owner}.{name}".strip(".")
            return dotted if private or _is_suspect(dotted) else None
    for name in names:
        is_module = any(name == module or name.startswith(f"{module}.") for module in MODULES)
        if not is_module or _is_suspect(name):
            return name
    for _, value in ast.iter_fields(node):  # names stand in many kinds of nodes, in patterns for example
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and _is_suspect(name):
                return name
    return None


def _is_suspect(name):
    parts = name.removeprefix("rnnlib.data").split(".")
    dunder = any(DUNDER.fullmatch(part) and not HARMLESS_DUNDER.fullmatch(part) for part in parts)
    return name not in HARMLESS and (dunder or not SUSPECTS.isdisjoint(parts))
