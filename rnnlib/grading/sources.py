"""What a student's code makes, as far as its text tells."""

import ast
import re
from contextlib import suppress
from functools import lru_cache

from rnnlib.grading import magics

OWN_CHECK = re.compile(r"^(\w+ *= *|print\()?checks\.(\w+)\(\2\)\)?;?[ \t]*$", re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*# ?(.*\n?)", re.MULTILINE)
RETURN = re.compile(r"^[ \t]*(return\b.*)", re.MULTILINE)
NUMPYS = re.compile(r"^[ \t]*((?:np|numpy)\.[\w.]+) *=(?!=)", re.MULTILINE)

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
SCOPES = DEFINITIONS | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

once = lru_cache(maxsize=1000)  # a cell is asked about many times
LONGEST = 100_000  # characters that a person, too, would read


@once
def names_made(source):
    """The names that a source gives something to, outside of functions and classes."""
    try:
        tree = parsed(source)
    except Exception:
        pattern = r"^(?:(?:async +)?def|class) +(\w+)|^(\w+) *(?::[^=\n]*)?=[^=]"
        return frozenset(first or second for first, second in re.findall(pattern, source, re.MULTILINE))
    names = set()
    for node in _nodes_outside(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
    return frozenset(names)


def names_deleted(source):
    """The names that a source takes away with ``del``, outside of functions and classes."""
    try:
        nodes = list(_nodes_outside(parsed(source)))
    except Exception:
        return frozenset()
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del))


def _nodes_outside(tree):
    """The nodes of a tree but for those inside functions, classes and comprehensions."""
    nodes = list(tree.body)
    while nodes:
        node = nodes.pop()
        yield node
        if not isinstance(node, SCOPES):
            nodes += ast.iter_child_nodes(node)


@once
def statements(source):
    """The statements at the top of a source, each as a source; it as a whole where it cannot be read.

    Magics that only measure are gone, and the code behind them stands free.
    """
    try:
        return [ast.unparse(node) for node in parsed(source).body]
    except Exception:
        return [source]


@once
def names_changed(statement):
    """The names whose values a statement changes in place: w, in ``w["b"] = 0`` and ``w.update(b=0)``."""
    try:
        (node,) = parsed(statement).body
    except Exception:
        return frozenset()
    match node:
        case ast.Assign(targets=changed) | ast.Delete(targets=changed):
            pass
        case ast.AugAssign(target=target):
            changed = [target]
        case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
            changed = [method]
        case _:
            changed = []
    return frozenset(filter(None, map(_root, changed)))


def _root(node):
    """The name that an attribute or an entry is one of, or None: w in ``w.T[0]``."""
    root = node
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    return root.id if root is not node and isinstance(root, ast.Name) else None


def gives_value(statement):
    """Whether a statement defines, imports or assigns."""
    try:
        (node,) = ast.parse(statement).body
    except (SyntaxError, ValueError):
        return True
    kinds = DEFINITIONS | ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.AugAssign
    return isinstance(node, kinds)


def functions(source):
    """The names of the functions that a source defines at its top."""
    try:
        body = parsed(source).body
    except Exception:
        return set(re.findall(r"^(?:async +)?def +(\w+)", source, re.MULTILINE))
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def enclosing(source, name):
    """The class or function at the top of a source that holds the definition of a name; or None."""
    try:
        body = parsed(source).body
    except Exception:
        return None
    scopes = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name != name]
    inside = (
        scope.name
        for scope in scopes
        for node in ast.walk(scope)
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return next(inside, None)


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
        tree = parsed(source)
    except Exception:
        return False
    return all(is_text(node) or _is_empty_function(node) for node in tree.body)


def quoted(source):
    """The texts that stand as statements at the top of a source, as one text."""
    try:
        nodes = ast.parse(magics.transformed(source)).body
    except Exception:
        return ""
    texts = (node.value.value for node in nodes if is_text(node))
    return "\n".join(text for text in texts if isinstance(text, str))


def commented(source, gap):
    """What stands in a source's comments, without the lines of the gap as released."""
    released = set(COMMENT.findall(gap))
    return "".join(line for line in COMMENT.findall(source) if line not in released)


def returns(source):
    """Whether a line of a source, or of a text, is a statement that returns something."""
    for line in RETURN.findall(source):
        with suppress(SyntaxError, ValueError):
            return bool(ast.parse(line))
    return False


@lru_cache(maxsize=100)  # several functions ask for it, one after the other
def parsed(source):
    """The syntax tree of a cell, without harmless magics; to be read, and not changed.

    Raises:
        Exception: SyntaxError, or RecursionError, MemoryError, ValueError ...
    """
    if len(source) > LONGEST:
        raise ValueError(f"more than {LONGEST} characters")
    if "\0" in source:
        raise SyntaxError("source code cannot contain null bytes")  # Python 3.10 says ValueError
    tree = magics.parsed(source)
    for node in ast.walk(tree):
        if is_text(node):
            node.value.value = ""  # docstrings are prose
        if _asks_for_example(node) or _asks_for_its_check(node):
            node.func = ast.Name("asked", ast.Load())
        if _asks_where_it_runs(node):
            node.comparators = [ast.Name("asked", ast.Load())]
        if _sets_environment(node):
            node.targets[0].value = ast.Name("environment", ast.Load())
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


def _asks_where_it_runs(node):
    """Whether a node is ``"google.colab" in sys.modules``: it says yes or no, and hands nothing on."""
    match node:
        case ast.Compare(
            left=ast.Constant(),
            ops=[ast.In() | ast.NotIn()],
            comparators=[ast.Attribute(value=ast.Name(id="sys"), attr="modules")],
        ):
            return True
    return False


def _sets_environment(node):
    """Whether a node is ``os.environ["OMP_NUM_THREADS"] = ...``, for other libraries than this one."""
    match node:
        case ast.Assign(
            targets=[
                ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id="os"), attr="environ"),
                    slice=ast.Constant(value=str(name)),
                )
            ]
        ):
            return not name.startswith("RNNLIB")
    return False


def is_text(node):
    """Whether a statement is a text that nothing is done with."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_empty_function(node):
    """Whether a node is a function that does no more than to raise NotImplementedError."""
    code = [part for part in node.body if not is_text(part)] if isinstance(node, ast.FunctionDef) else []
    match code:
        case [ast.Raise(exc=ast.Name(id="NotImplementedError"))]:
            return True
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")))]:
            return True
    return False
