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
MATHJAX = {
    "loader": {"load": ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]},
    "tex": {"inlineMath": [["\\(", "\\)"], ["$", "$"]]},
}

#: The files for it, 1.6 of 24 MB, and what TeX commands may ask for.
MATHJAX_FILES = [
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml/fonts",
    "a11y/assistive-mml.js",
]

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
    for name in MATHJAX_FILES:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)


def mathml(tex, block):
    """The formula as MathML in one line; where docutils cannot read it, its TeX."""
    for old, new in SIMPLER:
        tex = re.sub(old, new, tex)
    try:
        return re.sub(r">\s+<", "><", tex2mathml(tex, as_block=block))
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
