"""Why a person should look at a student's code. A text can hide what it does, so no reason is no proof."""

import ast
import re

from rnnlib.grading.modules import MODULES, OF_OS
from rnnlib.grading.sources import is_text, once, parsed

#: Names that lead to the reference, to the checks, or to other code than what stands there.
SUSPECTS = set(
    """rnnlib checks labs_solutions inspect modules get_ipython user_ns InteractiveShell
    eval exec compile open globals locals vars getattr breakpoint builtins attrgetter methodcaller
    f_back f_locals f_globals f_builtins gi_frame cr_frame tb_frame settrace setprofile
    ctypes read_pickle allow_pickle write_text write_bytes""".split()
)

HARMLESS = {"re.compile"}
DUNDER = re.compile(r"__\w+__")
HARMLESS_DUNDER = re.compile(
    r"__(version|future|init|post_init|call|len|name|doc|repr|str|iter|next|getitem|setitem|contains|enter"
    r"|exit|eq|lt|hash|neg|i?(add|sub|mul|matmul|truediv|pow)|r(add|sub|mul|matmul|truediv))__"
)
IN_TEXTS = re.compile(r"rnnlib|labs_solutions")


@once
def to_review(source):
    """Why a person should look at a source: its first suspicious name, or what hides it; or None.

    Comments, docstrings and what the lab says itself do not count.
    """
    try:
        tree = parsed(source)
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


def _is_own_word(statement):
    """Whether a statement is a text, or what a lab says itself."""
    match statement:
        case ast.ImportFrom(module="rnnlib", names=[ast.alias(name="checks", asname=None)]):
            return True
        case ast.ImportFrom(module="rnnlib.checks", names=[ast.alias(name=name)]):
            return re.fullmatch(r"lab\d\d_mistakes", name) is not None
    return is_text(statement)


def _suspicious_name(node):
    """The first suspicious name that a node holds, or None; dotted where it is so in the text."""
    names = []
    if hasattr(node, "magic"):
        return node.magic
    match node:
        case ast.Import(names=aliases):
            names = [alias.name for alias in aliases if alias.name != "os" or alias.asname]
        case ast.ImportFrom(module=module, names=aliases):
            names = [f"{module or ''}.{alias.name}" for alias in aliases]
        case ast.Constant(value=value):
            return next(iter(IN_TEXTS.findall(value)), None) if isinstance(value, str) else None
        case ast.Attribute(value=value, attr=name):
            owner = value.id if isinstance(value, ast.Name) else ""
            private = name.startswith("_") and not DUNDER.fullmatch(name) and owner not in ("self", "cls")
            dotted = f"{owner}.{name}".strip(".")
            of_os = name == "os" or (owner == "os" and name not in OF_OS)  # other modules hold os, too
            return dotted if private or of_os or _is_suspect(dotted) else None
    for name in names:
        is_module = any(name == module or name.startswith(f"{module}.") for module in MODULES)
        if not is_module or "os" in name.split(".")[1:] or _is_suspect(name):
            return name
    if any(isinstance(child, ast.Name) and child.id == "os" for child in ast.iter_child_nodes(node)):
        return "os"  # handed on as a whole
    for _, value in ast.iter_fields(node):  # names stand in many kinds of nodes, in patterns for example
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and _is_suspect(name):
                return name
    return None


def _is_suspect(name):
    parts = name.removeprefix("rnnlib.data").split(".")
    dunder = any(DUNDER.fullmatch(part) and not HARMLESS_DUNDER.fullmatch(part) for part in parts)
    return name not in HARMLESS and (dunder or not SUSPECTS.isdisjoint(parts))
