"""Light pages: of the theme's style rules and icons, those that some page uses."""

import re
from pathlib import Path
from urllib.parse import quote

#: The style sheets of more than 10 kB that others wrote.
SHEETS = ["styles/*.css", "pygments.css", "sphinx-design.min.css", "mystnb.*.css"]

#: Names, operators, punctuation and spaces of highlighted code: they keep the colour of their block.
PLAIN = re.compile(r'<span class="[nopw]">([^<]*)</span>')

ICONS = """\
/* Shapes: Font Awesome Free, CC BY 4.0, https://fontawesome.com */
:is(.fas, .fa-solid)::before {
  background: currentColor;
  content: "";
  display: inline-block;
  height: 1em;
  -webkit-mask: center / contain no-repeat;
  mask: center / contain no-repeat;
  vertical-align: -0.125em;
  width: 1em;
}
"""


def rules(css):
    """Split a style sheet into (head, body); a statement, such as @charset, has no body."""
    position = 0
    while match := re.compile(r"[{};]").search(css, position):
        head = css[position : match.start()].strip()
        if match[0] != "{":
            yield head, None
            position = match.end()
            continue
        depth = 1
        for brace in re.compile(r"[{}]").finditer(css, match.end()):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                break
        yield head, css[match.end() : brace.start()]
        position = brace.end()


def prune(css, used):
    """Leave out each selector with a class or an id that no page and no script names."""
    result = []
    for head, body in rules(css):
        if body is None:
            result.append(f"{head};")
        elif head.startswith(("@media", "@supports")):
            if inner := prune(body, used):
                result.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            result.append(f"{head}{{{body}}}")
        elif selectors := [part for part in _selectors(head) if _may_match(part, used)]:
            result.append(f"{','.join(selectors)}{{{body}}}")
    return "".join(result)


def _selectors(head):
    """The parts of a list; a comma within brackets, as in :is(h1, h2), separates none."""
    parts, depth = [""], 0
    for letter in head:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _may_match(selector, used):
    needed = re.sub(r":(?:is|where|not|has)\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]", "", selector)
    names = re.findall(r"[.#](-?[A-Za-z_](?:[\w-]|\\.)*)", needed)
    return all(name in used for name in names)


def icon(name, packs):
    """The rule that draws an icon in the text's colour; "" where Font Awesome's solid style has none."""
    shapes = re.findall(rf'[,{{]"?{name}"?:\[(\d+),(\d+),\[[^\]]*\],"[^"]*","([^"]+)"\]', packs)
    if not shapes:
        return ""
    width, height, path = shapes[-1]  # the last pack in the file is the solid one
    picture = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'><path d='{path}'/></svg>"
    )
    url = f'url("data:image/svg+xml,{quote(picture, safe=" /:=,.")}")'
    return f".fa-{name}::before{{-webkit-mask-image:{url};mask-image:{url}}}\n"


def lighten(app, exception):
    """When all pages are there: prune the style sheets, and write icons.css."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    shapes = [*static.rglob("fontawesome.js"), *static.rglob("fontawesome/*/js/all.min.js")][0]
    pages = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(app.outdir).rglob("*.html")
        if static not in path.parents  # the theme's templates lie there
    )
    used = set(re.findall(r"[\w-]+", pages))
    for path in static.rglob("*.js"):
        if f"/{path.name}" in pages:
            used.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    for path in [path for name in SHEETS for path in static.glob(name)]:
        css = path.read_text(encoding="utf-8")
        notices = "\n".join(re.findall(r"/\*!.*?\*/", css, re.DOTALL))
        css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
        path.write_text(notices + prune(css, used), encoding="utf-8")
    packs = shapes.read_text(encoding="utf-8")
    names = sorted(word[3:] for word in used if re.fullmatch(r"fa-[a-z-]+", word))
    icons = ICONS + "".join(icon(name, packs) for name in names)
    (static / "icons.css").write_text(icons, encoding="utf-8")


def plain_code(app, pagename, templatename, context, doctree):
    """Take the elements out of a page's code that change nothing."""
    context["body"] = PLAIN.sub(r"\1", context.get("body", ""))


def setup(app):
    app.add_css_file("icons.css")
    app.connect("html-page-context", plain_code)
    app.connect("build-finished", lighten, priority=900)  # after the theme has written its colours of code
    return {"parallel_read_safe": True, "version": "1"}
