"""One model on one problem, with its files: train, resume, and use it again later."""

import warnings
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rnnlib.data.calendar import following
from rnnlib.data.dataset import Scaling
from rnnlib.forecasting.forecasts import recursive
from rnnlib.forecasting.identity import (
    OtherData,
    OtherSetting,
    check_same,
    difference,
    fingerprint,
    remembered,
)
from rnnlib.forecasting.judging import error_bands
from rnnlib.forecasting.problem import Problem
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.tools.whole_file import ready
from rnnlib.training import checkpoint
from rnnlib.training.fit import fit
from rnnlib.training.history import Training
from rnnlib.training.optimizers import make_optimizer

__all__ = ["OtherData", "OtherSetting", "fingerprint", "future", "load", "train"]


def train(problem, kind, *, options, optimizer, settings, seed=0, out=".", resume=False):
    """Train a model, and keep its files up to date after each epoch.

    ``rnn_KIND_best.safetensors`` holds the best weights and all that ``load`` needs;
    ``rnn_KIND_last.safetensors`` all that it takes to resume.

    Args:
        problem: a Problem.
        kind, options: the SequenceModel's name and further arguments.
        optimizer: arguments of ``make_optimizer``: kind, lr and others.
        settings: those of ``fit``: epochs, batch_size, loss, max_norm, patience.
        seed: for the weights and the order of the batches.
        out: folder for the files.
        resume: go on from ``rnn_KIND_last.safetensors``, if there is one. The result is then bit
            for bit that of a training without a stop. The data must be the same, wherever they lie now;
            epochs may be others, and the patience longer.

    Returns:
        (model, data, history): the SequenceModel with the best weights, the Dataset, the History.

    Raises:
        OtherSetting: the file to resume from is of a training with another setting.
        ValueError: it is of a training with other data.
        TypeError: a setting cannot be kept in a file, such as a feature's name that is no text.
    """
    data, out = problem.dataset(), Path(out)
    best, last = (out / f"rnn_{kind}_{which}.safetensors" for which in ("best", "last"))
    model = SequenceModel(kind, len(data.features), output_size=1, rng=seed, **options)
    training = Training(make_optimizer(model.params, **optimizer), np.random.default_rng(seed))
    identity = {
        "kind": kind,
        "problem": asdict(problem),
        "options": options,
        "optimizer": {"optimizer": optimizer["kind"], **training.optimizer.settings},
        "settings": {name: value for name, value in settings.items() if name != "epochs"},
        "seed": seed,
        "fingerprint": fingerprint(data),
    }
    identity = checkpoint.kept(identity)  # what no file can hold is told before the training
    if resume and last.exists():
        model, training, saved = checkpoint.load_training(last)
        check_same(last, _completed(saved), identity)
    ready(out)
    first_test_step = data.frame.index[data.split.test.start + 1].isoformat()
    scaling = {name: np.asarray(value).tolist() for name, value in data.scaling._asdict().items()}
    description = {"problem": asdict(replace(problem, test=first_test_step)), "scaling": scaling}
    description |= {"data": remembered(data)}

    def keep(training):
        checkpoint.save_training(last, model, training, **identity)
        if training.history.best_epoch == len(training.history.train_loss):
            checkpoint.save(best, model, **description)

    with threadpool_limits(1):  # for products this small a second thread costs more than it gives
        history = fit(model, data.train, data.validation, training=training, after_epoch=keep, **settings)
    checkpoint.save(best, model, **description)  # a kill between the two files of keep leaves an old one
    return model, data, history


def _completed(saved):
    """A training's settings, with the usual ones that an older file lacks."""
    try:
        return saved | {"problem": checkpoint.kept(asdict(Problem(**saved["problem"])))}
    except (LookupError, TypeError, ValueError):  # no such training: what differs will be named
        return saved


def load(path, source=None, dates=None):
    """A model that ``train`` kept, and its data, with the test part and the scaling of then.

    Args:
        path: rnn_KIND_best.safetensors.
        source: where the same prices are now, if not where they were, see ``prices.load``.
        dates: how that file's dates are read, if not as those of then.

    Returns:
        (model, data): a SequenceModel and a Dataset. If the source has newer days, they are
        part of the test part.

    Warns:
        OtherData: the data are not those that the model was trained on.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or of another kind; or the model forecasts values, and the data
            are not those of the training: in another unit its forecasts mean nothing.
    """
    model, extra = checkpoint.load(path)
    try:
        moved = {"source": source, "dates": dates}
        moved = {name: value for name, value in moved.items() if value is not None}
        then = extra["problem"]
        if source is not None and then.get("symbol") == Path(then.get("source") or "").stem.upper():
            moved["symbol"] = None  # it was only the file's name
        problem = Problem(**then | moved)
        if dates is not None and not problem.has_file:
            raise ValueError("--dates belongs to a CSV file: name it with --source")
        scaling = Scaling(**{name: np.asarray(value) for name, value in extra["scaling"].items()})
        data = problem.dataset(scaling)
        words = difference(extra["data"], data) if "data" in extra else None  # older files lack it
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; if the file of prices has moved, name it with source (--source)"
        ) from error
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"{path} was not written by the command train, or is damaged: its data are not described"
        ) from error
    if words and data.transform.name == "value":
        raise ValueError(
            f"these data are not those of {path}: {words}; give those of then with source, or train anew"
        )
    if words:
        warnings.warn(f"these data are not those of {path}: {words}", OtherData, stacklevel=2)
    return model, data


def future(model, data, steps):
    """Forecast the steps after the data's end.

    Returns:
        DataFrame indexed by the times to come: forecast, and low and high, the forecast plus
        the 10% and 90% quantiles of the test part's errors at that horizon.
    """
    low, high = error_bands(model, data, steps)
    path = recursive(model, data, [len(data.frame) - 1], steps)[0]
    shift = data.transform.shift
    columns = {"forecast": path, "low": shift(path, low), "high": shift(path, high)}
    return pd.DataFrame(columns, index=following(data.frame.index, steps))
