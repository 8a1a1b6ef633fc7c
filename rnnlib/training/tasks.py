"""Models on the synthetic tasks: who solves what, in how many steps?"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rnnlib.data import synthetic
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.tools.parallel import in_parallel
from rnnlib.training.fit import fit, predict

STEPS_BETWEEN_LOOKS = 50  # optimizer steps from one validation to the next
HELD_OUT = 1000  # sequences of the validation, and as many for the final score


@dataclass(frozen=True)
class Task:
    """A synthetic task and when it counts as solved.

    Attributes:
        sample: function (n, T, rng=) -> (x, y) of ``rnnlib.data.synthetic``.
        T: usual length.
        readout: where the answers are, see SequenceModel.
        loss: "mse", or "cross_entropy", with the score then the share of wrong answers.
        num_layers: usual depth.
        goal: largest score, MSE or share of wrong answers, at which the task is solved.
    """

    sample: Callable
    T: int
    readout: str
    loss: str
    num_layers: int
    goal: float

    def score(self, output, y):
        """MSE, or the share of wrong answers; a float."""
        if self.loss == "mse":
            return float(np.mean((output - y) ** 2))
        mask = y != -1  # where something is asked
        return float((output.argmax(axis=-1) != y)[mask].mean())


TASKS = {
    "adding": Task(synthetic.adding, 100, "last", "mse", 1, 0.005),
    "copying": Task(synthetic.selective_copying, 64, "every", "cross_entropy", 2, 0.02),
    "induction": Task(synthetic.induction_heads, 64, "last", "cross_entropy", 2, 0.01),
    "sine": Task(synthetic.sine, 50, "every", "mse", 1, 0.005),
}


def solve(task, kind, options, seed, *, T, steps, batch_size, lr):
    """Train one model on fresh sequences until it solves the task, or ``steps`` are over.

    Training stops where the validation score is at 80% of the goal or below, so that the final
    score, on sequences that played no part in the training, is not a matter of luck.

    Args:
        task: a Task.
        kind, options: the SequenceModel's name and further arguments.
        seed: for the weights, the training and the held-out sequences.
        T: length of the sequences.
        steps: at most this many optimizer steps, in stretches of ``STEPS_BETWEEN_LOOKS``; each step
            sees ``batch_size`` new sequences.
        lr: Adam's step length.

    Returns:
        dict with score, solved, steps, seconds (CPU) and parameters.
    """
    weights_rng, batches_rng, held_out_rng = np.random.default_rng(seed).spawn(3)
    validation, test = (task.sample(HELD_OUT, T, rng=held_out_rng) for _ in range(2))
    D = validation[0].shape[-1]
    classes = task.loss == "cross_entropy"  # the tokens of the input
    options = {"readout": task.readout, "rng": weights_rng, **options}
    model = SequenceModel(kind, D, output_size=D if classes else validation[1].shape[-1], **options)

    def batches(rng):
        return (task.sample(batch_size, T, rng=rng) for _ in range(STEPS_BETWEEN_LOOKS))

    def good_enough(training):
        if training.history.best_epoch < len(training.history.train_loss):
            return False  # fit would give back earlier weights than these
        return task.score(predict(model, validation[0]), validation[1]) <= 0.8 * task.goal

    start = time.process_time()
    looks = max(1, steps // STEPS_BETWEEN_LOOKS)
    settings = {"epochs": looks, "patience": looks, "lr": lr, "rng": batches_rng, "progress": False}
    with threadpool_limits(1):
        history = fit(model, batches, validation, loss=task.loss, after_epoch=good_enough, **settings)
        score = task.score(predict(model, test[0]), test[1])
    return {
        "score": score,
        "solved": score <= task.goal,
        "steps": STEPS_BETWEEN_LOOKS * len(history.train_loss),
        "seconds": time.process_time() - start,
        "parameters": sum(p.size for p in model.params.values()),
    }


def compare(name, models, seeds, jobs=None, **settings):
    """Every model with every seed on one task, spread over processes.

    Args:
        name: a key of ``TASKS``.
        models: name of a model -> further arguments of its SequenceModel.
        seeds: how many seeds, from 0.
        jobs: processes; one a core if None.
        settings: those of ``solve``.

    Returns:
        DataFrame with one row a model and seed, and the columns of ``solve``'s result.
    """
    runs = [(TASKS[name], kind, options, seed) for kind, options in models.items() for seed in range(seeds)]
    rows = in_parallel(partial(solve, **settings), runs, name, jobs)
    index = pd.MultiIndex.from_tuples([(kind, seed) for _, kind, _, seed in runs], names=["model", "seed"])
    return pd.DataFrame(rows, index=index)
