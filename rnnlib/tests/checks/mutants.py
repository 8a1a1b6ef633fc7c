"""Wrong answers by the hundred: a right answer with one small change each."""

import ast
import copy
import re

from rnnlib.grading import notebook

OPERATORS = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add, ast.Mult],
    ast.Mult: [ast.Div, ast.Add, ast.MatMult],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.MatMult: [ast.Mult, ast.Add],
    ast.Pow: [ast.Mult, ast.Add],
}
FUNCTIONS = {
    "tanh": ["sinh", "sin", "exp", "arctan"],
    "zeros": ["ones", "empty"],
    "zeros_like": ["ones_like", "empty_like"],
    "sum": ["mean", "max"],
    "copy": ["view"],
}


def mutants(source):
    """Yield (changed line, source) for each small change of a function's body.

    Operators, dropped terms, names, constants, transposes, time indices and ranges, order and
    number of results, functions, and statements left out.
    """
    tree = ast.parse(re.sub(rf"^ *({notebook.BEGIN}|{notebook.END}) *\n?", "", source, flags=re.MULTILINE))
    right = ast.unparse(tree)
    seen = {right}
    for place, node in enumerate(ast.walk(tree)):
        for changed in _changes(node, tree):
            mutant = copy.deepcopy(tree)
            _replace(mutant, place, changed)
            text = ast.unparse(ast.fix_missing_locations(mutant))
            if text not in seen:
                seen.add(text)
                yield _difference(right, text), text


def _changes(node, tree):
    """What may stand in a node's place; None leaves the statement out."""
    function = tree.body[0]
    if isinstance(node, ast.stmt) and node is not function and not _is_docstring(node):
        yield None
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for other in OPERATORS.get(type(op), []):
                yield ast.BinOp(left, other(), right)
            yield left
            yield right
            if not isinstance(op, ast.Add | ast.Mult):  # a sum may be turned round
                yield ast.BinOp(right, op, left)
            yield ast.UnaryOp(ast.USub(), node)
        case ast.Constant(value=int(value)) if not isinstance(node.value, bool):
            for other in (value + 1, value - 1, 2 * value):
                yield ast.Constant(other)
        case ast.Attribute(value=value, attr="T"):
            yield value
        case ast.Attribute(value=value, attr=name) if name in FUNCTIONS:
            for other in FUNCTIONS[name]:
                yield ast.Attribute(value, other, ast.Load())
        case ast.Name(id=name, ctx=ast.Load()) if name != "np":
            for other in _names(function) - {name}:
                yield ast.Name(other, ast.Load())
            yield ast.Attribute(ast.Name(name, ast.Load()), "T", ast.Load())
            if name == "t":
                for step in (-1, 1):
                    yield ast.BinOp(node, ast.Add(), ast.Constant(step))
        case ast.Call(func=ast.Name(id="range"), args=[end]):
            yield _call("range", ast.Constant(1), end)
            yield _call("range", ast.BinOp(end, ast.Sub(), ast.Constant(1)))
            yield _call("range", ast.BinOp(end, ast.Add(), ast.Constant(1)))
            yield _call("reversed", node)
        case ast.Tuple(elts=parts, ctx=ast.Load()):
            for i in range(len(parts)):
                yield ast.Tuple([*parts[:i], *parts[i + 1 :]], ast.Load())
                for j in range(i):
                    swapped = list(parts)
                    swapped[i], swapped[j] = parts[j], parts[i]
                    yield ast.Tuple(swapped, ast.Load())


def _names(function):
    """The variables of a function."""
    arguments = {argument.arg for argument in function.args.args}
    set_inside = {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return arguments | set_inside


def _call(name, *arguments):
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replace(tree, place, changed):
    """Put a node in the place of the one that ``ast.walk`` meets at ``place``."""
    target = list(ast.walk(tree))[place]
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, changed)
            elif isinstance(value, list) and any(item is target for item in value):
                i = next(i for i, item in enumerate(value) if item is target)
                value[i : i + 1] = (
                    [changed] if changed is not None else [] if len(value) > 1 else [ast.Pass()]
                )


def _difference(right, text):
    """The changed line, or the one that is missing."""
    before, after = right.splitlines(), text.splitlines()
    for old, new in zip(before, after, strict=False):
        if old != new:
            return new.strip() if len(before) == len(after) else f"without: {old.strip()}"
    return f"without: {before[-1].strip()}"
