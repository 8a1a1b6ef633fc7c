"""The text of each section, for a search that works from files, too (see book/_static/search.js)."""

import json
import re
from pathlib import Path

from docutils import nodes

#: What is no text to read.
SKIPPED = (nodes.title, nodes.raw, nodes.math_block, nodes.comment, nodes.system_message)


def words(node):
    """A node's text in one line, without the sections in it; of formulas, the letters."""
    if isinstance(node, nodes.math):
        return re.sub(r"\\(left|right|[lr]Vert|text|mathrm|operatorname|[,;])|[\\{}]", "", node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    if node.get("refdomain") == "cite":  # only its key is known yet
        return ""
    gap = "" if isinstance(node, nodes.TextElement) else " "
    children = node.children[1:] if "hide_mode" in node else node.children  # without folded code
    return gap.join(
        words(child) for child in children if not isinstance(child, SKIPPED) and not has_title(child)
    )


def has_title(node):
    """Whether it is a section of the page; the text of a solution is one, too, without a title."""
    return isinstance(node, nodes.section) and isinstance(node.children[0], nodes.title)


def collect(app, doctree):
    """Remember the sections of a page that was read."""
    sections = []
    for section in filter(has_title, doctree.findall(nodes.section)):
        title = words(section.children[0])
        text = " ".join(words(section).split())
        sections.append({"id": section["ids"][0], "title": title, "text": text})
    if sections:
        app.env.course_sections = getattr(app.env, "course_sections", {})
        app.env.course_sections[app.env.docname] = sections


def forget(app, env, docname):
    getattr(env, "course_sections", {}).pop(docname, None)


def write(app, exception):
    """Write the sections of all pages as a script, which a page may load where it may not read a file."""
    if exception is not None or app.builder.format != "html":
        return
    sections = [
        {"page": of_page[0]["title"], "url": app.builder.get_target_uri(page), **section}
        for page, of_page in sorted(getattr(app.env, "course_sections", {}).items())
        for section in of_page
    ]
    script = f"const SECTIONS = {json.dumps(sections, ensure_ascii=False)};\n"
    (Path(app.outdir) / "_static" / "sections.js").write_text(script, encoding="utf-8")


def setup(app):
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("build-finished", write)
    return {"parallel_read_safe": False, "env_version": 1, "version": "1"}
