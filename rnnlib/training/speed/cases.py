"""What is timed: the models, their sizes, and one input for both sides."""

import numpy as np

from rnnlib.models.registry import MODELS, numpy_models

RECURRENT = [
    {"T": 30, "B": 32, "D": 1, "H": 128},
    {"T": 30, "B": 32, "D": 16, "H": 128},
    {"T": 128, "B": 32, "D": 64, "H": 128},
    {"T": 512, "B": 16, "D": 64, "H": 256},
]
STATE_SPACE = [
    {"T": 30, "B": 32, "D": 128, "N": 16},
    {"T": 256, "B": 8, "D": 128, "N": 16},
    {"T": 1024, "B": 2, "D": 128, "N": 64},
]
#: The model as it is typed -> its class's name, and its sizes.
NAMES = {model: MODELS[model].layer.__name__ for model in numpy_models()}
SIZES = {model: STATE_SPACE if "d_state" in MODELS[model].options else RECURRENT for model in NAMES}
#: The models whose loop in PyTorch is there a second time, tuned by hand.
TUNED = ["mamba"]


def size_text(size):
    return " ".join(f"{letter}{length}" for letter, length in size.items())


def problem(model, T, B, D, H=None, N=None):
    """x (B, T, D), dy in the shape of y, and a layer of rnnlib: random, the same each time."""
    rng = np.random.default_rng(0)
    layer_class = MODELS[model].layer
    layer = layer_class(D, d_state=N, rng=rng) if N else layer_class(D, H, rng=rng)
    x, dy = (rng.standard_normal((B, T, width), dtype=np.float32) for width in (D, H or D))
    return x, dy, layer
