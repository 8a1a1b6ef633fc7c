"""Interactive figures: what the HTML holds."""

import base64
import io
import re

import pytest
from matplotlib.figure import Figure
from PIL import Image

from rnnlib.tools.slider import Slider


def figures(n):
    result = []
    for i in range(n):
        figure = Figure(figsize=(3, 2))
        figure.subplots().plot([0, i])
        result.append(figure)
    return result


def test_a_slider_holds_every_frame_and_loads_nothing():
    slider = Slider("weight <w>", ["0", "<1>", "2"], figures(3), ["flat", 'a "line"', "steep"], start=1)
    page = slider._repr_html_()
    frames = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)"[^>]*?( hidden)?>', page)
    assert [alt for _, alt, _ in frames] == ["flat", "a &quot;line&quot;", "steep"]
    assert [bool(hidden) for *_, hidden in frames] == [True, False, True]
    for data, *_ in frames:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.mode == "P"  # 8 bits a pixel
            assert len(base64.b64decode(data)) < 20_000
    assert len({data for data, *_ in frames}) == 3
    assert "weight &lt;w&gt;" in page
    assert "<1>" not in page
    assert 'type="range" min="0" max="2" value="1"' in page
    assert "http" not in page


def test_equal_figures_give_equal_pages():
    assert (
        Slider("w", ["0"], figures(1), ["x"])._repr_html_()
        == Slider("w", ["0"], figures(1), ["x"])._repr_html_()
    )


def test_misuse_is_told_in_a_line():
    with pytest.raises(ValueError, match="as many labels as figures and alts, got 2, 1, 1"):
        Slider("w", ["0", "1"], figures(1), ["x"])
    with pytest.raises(ValueError, match="got 0, 0, 0"):
        Slider("w", [], [], [])
    for start in (-1, 1):
        with pytest.raises(ValueError, match=f"index of one of 1 frames, got {start}"):
            Slider("w", ["0"], figures(1), ["x"], start=start)
