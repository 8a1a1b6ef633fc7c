"""Options that several commands share, and what the library calls them."""

import sys
from inspect import signature
from pathlib import Path
from typing import Annotated

import typer

from rnnlib.forecasting.problem import Problem
from rnnlib.models.mamba import Mamba
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.training.fit import fit
from rnnlib.training.optimizers import SGD, Adam


def defaults(function):
    """name -> default of the arguments of a function or class: no command types one again."""
    return {name: argument.default for name, argument in signature(function).parameters.items()}


FIT, PROBLEM, MODEL, MAMBA = map(defaults, (fit, Problem, SequenceModel, Mamba))

#: The options that the library has another name for, by that name.
OPTIONS = {
    "kind": "model",
    "length": "seq_len",
    "max_norm": "clip",
    "predict": "target",
    "d_state": "state_size",
    "d_conv": "kernel_size",
}

Data = Annotated[str, typer.Option(help="stock, weather (temp_max) or traffic (vehicles an hour).")]
Symbol = Annotated[
    str | None,
    typer.Option(
        help="Stock symbol; if left out AAPL, or the CSV file's name. Of a file with several it takes one."
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        help="Where prices come from: embedded (AAPL), yahoo, or the path of a CSV file, such as one of "
        "yfinance, Stooq, Nasdaq, Investing.com or your own with columns date and close."
    ),
]
Dates = Annotated[
    str | None,
    typer.Option(help="How a CSV file's dates such as 01/02/2024 are read: mdy (month first) or dmy."),
]
Start = Annotated[str | None, typer.Option(help="First day, such as 2005-01-01.")]
End = Annotated[str | None, typer.Option(help="Last day, included.")]
Features = Annotated[
    str | None,
    typer.Option(help="Columns to read, such as close,volume,high,low; the default depends on the data."),
]
Predict = Annotated[
    str | None,
    typer.Option(
        "--target",
        help="What to forecast, for stocks: return (the log return; default), price or volatility "
        "(the log of the day's variance).",
    ),
]
Relative = Annotated[
    bool | None,
    typer.Option(
        "--relative/--absolute",
        help="Read what is forecast relative to its mean over the window (default for volatility), "
        "or as it is.",
    ),
]
SeqLen = Annotated[int, typer.Option(min=1, help="Days (or hours) in a window.")]
Epochs = Annotated[int, typer.Option(min=1, help="At most this many passes over the training part.")]
HiddenSize = Annotated[int, typer.Option(min=1, help="Width H of the layers.")]
NumLayers = Annotated[int, typer.Option(min=1, max=100, help="Stacked layers.")]
StateSize = Annotated[
    int | None, typer.Option(min=1, help=f"Mamba's state size N; {MAMBA['d_state']} if left out.")
]
KernelSize = Annotated[
    int | None, typer.Option(min=1, help=f"Mamba's convolution kernel K; {MAMBA['d_conv']} if left out.")
]
OptimizerName = Annotated[str, typer.Option(help="adam, rmsprop or sgd.")]
Lr = Annotated[float, typer.Option(help="Learning rate, above 0.")]
Momentum = Annotated[float | None, typer.Option(help=f"For sgd; {defaults(SGD)['momentum']} if left out.")]
WeightDecay = Annotated[
    float | None,
    typer.Option(help=f"For adam, decoupled; {defaults(Adam)['weight_decay']:g} if left out."),
]
Clip = Annotated[float, typer.Option(help="Longer gradients are shortened to this length.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Windows in a batch.")]
Loss = Annotated[str, typer.Option(help="mse or mae.")]
Patience = Annotated[int, typer.Option(min=1, help="Epochs without progress before training stops.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes at a time; one a core if left out.")]
File = Annotated[Path, typer.Argument(help="A file that train wrote: rnn_MODEL_best.safetensors.")]
NewSource = Annotated[str | None, typer.Option(help="Where the same prices are now, if they have moved.")]
Out = Annotated[Path, typer.Option(help="Folder for the files that are written.")]


def problem_of(data, symbol, source, start, end, features, predict, seq_len, relative, dates):
    """The Problem that the options describe; ``predict`` is what follows --target."""
    choices = {None: None, "return": "return", "price": "value", "volatility": "volatility"}
    if predict not in choices:
        raise ValueError(f"unknown target {predict!r}: choose {one_of(list(choices)[1:])}")
    if predict is not None and data != "stock":
        raise ValueError(f"--target belongs to stocks, not to {data}")
    names = None if features is None else [name.strip() for name in features.split(",") if name.strip()]
    if relative and data == "stock" and predict in (None, "return"):
        raise ValueError("--relative is for a level that shifts: a return has none")
    problem = Problem(
        data,
        symbol,
        source,
        start,
        end,
        names,
        predict=choices[predict],
        length=seq_len,
        relative=relative,
        dates=dates,
    )
    if dates is not None and not problem.has_file:
        raise ValueError("--dates belongs to a CSV file: name it with --source")
    return problem


def model_options(model, hidden_size, num_layers, state_size, kernel_size, among=None):
    """Arguments of a SequenceModel; the state and kernel sizes are for those of the models that have them."""
    from rnnlib.models.registry import MODELS, model_named

    options = {"hidden_size": hidden_size, "num_layers": num_layers}
    for name, key, value in (("state", "d_state", state_size), ("kernel", "d_conv", kernel_size)):
        owners = [other for other, row in MODELS.items() if key in row.options]
        if value is not None and key in model_named(model).options:
            options[key] = value
        elif value is not None and not set(owners) & set(among or []):
            raise ValueError(f"--{name}-size belongs to {one_of(owners)}, not to {model}")
    return options


def optimizer_options(kind, lr, momentum, weight_decay):
    """Arguments of ``make_optimizer``."""
    options = {"kind": kind, "lr": lr}
    for name, value, owner in (("momentum", momentum, "sgd"), ("weight_decay", weight_decay, "adam")):
        if value is not None and kind != owner:
            raise ValueError(f"--{name.replace('_', '-')} belongs to {owner}, not to {kind}")
        if value is not None:
            options[name] = value
    return options


def fit_settings(epochs, batch_size, loss, clip, patience):
    if loss not in ("mse", "mae"):
        raise ValueError(f"unknown loss {loss!r}: choose mse or mae")
    if not clip > 0:
        raise ValueError(f"--clip must be above 0, got {clip}")
    return {"epochs": epochs, "batch_size": batch_size, "loss": loss, "max_norm": clip, "patience": patience}


def model_names(models):
    """The models' names in "rnn,lstm" or "all"; those that cannot run here are told."""
    from importlib.util import find_spec

    from rnnlib.models.registry import MODELS

    if models.strip() == "all":
        missing = {name: row for name, row in MODELS.items() if row.package and not find_spec(row.package)}
        for name, row in missing.items():
            print(f"{name} is left out: it needs {row.needs} (pip install {row.package}).", file=sys.stderr)
        return [name for name in MODELS if name not in missing]
    kinds = list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    for kind in kinds:
        if kind not in MODELS:
            raise ValueError(f"unknown model {kind!r}: choose from {', '.join(MODELS)}, or all")
        MODELS[kind].in_stack(1)  # one that cannot run here says so before another is trained
    if not kinds:
        raise ValueError("no model is named: give names with commas between, or all")
    return kinds


def one_of(names):
    """The names as a sentence has them: a, b or c."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
