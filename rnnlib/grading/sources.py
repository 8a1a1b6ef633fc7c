"""What a student's code does, as far as its text tells.

Is there a name for which a person should look at it? Could it disturb other exercises? Neither
is proof: a text can hide what it does.
"""

import ast
import builtins
import re

from IPython.core.inputtransformer2 import TransformerManager

#: Names that lead to the reference, to the checks, or to other code than what stands there.
SUSPECTS = set(
    """rnnlib checks labs_solutions inspect modules get_ipython eval exec compile open
    globals locals vars getattr attrgetter builtins importlib pkgutil runpy subprocess ctypes pickle
    _getframe f_back f_locals f_globals f_builtins gi_frame cr_frame tb_frame get_objects get_referrers
    settrace setprofile addaudithook""".split()
)
HARMLESS = re.compile(r"rnnlib\.data\b.*|(.*\.)?__(init|name|call|len|doc)__")
DUNDER = re.compile(r"(.*\.)?__\w+__")
IN_TEXTS = re.compile(r"rnnlib|labs_solutions")


def to_review(source):
    """The first name in a source for which a person should look at it, or None.

    Comments, docstrings and what the lab says itself do not count.
    """
    tree = _parse(source)
    if tree is None:  # it cannot run either
        return None
    for statement in tree.body:
        for node in ast.walk(statement) if not _is_own_word(statement) else ():
            for name in _names(node):
                suspect = DUNDER.fullmatch(name) or SUSPECTS & set(name.split("."))
                if suspect and not HARMLESS.fullmatch(name):
                    return name
    return None


def only_defines(source):
    """Whether a source is made of plain functions and imports, which disturb no other exercise."""
    tree = _parse(source)
    if tree is None or to_review(source):
        return False
    for statement in tree.body:
        plain = isinstance(statement, ast.FunctionDef | ast.Import | ast.ImportFrom)
        if not plain and not _is_own_word(statement):
            return False
    return not functions_made(source) & vars(builtins).keys() and not any(map(_reaches_out, ast.walk(tree)))


def functions_made(source):
    """The names that a source defines, or sets, at its outermost level; imports left out."""
    made = r"^(?:(?:async +)?def|class) +(\w+)|^(\w+) *(?::[^=\n]*)?=[^=]"
    return {first or second for first, second in re.findall(made, source, re.MULTILINE)}


def names_made(source):
    """The names that a source makes at its outermost level, by imports too."""
    tree = _parse(source)
    imports = [node for node in (tree.body if tree else ()) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = (alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names)
    return functions_made(source) | set(imported)


def is_gap(source):
    """Whether a source holds nothing, or only functions that are not filled in."""
    tree = _parse(source)
    return tree is not None and all(_is_text(node) or _is_empty_function(node) for node in tree.body)


def _is_empty_function(node):
    """Whether a node is a function that does no more than to raise NotImplementedError."""
    code = [part for part in node.body if not _is_text(part)] if isinstance(node, ast.FunctionDef) else []
    match code:
        case [ast.Raise(exc=ast.Name(id="NotImplementedError"))]:
            return True
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")))]:
            return True
    return False


def _parse(source):
    """The syntax tree of a cell, magics written out; None where there is none."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(source.replace("%matplotlib inline", "")))
    except Exception:  # a text of a student: SyntaxError, ValueError, RecursionError, MemoryError ...
        return None
    for node in ast.walk(tree):
        if _is_text(node):
            node.value.value = ""  # docstrings are prose
    return tree


def _is_own_word(statement):
    """Whether a statement is a text, or what a lab says itself."""
    match statement:
        case ast.ImportFrom(module="rnnlib", names=[ast.alias(name="checks", asname=None)]):
            return True
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id="checks"), attr=check),
                args=[ast.Name(id=function)],
                keywords=[],
            )
        ):
            return check == function
    return _is_text(statement)


def _is_text(node):
    """Whether a statement is a text that nothing is done with."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _names(node):
    """The names that a node holds, dotted where they are so in the text."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Attribute(value=ast.Name(id=left), attr=right):
            yield f"{left}.{right}"
        case ast.Attribute(attr=name):
            yield name
        case ast.Import(names=aliases):
            yield from (name for alias in aliases for name in (alias.name, alias.asname) if name)
        case ast.ImportFrom(module=module, names=aliases):
            yield from (f"{module}.{alias.name}" for alias in aliases)
            yield from (alias.asname for alias in aliases if alias.asname)
        case ast.Constant(value=str(text)):
            yield from IN_TEXTS.findall(text)


def _reaches_out(node):
    """Whether a node may change what stands outside of its function."""
    match node:
        case ast.Global() | ast.Nonlocal() | ast.alias(name="*") | ast.Attribute(ctx=ast.Store() | ast.Del()):
            return True
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name != "set" and name.startswith(("set", "delattr", "simplefilter", "filterwarnings"))
    return False
