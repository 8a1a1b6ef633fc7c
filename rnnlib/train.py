"""Training with mini-batches, validation and early stopping."""

import math
from dataclasses import dataclass, field

import numpy as np
from tqdm.auto import tqdm

from rnnlib.losses import mse
from rnnlib.optim import Adam, clip_by_norm


@dataclass
class History:
    """What happened in each epoch; the lists have one entry an epoch.

    Attributes:
        train_loss: mean loss over the epoch's sequences, each in its batch's turn.
        validation_loss: loss on the validation part after the epoch.
        grad_norm: mean gradient norm of the epoch's batches, before clipping.
        best_epoch: epoch with the lowest validation loss, counted from 1.
    """

    train_loss: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    grad_norm: list = field(default_factory=list)
    best_epoch: int = 0


def predict(model, x, batch_size=256):
    """The model's output for x (n, T, D), computed in batches; (n, O) or (n, T, O)."""
    if len(x) == 0 or batch_size < 1:
        raise ValueError(f"predict needs inputs and a batch_size above 0, got {len(x)} and {batch_size}")
    return np.concatenate([model.forward(x[i : i + batch_size])[0] for i in range(0, len(x), batch_size)])


def fit(
    model,
    train,
    validation,
    *,
    epochs=10,
    batch_size=32,
    lr=1e-3,
    max_norm=1.0,
    patience=5,
    rng=0,
    progress=True,
):
    """Train with Adam, MSE and clipped gradients; keep the weights that validate best.

    Training ends after ``epochs``, or when ``patience`` epochs in a row did not lower the
    validation loss. The model then holds the weights of the best epoch, also when the
    training is interrupted.

    Args:
        model: a SequenceModel; changed in place.
        train: (x, y) with x (n, T, D) and y in the shape of the model's output.
        validation: (x, y) of the same kind.
        epochs: most passes over the training part.
        batch_size: sequences in a batch.
        lr: Adam's step length.
        max_norm: gradients longer than this are shortened to it.
        patience: epochs without progress before training stops.
        rng: ``numpy.random.Generator`` or a seed, for the order of the batches.
        progress: show a progress bar.

    Returns:
        A History.

    Raises:
        ValueError: a setting is below 1, or a part is empty or of unequal lengths.
        FloatingPointError: a loss is NaN or infinite; names the step and what to change.
    """
    for name, value in {"epochs": epochs, "batch_size": batch_size, "patience": patience}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    for name, (x, y) in {"training": train, "validation": validation}.items():
        if len(x) != len(y):
            raise ValueError(f"the {name} part has {len(x)} inputs and {len(y)} targets; they must agree")
        if len(x) == 0:
            raise ValueError(f"the {name} part is empty")

    rng = np.random.default_rng(rng)
    x, y = train
    x_val, y_val = validation
    optimizer = Adam(model.params, lr)
    history, best, best_loss = History(), None, math.inf

    try:
        with tqdm(range(1, epochs + 1), desc="training", unit="epoch", disable=not progress) as bar:
            for epoch in bar:
                losses, norms, sizes = [], [], []
                order = rng.permutation(len(x))
                for start in range(0, len(x), batch_size):
                    batch = order[start : start + batch_size]
                    output, _ = model.forward(x[batch])
                    loss, dy = mse(output, y[batch])
                    if not math.isfinite(loss):
                        raise FloatingPointError(
                            f"the loss is {loss} in epoch {epoch}, step {len(losses) + 1}: "
                            f"try a smaller learning rate than {lr}, or look for NaN in the data"
                        )
                    model.backward(dy)
                    grads, norm = clip_by_norm(model.grads, max_norm)
                    optimizer.step(grads)
                    losses.append(loss)
                    norms.append(norm)
                    sizes.append(len(batch))

                validation_loss, _ = mse(predict(model, x_val), y_val)
                if not math.isfinite(validation_loss):
                    raise FloatingPointError(
                        f"the validation loss is {validation_loss} after epoch {epoch}: "
                        f"try a smaller learning rate than {lr}, or look for NaN in the data"
                    )
                history.train_loss.append(float(np.average(losses, weights=sizes)))
                history.validation_loss.append(validation_loss)
                history.grad_norm.append(float(np.mean(norms)))
                bar.set_postfix(train=f"{history.train_loss[-1]:.4f}", validation=f"{validation_loss:.4f}")

                if validation_loss < best_loss:
                    best_loss, history.best_epoch = validation_loss, epoch
                    best = {name: p.copy() for name, p in model.params.items()}
                elif epoch - history.best_epoch >= patience:
                    break
    finally:
        for name, p in (best or {}).items():
            model.params[name][...] = p
    return history
