"""What happened in a training, and where it stands."""

from dataclasses import dataclass, field

import numpy as np

from rnnlib.training.optimizers import Optimizer


@dataclass
class History:
    """What happened in each epoch; the lists have one entry an epoch.

    Attributes:
        train_loss: mean loss of the epoch's steps, measured while the weights change.
        validation_loss: loss on the validation part after the epoch.
        grad_norm: mean gradient norm of the epoch's steps, before clipping.
        best_epoch: epoch with the lowest validation loss, counted from 1.
    """

    train_loss: list = field(default_factory=list)
    validation_loss: list = field(default_factory=list)
    grad_norm: list = field(default_factory=list)
    best_epoch: int = 0


@dataclass
class Training:
    """Where a training stands between two epochs. With the model's weights it is all that is needed to go on.

    Attributes:
        optimizer: an Optimizer over the model's parameters.
        rng: ``numpy.random.Generator`` for the order of the batches.
        history: the History so far.
        best: name -> array, the weights of the best epoch; empty before the first.
    """

    optimizer: Optimizer
    rng: np.random.Generator
    history: History = field(default_factory=History)
    best: dict = field(default_factory=dict)

    def keep_if_best(self, model, validation_loss):
        """Add an epoch's validation loss; copy the model's weights if it is the lowest so far."""
        losses = self.history.validation_loss
        losses.append(validation_loss)
        if not self.best or validation_loss < losses[self.history.best_epoch - 1]:
            self.history.best_epoch = len(losses)
            self.best = {name: p.copy() for name, p in model.params.items()}
