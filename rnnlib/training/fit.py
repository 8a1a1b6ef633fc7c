"""Training: mini-batches, early stopping, truncated backpropagation, learning while walking forward."""

import math
from functools import partial

import numpy as np
from tqdm.auto import tqdm

from rnnlib.models.parts.arrays import as_array
from rnnlib.training.history import Training
from rnnlib.training.losses import LOSSES, asked
from rnnlib.training.optimizers import OPTIMIZERS, Optimizer, clip_by_norm


def predict(model, x, batch_size=32):
    """The model's output for x (n, T, D), computed in batches; (n, O) or (n, T, O).

    Layers keep what ``backward`` would need: with batches larger than those of ``fit``, a
    training's memory would peak here.
    """
    x = as_array(x, "predict: x")
    if len(x) == 0 or batch_size < 1:
        raise ValueError(f"predict needs inputs and a batch_size above 0, got {len(x)} and {batch_size}")
    _check_settings(batch_size=batch_size)
    return np.concatenate([model.forward(x[i : i + batch_size])[0] for i in range(0, len(x), batch_size)])


def fit(
    model,
    train,
    validation,
    *,
    loss="mse",
    optimizer="adam",
    epochs=10,
    batch_size=32,
    lr=1e-3,
    max_norm=1.0,
    patience=5,
    truncate=None,
    rng=0,
    progress=True,
    training=None,
    after_epoch=None,
):
    """Train with clipped gradients; keep the weights that validate best.

    Training ends after ``epochs``, or when ``patience`` epochs in a row did not lower the
    validation loss (Prechelt 1998). The model then holds the weights of the best epoch,
    also when the training is interrupted.

    Args:
        model: a SequenceModel; changed in place.
        train: (x, y) with x (n, T, D) and y as the loss wants it, arrays or what ``np.asarray`` makes
            an array of; or a function that takes a Generator and returns an epoch's batches (x, y),
            for data made on the way.
        validation: (x, y) of the same kind.
        loss: "mse", "mae", "cross_entropy", or a function (output, y) -> (loss, doutput). In y
            cross_entropy alone knows −1 as "nothing is asked here".
        optimizer: "adam", "rmsprop", "sgd", made with ``lr``; or an Optimizer over
            ``model.params``, which brings its own.
        epochs: at most this many passes over the training part.
        batch_size: sequences in a batch.
        lr: the optimizer's step length.
        max_norm: gradients longer than this are shortened to it.
        patience: epochs without progress before training stops.
        truncate: backpropagate through only this many steps (Williams and Peng 1990): a batch is
            cut into stretches of this length, one optimizer step each, and the state is carried
            from stretch to stretch. For a model that answers at every step. None: whole sequences.
        rng: ``numpy.random.Generator`` or a seed, for the order of the batches.
        progress: show a progress bar.
        training: a Training to go on from (with the model's weights of then); its optimizer, rng and
            history replace ``optimizer``, ``lr`` and ``rng``.
        after_epoch: function called with the Training after each epoch, while the model holds that
            epoch's weights. If it returns True, the training ends.

    Returns:
        A History.

    Raises:
        ValueError: a setting is no whole number from 1 on, or unknown, or a part is empty or of unequal
            lengths.
        TypeError: a part is no pair of arrays of real numbers, or a loss of one's own does not return
            (number, array).
        FloatingPointError: a loss or gradient is NaN or infinite; names the step and what to change.
    """
    _check_settings(epochs=epochs, batch_size=batch_size, patience=patience)
    if truncate is not None:
        _check_settings(truncate=truncate)
    train = train if callable(train) else _part("training part", train)
    validation = _part("validation part", validation)
    for name, part in (("training", train), ("validation", validation)):
        if not callable(part) and len(part[0]) == 0:
            raise ValueError(f"the {name} part is empty")
    if truncate is not None and model.config["readout"] != "every":
        raise ValueError('truncate needs a model that answers at every step: readout="every"')
    loss = _named(loss, LOSSES, "loss")
    if training is None:
        if not isinstance(optimizer, Optimizer):
            optimizer = _named(optimizer, OPTIMIZERS, "optimizer")(model.params, lr)
        training = Training(optimizer, np.random.default_rng(rng))
    _check_owner(training.optimizer, model)

    make_batches = train if callable(train) else lambda rng: _shuffled(*train, batch_size, rng)
    step = partial(_step, model, loss, training.optimizer, max_norm)
    count = partial(asked, loss)
    history = training.history
    try:
        with tqdm(
            initial=len(history.train_loss), total=epochs, desc="training", unit="epoch", disable=not progress
        ) as bar:
            for epoch in range(len(history.train_loss) + 1, epochs + 1):
                if epoch - 1 - history.best_epoch >= patience:
                    break
                losses, norms, sizes = _epoch(model, step, count, make_batches(training.rng), truncate, epoch)
                with np.errstate(over="ignore", invalid="ignore"):
                    validation_loss, _ = _judge(loss, predict(model, validation[0]), validation[1])
                _check_finite("validation loss", validation_loss, f"after epoch {epoch}", training.optimizer)
                history.train_loss.append(float(np.average(losses, weights=sizes)))
                history.grad_norm.append(float(np.mean(norms)))
                training.keep_if_best(model, validation_loss)
                bar.set_postfix(train=f"{history.train_loss[-1]:.4f}", validation=f"{validation_loss:.4f}")
                bar.update()
                if after_epoch is not None and after_epoch(training):
                    break
    finally:
        for name, p in training.best.items():
            model.params[name][...] = p
    return history


def online(model, x, y, *, loss="mse", optimizer="adam", lr=1e-3, batch_size=32, max_norm=1.0, progress=True):
    """Keep learning while walking forward: forecast, see the answer, take one step, go on.

    Args:
        model: a SequenceModel that reads its answer at the last step; changed in place.
        x: windows in the order of time, (n, T, D).
        y: their answers, (n, O). Answer i must be known before forecast i + 1 is made.
        loss, optimizer, lr, max_norm, progress: see ``fit``.
        batch_size: how many of the latest answers a step learns from.

    Returns:
        The forecasts (n, O), each made before its answer was seen.

    Raises:
        ValueError, TypeError, FloatingPointError: as ``fit``.
    """
    x, y = as_array(x, "online: x"), as_array(y, "online: y")
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(f"learning online needs an answer for each window, got {len(y)} for {len(x)}")
    _check_settings(batch_size=batch_size)
    loss = _named(loss, LOSSES, "loss")
    if not isinstance(optimizer, Optimizer):
        optimizer = _named(optimizer, OPTIMIZERS, "optimizer")(model.params, lr)
    _check_owner(optimizer, model)
    forecasts = []
    for i in tqdm(range(len(x)), desc="walking forward", unit="step", disable=not progress):
        forecasts.append(predict(model, x[i : i + 1]))
        latest = slice(max(i + 1 - batch_size, 0), i + 1)
        _step(model, loss, optimizer, max_norm, x[latest], y[latest], None, f"in step {i + 1}")
    return np.concatenate(forecasts)


def _check_settings(**settings):
    for name, value in settings.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise ValueError(f"{name} must be a whole number, got {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")


def _part(name, part):
    """The pair (x, y) as arrays, once they go together."""
    if not isinstance(part, tuple | list) or len(part) != 2:
        raise TypeError(f"the {name} must be a pair of arrays (x, y), got {type(part).__name__}")
    x, y = (as_array(a, f"{letter} of the {name}") for a, letter in zip(part, "xy", strict=True))
    if x.ndim < 2 or y.ndim < 1:
        raise ValueError(f"the {name} must hold x (n, T, D) and y (n, …), got {x.shape} and {y.shape}")
    if len(x) != len(y):
        raise ValueError(f"the {name} has {len(x)} inputs and {len(y)} targets; they must agree")
    return x, y


def _judge(loss, output, y):
    """The loss as a plain number, and its gradient."""
    result = loss(output, y)
    if not isinstance(result, tuple | list) or len(result) != 2 or np.ndim(result[0]) != 0:
        raise TypeError("a loss must return a number and its gradient, an array in the output's shape")
    value, doutput = result
    return float(value), doutput


def _check_owner(optimizer, model):
    if any(optimizer.params.get(name) is not p for name, p in model.params.items()):
        raise ValueError("the optimizer belongs to another model: make it with this model's params")


def _named(choice, choices, what):
    """The entry of that name; a function passes."""
    if callable(choice):
        return choice
    if choice not in choices:
        raise ValueError(f"unknown {what} {choice!r}: choose one of {', '.join(choices)}")
    return choices[choice]


def _shuffled(x, y, batch_size, rng):
    """The batches of one epoch, in a new order."""
    order = rng.permutation(len(x))
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        yield x[batch], y[batch]


def _epoch(model, step, count, batches, truncate, epoch):
    """One pass over the batches; losses, gradient norms and sizes, one entry an optimizer step."""
    losses, norms, sizes = [], [], []
    for batch in batches:
        x, y = _part("batch", batch)
        T, state = x.shape[1], None
        for t in range(0, T, truncate or T):
            stretch = slice(t, t + (truncate or T))
            answers = y[:, stretch] if truncate else y
            size = count(answers)
            if size == 0:  # no question in this stretch: only the state goes on
                _, state = model.forward(x[:, stretch], state=state)
                continue
            loss, norm, state = step(
                x[:, stretch], answers, state, f"in epoch {epoch}, step {len(losses) + 1}"
            )
            losses.append(loss)
            norms.append(norm)
            sizes.append(size)
    if not losses:
        raise ValueError("there is no batch with answers to train on")
    return losses, norms, sizes


def _step(model, loss, optimizer, max_norm, x, y, state, place):
    """Forward, backward, one optimizer step: (loss, gradient norm, last state)."""
    with np.errstate(over="ignore", invalid="ignore"):  # a loss that overflows is reported below
        output, state = model.forward(x, state=state)
        value, doutput = _judge(loss, output, y)
        _check_finite("loss", value, place, optimizer)
        model.backward(doutput)
        grads, norm = clip_by_norm(model.grads, max_norm)
        _check_finite("gradient's norm", norm, place, optimizer)
        optimizer.step(grads)
    return value, norm, state


def _check_finite(name, value, place, optimizer):
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the {name} is {value} {place}: "
            f"try a smaller learning rate than {optimizer.lr}, or look for NaN in the data"
        )
