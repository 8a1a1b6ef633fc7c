"""One model on one problem, with its files: train, resume, and use it again later."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rnnlib.data.calendar import following
from rnnlib.data.dataset import Scaling
from rnnlib.forecasting.forecasts import recursive
from rnnlib.forecasting.judging import error_bands
from rnnlib.forecasting.problem import Problem
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.tools.whole_file import ready
from rnnlib.training import checkpoint
from rnnlib.training.fit import fit
from rnnlib.training.history import Training
from rnnlib.training.optimizers import make_optimizer


class OtherSetting(ValueError):
    """A file to resume from is of a training with another setting.

    Attributes:
        path: the file.
        name: the setting; a caller who calls it otherwise may change the name.
        then, now: its two values.
    """

    def __init__(self, path, name, then, now):
        super().__init__(path, name, then, now)
        self.path, self.name, self.then, self.now = path, name, then, now

    def __str__(self):
        return (
            f"{self.path} is of a training with {self.name} = {self.then}, not {self.now}: "
            "give the settings of then, or train without resume"
        )


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
            for bit that of a training without a stop.

    Returns:
        (model, data, history): the SequenceModel with the best weights, the Dataset, the History.

    Raises:
        OtherSetting: the file to resume from is of a training with another setting.
        ValueError: it is of a training with other data.
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
    if resume and last.exists():
        model, training, saved = checkpoint.load_training(last)
        _check_same(last, saved, identity)
    ready(out)
    first_test_step = data.frame.index[data.split.test.start + 1].isoformat()
    scaling = {name: np.asarray(value).tolist() for name, value in data.scaling._asdict().items()}
    description = {"problem": asdict(replace(problem, test=first_test_step)), "scaling": scaling}

    def keep(training):
        checkpoint.save_training(last, model, training, **identity)
        if training.history.best_epoch == len(training.history.train_loss):
            checkpoint.save(best, model, **description)

    with threadpool_limits(1):  # for products this small a second thread costs more than it gives
        history = fit(model, data.train, data.validation, training=training, after_epoch=keep, **settings)
    checkpoint.save(best, model, **description)  # a kill between the two files of keep leaves an old one
    return model, data, history


def load(path, source=None):
    """A model that ``train`` kept, and its data, with the test part and the scaling of then.

    Args:
        path: rnn_KIND_best.safetensors.
        source: where the same prices are now, if not where they were, see ``prices.load``.

    Returns:
        (model, data): a SequenceModel and a Dataset. If the source has newer days, they are
        part of the test part.
    """
    model, extra = checkpoint.load(path)
    try:
        problem = Problem(**extra["problem"] | ({"source": source} if source else {}))
        scaling = Scaling(**{name: np.asarray(value) for name, value in extra["scaling"].items()})
        return model, problem.dataset(scaling)
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"{path} was not written by the command train, or is damaged: its data are not described"
        ) from error


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


def fingerprint(data):
    """A hash of every number that a training and its scores depend on."""
    digest = hashlib.sha256()
    for part in (data.train, data.validation, data.test):
        for array in part:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check_same(path, saved, identity):
    """An error that names the first difference between two trainings."""
    then, now = _flat(saved), _flat(json.loads(json.dumps(identity)))  # a file holds lists for tuples
    for name in now | then:
        if then.get(name) != now.get(name):
            if name == "fingerprint":
                raise ValueError(f"{path}: the data have changed since; train without resume")
            raise OtherSetting(path, name, then.get(name), now.get(name))


def _flat(nested):
    """All settings by their names, without the groups that they stand in."""
    flat = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value)
        else:
            flat[name] = value
    return flat
