"""What the book needs beyond ready-made extensions: fresh pages, whole outputs, names of folds, a quiz."""

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docutils import nodes
from jupyter_cache import get_cache
from myst_nb.core.execute import create_client
from myst_nb.core.read import create_nb_reader
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]


def cache_by_library_version(app, config):
    """Run pages again whenever the library, its data or a drawing changes: the cache looks at pages only."""
    digest = hashlib.sha256()
    for file in sorted([*(ROOT / "rnnlib").rglob("*"), *(ROOT / "book" / "figures").glob("*.svg")]):
        if file.is_file() and not {"tests", "__pycache__"} & set(file.relative_to(ROOT).parts):
            digest.update(file.read_bytes())
    config.nb_execution_cache_path = str(ROOT / "_build" / f".jupyter_cache_{digest.hexdigest()[:12]}")


def run_pages(app, env, docnames):
    """Run the pages that will be read two at a time, since a page alone often keeps one core busy.

    MyST-NB's own client runs them, by its settings, and finds them in its cache when it reads them.
    """
    config, logger = env.mystnb_config, logging.getLogger(__name__)
    if config.execution_mode != "cache":
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads of two pages would wait for each other

    def run(path):
        text = path.read_text(encoding="utf-8")
        if reader := create_nb_reader(str(path), env.myst_config, config, text):
            create_client(reader.read(text), str(path), config, logger, reader.read_fmt).start_client()

    paths = sorted((Path(env.doc2path(name)) for name in docnames), key=lambda path: -path.stat().st_size)
    get_cache(config.execution_cache_path).list_cache_records()  # makes the cache, before two pages would
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, paths))  # the largest first: they take the longest


def mend_page(app, pagename, templatename, context, doctree):
    """Mend what the tools below write wrongly into a page."""
    # Thebe runs code on a server, which the book has not; its script comes twice, and fails. Tabs
    # open by the style sheet alone: their script would only open the same one on each page.
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file
            for file in context[kind]
            if not re.search("thebe|design-tabs", f"{file.filename} {file.attributes.get('body')}", re.I)
        ]
    # A button without a name folds the labs below a chapter.
    tree = context["generate_toctree_html"]
    context["generate_toctree_html"] = lambda *args, **kwargs: str(tree(*args, **kwargs)).replace(
        "<summary>", '<summary aria-label="Pages below">'
    )
    # A role that screen readers no longer know, in a list that must hold list items.
    body = context.get("body", "").replace('role="doc-biblioentry"', 'role="listitem"')
    # What a check says names a section as JupyterLab finds it, from the folder of the labs.
    body = LINK_OF_A_CHECK.sub(
        lambda link: f'internal" href="{context["pathto"](link[1])}#{nodes.make_id(link[2])}"', body
    )
    context["body"] = NUMBER.sub(printed, body)


#: The page and the section that a check points to, on a page that ran it.
LINK_OF_A_CHECK = re.compile(r'external" href="\.\./(book/\w+)\.md#([^"]+)"')

#: A number that a page computed, in its text or in a table, and has a hyphen for a minus sign.
NUMBER = re.compile(r'(<span class="pasted-text">|<td[^>]*>)(-?)([\d.,]+)(?:e([+-]\d+))?(?=\s*<)')


def printed(number):
    """A number as books print it: −0.12 and 10 to the power of −5, not -0.12 and 1e-05."""
    head, sign, digits, exponent = number.groups()
    text = f"{sign and '−'}{digits}"
    if exponent:
        power = f"10<sup>{int(exponent)}</sup>".replace("-", "−")
        text = f"{sign and '−'}{power}" if digits == "1" else f"{text} × {power}"
    return head + text


class JoinPrinted(SphinxTransform):
    """What a cell prints stands in one box, though the kernel may send one line in two pieces."""

    default_priority = 210

    def apply(self):
        for box in list(self.document.findall(_is_printed)):
            before = box.previous_sibling()
            if _is_printed(before) and before["classes"] == box["classes"]:
                before.rawsource = before.astext() + box.astext()  # Sphinx colours what equals its source
                before[:] = [nodes.Text(before.rawsource)]
                box.parent.remove(box)


def _is_printed(node):
    return isinstance(node, nodes.literal_block) and not {"stream", "stderr"}.isdisjoint(node["classes"])


class NameFoldedCode(SphinxPostTransform):
    """Folded code says what it makes: "Code of Figure 1.2", or "Code" where no figure has a number."""

    default_priority = 198  # before MyST-NB folds

    def run(self):
        numbers = self.env.toc_fignumbers.get(self.env.docname, {}).get("figure", {})
        for cell in self.document.findall(nodes.container):
            if "hide_mode" in cell:
                figures = [
                    ".".join(map(str, numbers[name]))
                    for figure in cell.findall(nodes.figure)
                    for name in figure["ids"]
                    if name in numbers
                ]
                label = "Figures" if len(figures) > 1 else "Figure"
                of = f" of {label} {' and '.join(figures)}" if figures else ""
                cell["prompt_show"] = cell["prompt_hide"] = f"Code{of}"


class Quiz(SphinxDirective):
    """A question with choices that mark themselves.

    The content is the question, then a list of choices. The right one starts with ``[x]``,
    the others with ``[ ]``; what follows a choice's first paragraph explains it. The page
    needs no script: a style sheet shows the explanation of the choice that is selected.
    """

    has_content = True

    def run(self):
        parsed = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        *question, choices = parsed.children
        if not isinstance(choices, nodes.bullet_list) or not question:
            raise self.error("a quiz is a question and then a list of choices")
        group = f"quiz-{self.env.new_serialno('quiz')}"

        result = nodes.container(classes=["quiz"])
        result += _raw("<fieldset><legend>")
        for paragraph in question:
            result += paragraph
        result += _raw("</legend>")
        for number, item in enumerate(choices.children):
            choice, *explanation = item.children
            mark = choice.astext()[:3]
            if mark not in ("[x]", "[ ]") or not explanation:
                raise self.error("a choice starts with [x] or [ ] and has an explanation below it")
            _drop_mark(choice)
            right = mark == "[x]"
            verdict = "✓ Right." if right else "✗ Not quite."
            result += _raw(
                f'<div class="quiz-choice"><input type="radio" name="{group}" id="{group}-{number}">'
                f'<label for="{group}-{number}">'
            )
            result.extend(choice.children)
            kind = "right" if right else "wrong"
            result += _raw(
                f'</label><div class="quiz-answer {kind}" role="status"><strong>{verdict}</strong> '
            )
            result.extend(explanation)
            result += _raw("</div></div>")
        result += _raw("</fieldset>")
        return [result]


def _drop_mark(paragraph):
    """Remove "[x] " from a paragraph's first text."""
    text = next(iter(paragraph.findall(nodes.Text)))
    text.parent.replace(text, nodes.Text(text.astext()[3:].lstrip()))


def _raw(html):
    return nodes.raw("", html, format="html")


def setup(app):
    for part in ("formulas", "lightness", "sections"):
        app.setup_extension(part)
    app.add_transform(JoinPrinted)
    app.add_post_transform(NameFoldedCode)
    app.add_directive("quiz", Quiz)
    app.connect("config-inited", cache_by_library_version, priority=100)
    app.connect("env-before-read-docs", run_pages)
    app.connect("html-page-context", mend_page, priority=900)
    return {"parallel_read_safe": True, "version": "1"}
