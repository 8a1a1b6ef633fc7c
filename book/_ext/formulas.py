"""Formulas: MathJax from a folder beside the pages, and MathML for browsers without JavaScript."""

import html
import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml

#: MathJax without its menu, which makes each formula a tab stop, and without readers of other input.
#: What a chapter needs beyond ams and html (\\class) has a name in ``packages``, and its file below.
MATHJAX = {
    "loader": {
        "load": ["core", "input/tex-base", "[tex]/ams", "[tex]/html", "output/chtml", "a11y/assistive-mml"]
    },
    "tex": {"inlineMath": [["\\(", "\\)"], ["$", "$"]], "packages": ["base", "ams", "html"]},
}

#: The files for it, a small part of all, and its fonts.
MATHJAX_FILES = [
    "startup.js",
    "core.js",
    "input/tex-base.js",
    "input/tex/extensions/ams.js",
    "input/tex/extensions/html.js",
    "output/chtml.js",
    "output/chtml/fonts",
    "a11y/assistive-mml.js",
]

#: What TypeScript wrote into each of MathJax's modules, for browsers of 2014: once, and shorter.
HELPERS = {
    "extends": """(child, parent) => {
    Object.setPrototypeOf(child, parent);
    child.prototype = Object.assign(Object.create(parent.prototype), { constructor: child });
  }""",
    "assign": "Object.assign",
    "values": "(items) => items[Symbol.iterator]()",
    "read": "(items, count) => (items[Symbol.iterator] ? [...items].slice(0, count) : items)",
    "spreadArray": "(first, second) => first.concat([...second])",
    "importDefault": "(module) => (module.__esModule ? module : { default: module })",
    "importStar": "(module) => (module.__esModule ? module : { ...module, default: module })",
}

#: TeX that docutils does not know -> the same for it, or nearly.
SIMPLER = [
    (r"\\class\{[^}]*\}", ""),
    (r"\\dots(?![a-z])", r"\\ldots"),
    (r"\\([bB]igg?[lr]?|(text|display)style)(?![a-z])", ""),
    (r"\{(split|align|gather|equation)\*?\}", "{aligned}"),
    (r"'", r"^\\prime "),
]


def use_mathjax(app, config):
    config.mathjax_path = "../_vendor/mathjax/startup.js"
    config.mathjax3_config = MATHJAX


def copy_mathjax(app, exception):
    """Put MathJax beside the pages: it is loaded from no other host."""
    if exception is not None or app.builder.format != "html":
        return
    package = Path(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline"))
    source, target = package / "static" / "mathjax", Path(app.outdir) / "_vendor" / "mathjax"
    shutil.rmtree(target, ignore_errors=True)
    files = [path for name in MATHJAX_FILES for path in [source / name, *(source / name).rglob("*")]]
    for path in filter(Path.is_file, files):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".js":
            copy.write_text(without_helpers(path.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copy(path, copy)
    helpers = ",\n".join(f"  {name}: {function}" for name, function in HELPERS.items())
    notice = "/* MathJax, Apache License 2.0, https://www.mathjax.org: its modules share these here. */"
    startup = target / "startup.js"
    script = f"{notice}\nconst helpers = {{\n{helpers},\n}};\n{startup.read_text(encoding='utf-8')}"
    startup.write_text(script, encoding="utf-8")


def without_helpers(script):
    """A script of MathJax whose modules take the helpers from one place."""
    result, position = "", 0
    for match in re.finditer(rf"this&&this\.__({'|'.join(HELPERS)})\|\|", script):
        result += f"{script[position : match.start()]}helpers.{match[1]}"
        depth = 0
        for sign in re.compile(r'"[^"]*"|[][(){},;]').finditer(script, match.end()):
            depth += (sign[0] in "([{") - (sign[0] in ")]}")
            if depth == 0 and sign[0] in ",;":
                break
        position = sign.start()
    return result + script[position:]


def mathml(tex, block):
    """The formula as MathML in one line; where docutils cannot read it, its TeX."""
    for old, new in SIMPLER:
        tex = re.sub(old, new, tex)
    try:
        formula = tex2mathml(tex, as_block=block).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
        return re.sub(r">\s+<", "><", formula)
    except (MathError, IndexError, AttributeError):
        return f"<code>{html.escape(tex)}</code>"


def with_mathml(visit, block):
    """A visitor that writes TeX for MathJax, and MathML that stands in its place without a script."""

    def visit_formula(self, node):
        start = len(self.body)
        try:
            visit(self, node)
        except nodes.SkipNode:
            formula = "".join(self.body[start:])
        # <span class="math">, a number and its link or none, TeX, </span>
        head, tex, tail = re.fullmatch(
            r"(<[^>]+>\s*(?:<span class=\"eqno\">.*?</span>)?)(.*)(</\w+>\s*)", formula, re.DOTALL
        ).groups()
        noscript = mathml(node.astext(), block)
        self.body[start:] = [f'{head}<span class="tex">{tex}</span><noscript>{noscript}</noscript>{tail}']
        raise nodes.SkipNode

    return visit_formula


def add_mathml(app):
    """Wrap the visitors for "mathjax", when MyST has put its own in the place of Sphinx's."""
    for registry, block in (
        (app.registry.html_inline_math_renderers, False),
        (app.registry.html_block_math_renderers, True),
    ):
        visit, depart = registry["mathjax"]
        registry["mathjax"] = (with_mathml(visit, block), depart)


#: A formula in the output of a cell, which no visitor sees.
IN_OUTPUT = re.compile(r'(<span class="math notranslate nohighlight">)(\\\((.*?)\\\))(?=</span>)')


def in_outputs(app, pagename, templatename, context, doctree):
    """The same for formulas in the outputs of cells."""

    def both(match):
        head, formula, tex = match.groups()
        noscript = mathml(html.unescape(tex), block=False)
        return f'{head}<span class="tex">{formula}</span><noscript>{noscript}</noscript>'

    context["body"] = IN_OUTPUT.sub(both, context.get("body", ""))


def setup(app):
    app.connect("config-inited", use_mathjax)
    app.connect("html-page-context", in_outputs)
    app.connect("builder-inited", add_mathml, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "version": "1"}
