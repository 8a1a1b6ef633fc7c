"""Formulas: MathJax from a folder beside the pages, and MathML for browsers without JavaScript."""

import html
import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.ext import mathjax

#: What startup.js loads (see mathjax3_config in _config.yml), and what TeX commands may ask for.
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
    (r"\\dots(?![a-z])", r"\\ldots"),
    (r"\\[bB]igg?[lr]?(?![a-z])", ""),
    (r"\{(split|align|gather|equation)\*?\}", "{aligned}"),
    (r"'", r"^\\prime "),
]


def copy_mathjax(app, exception):
    """Put MathJax beside the pages, without its menu: 0.8 of 24 MB, and no formula is a tab stop."""
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
    except MathError:
        return f"<code>{html.escape(tex)}</code>"


def with_mathml(visit, block):
    """Sphinx's visitor, which writes TeX for MathJax; without a script MathML stands in its place."""

    def visit_formula(self, node):
        start = len(self.body)
        try:
            visit(self, node)
        except nodes.SkipNode:
            formula = "".join(self.body[start:])
        # <span class="math">(number)<span class="tex">TeX</span><noscript>MathML</noscript></span>
        head, number, tex, tail = re.fullmatch(
            r"(<[^>]+>)(<span class=\"eqno\">.*?</a></span>|<span class=\"eqno\">[^<]*</span>)?(.*)(</\w+>\s*)",
            formula,
            re.DOTALL,
        ).groups()
        self.body[start:] = [
            f'{head}{number or ""}<span class="tex">{tex}</span>'
            f"<noscript>{mathml(node.astext(), block)}</noscript>{tail}"
        ]
        raise nodes.SkipNode

    return visit_formula


def setup(app):
    app.setup_extension("sphinx.ext.mathjax")
    del app.registry.html_inline_math_renderers["mathjax"], app.registry.html_block_math_renderers["mathjax"]
    app.add_html_math_renderer(
        "mathjax",
        (with_mathml(mathjax.html_visit_math, block=False), None),
        (with_mathml(mathjax.html_visit_displaymath, block=True), None),
    )
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "version": "1"}
