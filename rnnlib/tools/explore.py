"""Figures that answer to the hand, and plots in the theme's colours, for the book and for JupyterLab.

Everything is inline SVG, with text as text and with the theme's colours. What moves is done by
``book/_static/explore.js`` (its head shows how a chapter's own script adds a figure): no kernel,
no network, and without JavaScript a still picture. A figure gets its number and its caption as
any other output of a cell does, from ``mystnb: figure: {name: ..., caption: ...}`` in the cell's
head, or from ``{glue:figure}``.

In the book a page loads the kit once. In JupyterLab each output carries it, between two
comments, and the book's extension takes it out again.
"""

import hashlib
import html
import io
import json
import re
import sys
from pathlib import Path

# A page's glue imports nbformat, that jsonschema, and that a parser of IRIs, for three seconds and no use.
sys.modules.setdefault("rfc3987_syntax", None)

#: The kit, and the chapters' scripts.
STATIC = Path(__file__).parents[2] / "book" / "_static"

#: What stands between these two is for JupyterLab alone.
LIVE, END = "<!--explore-->", "<!--/explore-->"

#: Settings for ``plt.rcParams.update``: what Plot needs so that its labels can be read on a phone.
STYLE = {
    "figure.figsize": (5.6, 3.2),
    "figure.constrained_layout.use": True,
    "font.size": 13,
    "axes.titlesize": "medium",
    "legend.fontsize": "medium",
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2,
}

#: The width of a figure, in px, on a phone that is 390 px wide; and the smallest label there.
PHONE, SMALLEST = 342, 11

#: The colours of rnnlib.forecasting.figures and of black and white, as the theme's variables.
VARIABLES = {
    "#0072b2": "x",
    "#d55e00": "state",
    "#cc79a7": "gate",
    "#009e73": "new",
    "#6b6b6b": "quiet",
    "#000000": "ink",
    "#ffffff": "ground",
}


class Explorable:
    """A figure of a chapter's script; Jupyter and the book display it.

    ``explore.add(name, (figure, data, kit) => ...)`` in the script brings it to life.

    Args:
        name: the name under which the script adds the figure.
        data: what the script gets: dicts, lists, numbers, text, and NumPy arrays (as lists).
        alt: what the figure shows, in words, for those who do not see it.
        still: the picture without JavaScript, an SVG text or a matplotlib Figure.
        script: the chapter's script in ``book/_static``, such as "rnn.js".
        formulas: labels of display formulas of the page that ``kit.highlight`` lights, too.

    Raises:
        ValueError: the data hold NaN or infinity, for which JSON has no word.
        TypeError: the data hold what is no JSON.

    >>> import numpy as np
    >>> Explorable("tanh", {"w": np.array([0.5, 2.0])}, "The curve of tanh(w a).", script=None)
    Explorable tanh
    """

    def __init__(self, name, data, alt, still=None, script=None, formulas=()):
        if script is not None and STATIC.is_dir() and not (STATIC / script).is_file():
            raise FileNotFoundError(f"no script {script!r} in {STATIC}")
        self.name, self.alt, self.script, self.formulas = name, alt, script, list(formulas)
        self.data = _json(data)
        self.still = "" if still is None else _picture(still, alt)

    def __repr__(self):
        return f"Explorable {self.name}"

    def _repr_html_(self):
        still = f'<div class="explore-still">{self.still}</div>' if self.still else ""
        attributes = {"data-alt": self.alt, "data-script": self.script}
        return _figure(
            self.name,
            f'{still}<script type="application/json">{self.data}</script>',
            attributes | {"data-formulas": " ".join(self.formulas)},
            self.script,
        )


class Stepper:
    """One picture, stepped through with buttons, a slider and the arrow keys.

    Each step lights some parts: of the picture, of the equation and of the code together.
    Without JavaScript the picture and all sentences stay.

    Args:
        picture: an SVG text; elements with ``data-part="a b"`` can be lit, as part a and as part b, and
            those with ``data-from="2"`` are hidden before step 2 (the first is step 0).
        steps: a list of (sentence, parts); parts is a text of names, such as "x product", or "" for all.
            A sentence may hold $formulas$ and \\`code\\`.
        alt: what the picture shows, in words.
        code: a list of lines of Python, each a text or (part, text).
        equation: a list of pieces of TeX, each a text or (part, text). "\\\\" begins a new line.
        formulas: labels of display formulas of the page whose ``\\class{part-x}{...}`` are lit, too.

    Raises:
        ValueError: no steps, or a step lights a part that is nowhere.
    """

    def __init__(self, picture, steps, *, alt, code=None, equation=None, formulas=()):
        self.picture, self.alt = _picture(picture, alt), alt
        self.steps, self.formulas = [(sentence, parts) for sentence, parts in steps], list(formulas)
        self.code, self.equation = _parts(code), _parts(equation)
        if not self.steps:
            raise ValueError("a stepper needs at least one step")
        known = re.findall(r'data-part="([^"]*)"', self.picture)
        known += [part for part, _ in self.code + self.equation]
        missing = {part for _, parts in self.steps for part in parts.split()} - set(" ".join(known).split())
        if missing and not self.formulas:  # the page's formulas may hold them
            raise ValueError(f"no part {min(missing)!r} in the picture, the code or the equation")

    def __repr__(self):
        return f"Stepper of {len(self.steps)} steps"

    def _repr_html_(self):
        inner = f'<div class="explore-stage">{self.picture}</div>'
        if self.equation or self.code:
            inner += f'<div class="explore-beside">{self._equation_html()}{self._code_html()}</div>'
        steps = [
            f'<li data-parts="{html.escape(parts)}">{_sentence(sentence)}</li>'
            for sentence, parts in self.steps
        ]
        inner += f'<ol class="explore-steps">{"".join(steps)}</ol>'
        return _figure("stepper", inner, {"data-formulas": " ".join(self.formulas)})

    def _equation_html(self):
        if not self.equation:
            return ""
        tex = ""
        for parts, piece in self.equation:
            classes = " ".join(f"part-{part}" for part in parts.split())
            tex += rf"\class{{{classes}}}{{{piece}}}" if classes else piece
        tex = html.escape(rf"\[\begin{{aligned}}{tex}\end{{aligned}}\]")
        return f'<div class="explore-equation math notranslate nohighlight">{tex}</div>'

    def _code_html(self):
        if not self.code:
            return ""
        lines = [f'<code data-part="{html.escape(part)}">{_python(line)}</code>' for part, line in self.code]
        return f'<pre class="explore-code highlight">{"".join(lines)}</pre>'


class Slider:
    """Figures behind a slider; Jupyter and the book display it.

    All frames are part of the page: nothing is loaded, and without JavaScript the first
    frame to be shown stays.

    Args:
        name: what the slider changes, such as "recurrent weight $w$".
        labels: the slider's values, one for each frame, such as "0.5".
        figures: matplotlib Figures of equal size, one for each frame.
        alts: what each frame shows, in words, for those who do not see it.
        start: index of the frame that is shown first.

    Raises:
        ValueError: numbers that do not fit together, or a label too small for a phone (see Plot).
    """

    def __init__(self, name, labels, figures, alts, start=0):
        if not len(labels) == len(figures) == len(alts) > 0:
            counts = f"{len(labels)}, {len(figures)}, {len(alts)}"
            raise ValueError(f"a slider needs as many labels as figures and alts, got {counts}")
        if not 0 <= start < len(labels):
            raise ValueError(f"start must be the index of one of {len(labels)} frames, got {start}")
        self.name, self.labels, self.start = name, list(map(str, labels)), start
        self.frames = [_plot(figure, alt) for figure, alt in zip(figures, alts, strict=True)]

    def __repr__(self):
        return f"Slider of {len(self.frames)} figures over {self.name}"

    def _repr_html_(self):
        frames = "".join(
            f'<div class="explore-frame plot" data-label="{html.escape(label)}"'
            f"{'' if i == self.start else ' hidden'}>{frame}</div>"
            for i, (label, frame) in enumerate(zip(self.labels, self.frames, strict=True))
        )
        inner = f'<div class="explore-stage">{frames}</div>'
        return _figure("slider", inner, {"data-label": self.name, "data-start": self.start})


class Plot:
    """A matplotlib Figure as inline SVG in the page's font and the theme's colours.

    Args:
        figure: the Figure. Make it with ``STYLE``: 5.6 inches wide, letters of 13 points.
        alt: what the plot shows, in words.

    Raises:
        ValueError: a label would be smaller than 11 px on a phone.
    """

    def __init__(self, figure, alt):
        self.svg, self.alt = _plot(figure, alt), alt

    def __repr__(self):
        return f"Plot: {self.alt}"

    def _repr_html_(self):
        return f'<div class="picture plot">{self.svg}</div>{LIVE}{_style()}{END}'


def inline_svg(svg, alt, prefix):
    """An SVG file's text as it stands inside a page: no head, as wide as it may be, ids of its own.

    Args:
        svg: the text; its root needs a viewBox.
        alt: what the picture shows, in words.
        prefix: goes before each id, which must differ from those of all other pictures of a page.

    Raises:
        ValueError: the text holds no <svg> with a viewBox.
    """
    svg = re.sub(r"<!--.*?-->", "", svg[max(svg.find("<svg"), 0) :], flags=re.DOTALL).strip()
    root = re.match(r'<svg[^>]*?\bviewBox="[-\d.]+ [-\d.]+ ([\d.]+) [\d.]+"[^>]*>', svg)
    if root is None:
        raise ValueError("the picture has no <svg> with a viewBox")
    attributes = re.sub(
        r'\s(?:width|height|role|aria-label|style|id|aria-labelledby|xmlns(?::xlink)?|version)="[^"]*"',
        "",
        root[0][4:-1],
    )
    width = f'width="100%" style="max-width: {float(root[1]):.0f}px"'
    head = f'<svg{attributes} {width} role="img" aria-label="{html.escape(alt)}">'
    rest = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{prefix}-", svg[root.end() :])
    return head + rest.replace("xlink:href", "href")


def _picture(picture, alt):
    """An SVG text or a Figure as inline SVG."""
    if isinstance(picture, str):
        return inline_svg(picture, alt, _short_hash(picture))
    return f'<div class="plot">{_plot(picture, alt)}</div>'


def _plot(figure, alt):
    """A matplotlib Figure as inline SVG."""
    import matplotlib

    buffer = io.StringIO()
    nothing = dict.fromkeys(["Creator", "Date", "Format", "Type"])
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rnnlib"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = re.sub(r"<style.*?</style>", "", buffer.getvalue(), flags=re.DOTALL)
    inches = figure.get_figwidth()
    _refuse_small_letters(svg, 72 * inches)

    svg = re.sub(r"<text>(.*?)</text>", _runs, svg, flags=re.DOTALL)
    svg = re.sub(r'font-family: [^;"]*;? ?', "", svg)
    svg = re.sub(r"\b(fill|stroke): (#[0-9a-f]{6})", lambda m: f"{m[1]}: {_themed(m[2])}", svg)
    names = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([\w.-]+)', svg))
    names = {name: f"{number:x}" for number, name in enumerate(names)}
    svg = re.sub(r'\sid="([^"]*)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", svg)
    svg = re.sub(r'(url\(#|href="#)([\w.-]+)', lambda m: m[1] + names[m[2]], svg)
    svg = re.sub(r'(?<=\s)(?:d|x|y|width|height|transform)="[^"]*"', _shorter, svg)
    svg = _lighter(re.sub(r">\s+<", "><", svg))
    svg = inline_svg(svg, alt, _short_hash(svg))
    return svg.replace(f"max-width: {72 * inches:.0f}px", f"max-width: {96 * inches:.0f}px", 1)


def _refuse_small_letters(svg, points):
    """Raise ValueError if a label of a plot that is so many points wide is too small on a phone."""
    for text in re.findall(r"<text\b.*?</text>", svg, re.DOTALL):
        # An index is smaller than its letter, and may be.
        size = max(map(float, re.findall(r"font-size: ([\d.]+)px", text)))
        if size * PHONE / points < SMALLEST:
            words = re.sub(r"<text>(.*?)</text>", _runs, text, flags=re.DOTALL)
            label = html.unescape(re.sub(r"<[^>]+>", "", words)).replace("\xa0", " ")
            raise ValueError(
                f"the label {label!r} has {size:g} points and would be "
                f"{size * PHONE / points:.1f} px on a phone: in a figure {points / 72:g} inches wide "
                f"letters need {SMALLEST * points / PHONE:.1f} points"
            )


def _runs(text):
    """Join the letters of a formula: matplotlib places each, by the widths of a font we do not use."""
    letters = re.findall(r'<tspan x="([-\d.]+)" y="([-\d.]+)" style="([^"]*)">([^<]*)</tspan>', text[1])
    runs = []
    for x, y, style, letter in sorted(letters, key=lambda found: float(found[0])):
        if runs and runs[-1][1:3] == [y, style]:
            runs[-1][3] += letter
        else:
            runs.append([x, y, style, letter])
    spans = []
    for x, y, style, letters in runs:
        slanted = re.sub(r"font-style: (?:oblique|italic);? ?", "", style)
        kind = ' class="explore-math"' if slanted != style else ""
        if kind:  # these letters are smaller than the page's
            slanted = re.sub(r"(?<=font-size: )[\d.]+", lambda size: f"{1.1 * float(size[0]):.1f}", slanted)
        spans.append(f'<tspan{kind} x="{x}" y="{y}" style="{slanted}">{letters}</tspan>')
    return f"<text>{''.join(spans)}</text>"


def _themed(colour):
    """A colour as the theme's variable, or itself without the theme; greys lie between ink and ground."""
    if colour in VARIABLES:
        return f"var(--explore-{VARIABLES[colour]}, {colour})"
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    if red == green == blue:
        part = f"{100 * (1 - red / 255):.0f}%"
        return f"color-mix(in srgb, {_themed('#000000')} {part}, {_themed('#ffffff')})"
    return colour


def _shorter(attribute):
    """One digit after the point is all that a screen shows, and an L goes without saying."""
    if "matrix" in attribute[0] or "scale" in attribute[0]:
        return attribute[0]
    short = re.sub(r"-?\d+\.\d+", lambda m: f"{round(float(m[0]), 1) + 0:g}", attribute[0])
    short = re.sub(r"M [^CMQz]*", lambda m: m[0].replace(" L ", " "), " ".join(short.split()))
    return re.sub(r"(?<=[CLMQ]) | (?=[CLMQz\"])", "", short)


def _lighter(svg):
    """A plot without what matplotlib writes and nobody sees: groups of nothing, styles said twice."""
    unseen = r'<path d="[^"]*" style="fill: none"/>|<g\b[^>]*/>|<defs></defs>| transform="rotate\(-?0 [^"]*"'
    svg = re.sub(f"{unseen}| stroke-dashoffset: 0;", "", svg)
    marks = dict(re.findall(r'<path id="([^"]*)"[^>]* style="([^"]*)"', svg))
    svg = re.sub(
        r'(<use [^>]*href="#([^"]*)"[^>]*) style="([^"]*)"',
        lambda use: use[1] if marks.get(use[2]) == use[3] else use[0],
        svg,
    )
    groups = []

    def group(tag):
        if tag[0] != "</g>":
            groups.append("" if tag[0] == "<g>" else tag[0])
            return groups[-1]
        return tag[0] if groups.pop() else ""

    svg = re.sub(r"</?g\b[^>]*>", group, svg)
    return re.sub(r'style="[^"]*"', lambda style: re.sub(r"(?<=[:;]) |; ?(?=\")", "", style[0]), svg)


def _parts(pieces):
    """Pieces, each a text or (part, text), as a list of (part, text)."""
    return [("", piece) if isinstance(piece, str) else tuple(piece) for piece in pieces or []]


def _sentence(text):
    """Plain text with $formulas$ and `code` as HTML."""
    text = html.escape(text, quote=False)
    text = re.sub(r"\$([^$]+)\$", r'<span class="math notranslate nohighlight">\\(\1\\)</span>', text)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def _python(line):
    """A line of Python with the classes of Pygments."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(line, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).rstrip("\n") or " "


def _json(data):
    """Data as JSON that can stand in a <script>."""

    def plain(value):
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(
            f"an explorable's data are numbers, text, lists, dicts and arrays, not {type(value).__name__}"
        )

    try:
        text = json.dumps(data, default=plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError as error:
        raise ValueError(f"an explorable's data must be finite numbers: {error}") from None
    return text.replace("<", "\\u003c")


def _figure(name, inner, attributes, script=None):
    """The figure, and what brings it to life in JupyterLab."""
    written = "".join(
        f' {key}="{html.escape(str(value))}"' for key, value in attributes.items() if value not in (None, "")
    )
    figure = (
        f'<figure class="explore" data-explore="{html.escape(name)}"{written}>{inner}'
        '<p class="explore-still"><em>With JavaScript this figure moves.</em></p></figure>'
    )
    # A notebook runs a script once for each figure: in a block, its names do not clash.
    scripts = [_file("explore.js")] + ([f"{{\n{_file(script)}\n}}"] if script else [])
    live = "".join("<script>{}</script>".format(text.replace("</script", "<\\/script")) for text in scripts)
    return f"{figure}{LIVE}{_style()}{live}{END}"


def _style():
    return f"<style>{_file('explore.css')}</style>"


def _file(name):
    """A file of the book, "" where rnnlib is installed without it: then the still picture stays."""
    path = STATIC / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _short_hash(text):
    """The same letters for the same picture, so that a page built twice is the same page."""
    return "p" + hashlib.sha256(text.encode()).hexdigest()[:8]
