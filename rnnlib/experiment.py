"""One model on one series, with its files: train, resume, and use it again later."""

import hashlib
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rnnlib import checkpoint
from rnnlib.data.calendar import following
from rnnlib.data.series import Series
from rnnlib.files import ready
from rnnlib.forecast import error_bands, recursive
from rnnlib.model import SequenceModel
from rnnlib.optim import OPTIMIZERS
from rnnlib.train import Training, fit


def train(series, kind, *, options, optimizer, settings, seed, out, resume=False):
    """Train a model, and keep its files up to date after each epoch.

    ``rnn_KIND_best.safetensors`` holds the best weights and all that ``load`` needs;
    ``rnn_KIND_last.safetensors`` all that it takes to resume.

    Args:
        series: a Series.
        kind, options: the SequenceModel's name and further arguments.
        optimizer: dict with ``kind``, a key of ``OPTIMIZERS``, and its arguments.
        settings: epochs, batch_size, loss, max_norm, patience, see ``fit``.
        seed: for the weights and the order of the batches.
        out: folder for the files.
        resume: go on from ``rnn_KIND_last.safetensors``, if there is one. The training then ends
            with the very bits that it would have had without a stop.

    Returns:
        (model, data, history): the SequenceModel with the best weights, the Dataset, the History.

    Raises:
        ValueError: the file to resume from is of a training with other settings or data.
    """
    data = series.dataset()
    best, last = (out / f"rnn_{kind}_{which}.safetensors" for which in ("best", "last"))
    identity = {
        "series": asdict(series),
        "options": options,
        "optimizer": optimizer,
        "settings": {name: value for name, value in settings.items() if name != "epochs"},
        "seed": seed,
        "fingerprint": fingerprint(data),
    }
    if resume and last.exists():
        model, training, saved = checkpoint.load_training(last)
        _check_same(last, saved, identity)
    else:
        model = SequenceModel(kind, len(data.features), output_size=1, rng=seed, **options)
        arguments = {name: value for name, value in optimizer.items() if name != "kind"}
        training = Training(
            OPTIMIZERS[optimizer["kind"]](model.params, **arguments), np.random.default_rng(seed)
        )

    ready(out)
    first_test_step = data.frame.index[data.split.test.start + 1].isoformat()
    scaling = {name: np.asarray(value).tolist() for name, value in data.scaling._asdict().items()}
    description = {"series": asdict(replace(series, test=first_test_step)), "scaling": scaling}

    def keep(training):
        checkpoint.save_training(last, model, training, **identity)
        if training.history.best_epoch == len(training.history.train_loss):
            checkpoint.save(best, model, **description)

    with threadpool_limits(1):  # for products this small a second thread costs more than it gives
        history = fit(model, data.train, data.validation, training=training, after_epoch=keep, **settings)
    checkpoint.save(best, model, **description)
    return model, data, history


def load(path, source=None):
    """A model that ``train`` kept, and the series it was trained on, with test part and scaling as then.

    Args:
        path: rnn_KIND_best.safetensors.
        source: where the same prices are now, if not where they were, see ``prices.load``.

    Returns:
        (model, data): a SequenceModel and a Dataset. If the source has newer days, they are
        part of the test part.
    """
    model, extra = checkpoint.load(path)
    try:
        series = Series(**extra["series"] | ({"source": source} if source else {}))
        scaling = {name: np.asarray(value) for name, value in extra["scaling"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} was not written by the command train: it says nothing of its data"
        ) from error
    return model, series.dataset(scaling)


def future(model, data, steps):
    """Forecast the steps after the data's end.

    Returns:
        DataFrame indexed by the times to come: forecast, and low and high, between which 80%
        of the errors so many steps ahead lay in the test part.
    """
    path = recursive(model, data, [len(data.frame) - 1], steps)[0]
    low, high = error_bands(model, data, steps)
    shifted = (
        (path * np.exp(low), path * np.exp(high)) if data.predict == "return" else (path + low, path + high)
    )
    columns = {"forecast": path, "low": shifted[0], "high": shifted[1]}
    return pd.DataFrame(columns, index=following(data.frame.index, steps))


def fingerprint(data):
    """A hash of every number that a training and its scores depend on."""
    found = hashlib.sha256()
    for part in (data.train, data.validation, data.test):
        for array in part:
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _check_same(path, saved, identity):
    """An error that names the first difference between two trainings."""
    then, now = _flat(saved), _flat(identity)
    for name in now:
        if then.get(name) != now[name]:
            if name == "fingerprint":
                raise ValueError(f"{path}: the data have changed since; train without --resume")
            raise ValueError(
                f"{path} is of a training with --{name.replace('_', '-')} {then.get(name)}, not {now[name]}: "
                "give the same options as then, or train without --resume"
            )


def _flat(nested):
    """All settings by their names, without the groups that they stand in."""
    flat = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value)
        else:
            flat[name] = value
    return flat
