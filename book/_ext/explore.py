"""Explorables and pictures in the book: the kit loaded once, and SVG files put into the page."""

import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from rnnlib.tools.explore import END, LIVE, inline_svg


class Picture(SphinxDirective):
    """An SVG file inside the page, so that it has the page's font and the theme's colours.

    The argument is the file, the content its caption. ``:alt:`` is what the picture shows, in
    words; ``:name:`` is what the text refers to.
    """

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"alt": directives.unchanged_required, "name": directives.unchanged}  # noqa: RUF012

    def run(self):
        if "alt" not in self.options:
            raise self.error("a picture needs :alt:, what it shows in words")
        name, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(name)
        try:
            svg = inline_svg(Path(path).read_text(encoding="utf-8"), self.options["alt"], Path(path).stem)
        except (OSError, ValueError) as error:
            raise self.error(f"{self.arguments[0]}: {error}") from error
        figure = nodes.figure("", nodes.raw("", f'<div class="picture">{svg}</div>', format="html"))
        self.set_source_info(figure)
        self.add_name(figure)
        if self.content:
            parsed = nodes.Element()
            self.state.nested_parse(self.content, self.content_offset, parsed)
            caption, *legend = parsed.children
            if not isinstance(caption, nodes.paragraph):
                raise self.error("a picture's caption is a paragraph")
            figure += nodes.caption(caption.rawsource, "", *caption.children)
            figure[-1].source, figure[-1].line = caption.source, caption.line
            if legend:
                figure += nodes.legend("", *legend)
        return [figure]


def load_kit(app, pagename, templatename, context, doctree):
    """Load the kit once on a page that uses it, and a chapter's script where a figure names it."""
    body = context.get("body", "")
    context["body"] = body = re.sub(f"{LIVE}.*?{END}", "", body, flags=re.DOTALL)
    if 'class="explore"' in body or 'class="picture' in body:
        app.add_css_file("explore.css")
    if 'class="explore"' in body:
        app.add_js_file("explore.js")
    for script in sorted(set(re.findall(r'<figure class="explore"[^>]*\sdata-script="([\w.-]+)"', body))):
        app.add_js_file(script)


def setup(app):
    app.add_directive("picture", Picture)
    app.connect("html-page-context", load_kit)
    return {"parallel_read_safe": True, "version": "1"}
