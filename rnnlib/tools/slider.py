"""Interactive figures that need no kernel: frames and a native slider, in one HTML output."""

import base64
import html
import io


def png(figure, colours=64, dpi=110):
    """Draw a matplotlib Figure as a small PNG with a palette of at most ``colours``."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    small = io.BytesIO()
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(colours).save(small, format="png", optimize=True)
    return small.getvalue()


class Slider:
    """Figures behind a slider; Jupyter and the book display it.

    All frames are part of the page: nothing is loaded, and without JavaScript the first
    frame to be shown stays.

    Args:
        name: what the slider changes, such as "recurrent weight w".
        labels: the slider's values, one for each frame, such as "0.5".
        figures: matplotlib Figures of equal size, one for each frame.
        alts: what each frame shows, in words, for those who do not see it.
        start: index of the frame that is shown first.
    """

    def __init__(self, name, labels, figures, alts, start=0):
        if not len(labels) == len(figures) == len(alts) > 0:
            counts = f"{len(labels)}, {len(figures)}, {len(alts)}"
            raise ValueError(f"a slider needs as many labels as figures and alts, got {counts}")
        if not 0 <= start < len(labels):
            raise ValueError(f"start must be the index of one of {len(labels)} frames, got {start}")
        self.name, self.labels, self.alts, self.start = name, list(map(str, labels)), list(alts), start
        self.frames = [png(figure) for figure in figures]

    def __repr__(self):
        return f"Slider of {len(self.frames)} figures over {self.name}"

    def _repr_html_(self):
        images = "".join(
            f'<img src="data:image/png;base64,{base64.b64encode(frame).decode()}" alt="{html.escape(alt)}" '
            f'data-label="{html.escape(label)}"{"" if i == self.start else " hidden"}>'
            for i, (frame, label, alt) in enumerate(zip(self.frames, self.labels, self.alts, strict=True))
        )
        name, label = html.escape(self.name), html.escape(self.labels[self.start])
        show = (
            "const images = this.closest('figure').querySelectorAll('img');"
            "images.forEach((image, i) => { image.hidden = i != this.value; });"
            "const label = images[this.value].dataset.label;"
            "this.setAttribute('aria-valuetext', label);"
            "this.closest('figure').querySelector('output').value = label;"
        )
        return (
            f'<figure class="explore"><label>{name}: <output>{label}</output><br>'
            f'<input type="range" min="0" max="{len(self.frames) - 1}" value="{self.start}" '
            f'aria-valuetext="{label}" autocomplete="off" oninput="{show}"><br>'
            f"<small>from {html.escape(self.labels[0])} to {html.escape(self.labels[-1])}</small></label>"
            f"{images}</figure>"
        )
