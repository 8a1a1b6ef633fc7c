"""Trained models in folders as the transformers library writes them."""

import math
import warnings
from pathlib import Path

import numpy as np

from rnnlib.interop.mixer import mixer_params, mixer_shapes
from rnnlib.interop.tensor_files import read_json, read_tensors
from rnnlib.interop.tensors import checked, filled
from rnnlib.models.mamba_lm import MambaLM

#: What transformers takes where config.json does not say.
DEFAULTS = {
    "expand": 2,
    "conv_kernel": 4,
    "time_step_rank": "auto",
    "layer_norm_epsilon": 1e-5,
    "use_conv_bias": True,
    "tie_word_embeddings": True,
    "use_bias": False,
    "hidden_act": "silu",
}
SIZES = "vocab_size", "hidden_size", "num_hidden_layers", "state_size", "conv_kernel", "expand"


def from_pretrained(folder, dtype=None):
    """Read a MambaLM from a folder of the transformers library: config.json and model.safetensors.

    The tensors may be in several files with an index, and their names may begin with those of a
    wrapper, such as "module.". A head that differs from the embedding is used, as in transformers 5,
    also where config.json says that they are tied: a warning says so.

    Args:
        folder: where the files are.
        dtype: floating-point type of the parameters; None keeps the file's, and makes
            float32 of float16 and bfloat16.

    Returns:
        A MambaLM with the logits of transformers' MambaForCausalLM.

    Raises:
        FileNotFoundError: the folder, or one of the files, is not there.
        ValueError: a file is damaged, or describes another model; the message names the
            file, and the value or tensor.
    """
    options, tensors = _read_folder(folder)
    dtype = tensors["backbone.norm_f.weight"].dtype if dtype is None else dtype
    model = MambaLM(**options, rng=0, dtype=dtype)
    model.params["embedding.W"][...] = tensors["backbone.embeddings.weight"]
    model.params["norm.w"][...] = tensors["backbone.norm_f.weight"]
    if not model.tie:
        model.params["head.W"][...] = tensors["lm_head.weight"].T
    for i, block in enumerate(model.layers):
        prefix = f"backbone.layers.{i}."
        own = {name.removeprefix(prefix): a for name, a in tensors.items() if name.startswith(prefix)}
        block.norm.params["w"][...] = own.pop("norm.weight")
        filled(block.mixer, mixer_params({name.removeprefix("mixer."): a for name, a in own.items()}))
    return model


def _read_folder(folder):
    """The arguments of MambaLM, and name -> array, float32 or float64; no tensor of a tied head."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    config = _read_config(folder / "config.json")
    tensors, path = read_tensors(folder)
    tensors = _unwrapped(tensors)
    original = "backbone.embedding.weight"  # the authors' name, before transformers' one
    embedding = original if original in tensors else "backbone.embeddings.weight"
    tie = config["tie_word_embeddings"] = _ties(config, tensors, embedding, path)
    tensors = checked(tensors, _shapes(config, embedding), where=f"{path}: ")
    tensors["backbone.embeddings.weight"] = tensors.pop(embedding)
    return {
        "vocab_size": config["vocab_size"],
        "d_model": config["hidden_size"],
        "num_layers": config["num_hidden_layers"],
        "tie": tie,
        "eps": config["layer_norm_epsilon"],
        "d_state": config["state_size"],
        "d_conv": config["conv_kernel"],
        "expand": config["expand"],
        "dt_rank": config["time_step_rank"],
    }, tensors


def _read_config(path):
    """config.json with the defaults filled in, once all that rnnlib needs is sound."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    config = DEFAULTS | read_json(path)
    _check(path, config, "model_type", lambda value: value == "mamba", "'mamba'")
    for key in SIZES:
        _check(path, config, key, _is_size, "a whole number above 0")
    if config["time_step_rank"] == "auto":
        config["time_step_rank"] = math.ceil(config["hidden_size"] / 16)
    _check(path, config, "time_step_rank", _is_size, "a whole number above 0, or 'auto'")
    _check(path, config, "layer_norm_epsilon", _is_positive, "a number above 0")
    for key in ("use_conv_bias", "tie_word_embeddings"):
        _check(path, config, key, lambda value: isinstance(value, bool), "true or false")
    _check(path, config, "use_bias", lambda value: value is False, "false")
    _check(path, config, "hidden_act", lambda value: value == "silu", "'silu'")
    return config


def _check(path, config, key, fits, expected):
    if key not in config:
        raise ValueError(f"{path} lacks {key}, expected {expected}")
    if not fits(config[key]):
        raise ValueError(f"{path}: {key} is {config[key]!r}, expected {expected}")


def _is_size(value):
    return type(value) is int and value > 0


def _is_positive(value):
    return type(value) in (int, float) and 0 < value < math.inf


def _unwrapped(tensors):
    """The same by the names of MambaForCausalLM, if they are those of what it was wrapped in, such as
    "module.", or of the bare MambaModel, which has no "backbone.".
    """
    last, head = "norm_f.weight", "lm_head.weight"
    bodies = [name.removesuffix(last) for name in tensors if name.endswith(last)]
    if len(bodies) != 1 or bodies == ["backbone."]:
        return tensors
    (body,) = bodies
    wrapper = body.removesuffix("backbone.")
    renamed = {
        f"backbone.{name.removeprefix(body)}"
        if name.startswith(body) and name != wrapper + head
        else name.removeprefix(wrapper): tensor
        for name, tensor in tensors.items()
    }
    return renamed if len(renamed) == len(tensors) else tensors


def _ties(config, tensors, embedding, path):
    """Whether the head is the embedding. A head of its own counts for more than config.json."""
    head = tensors.get("lm_head.weight")
    if not config["tie_word_embeddings"] or head is None:
        return config["tie_word_embeddings"]
    if np.array_equal(head, tensors.get(embedding)):
        del tensors["lm_head.weight"]
        return True
    warnings.warn(
        f"{path}: lm_head.weight differs from the embedding, so it is used, "
        "though config.json says that they are tied (tie_word_embeddings)",
        stacklevel=4,
    )
    return False


def _shapes(config, embedding):
    """Yield (name, shape) for each tensor that the model must have.

    Written as a generator, so that a wild number of layers ends at the first one missing.
    """
    D, N, K, R = (config[key] for key in ("hidden_size", "state_size", "conv_kernel", "time_step_rank"))
    yield embedding, (config["vocab_size"], D)
    mixer = mixer_shapes(D, config["expand"] * D, N, K, R, config["use_conv_bias"])
    for i in range(config["num_hidden_layers"]):
        yield f"backbone.layers.{i}.norm.weight", (D,)
        for name, shape in mixer.items():
            yield f"backbone.layers.{i}.mixer.{name}", shape
    yield "backbone.norm_f.weight", (D,)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (config["vocab_size"], D)
