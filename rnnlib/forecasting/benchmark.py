"""Models side by side on one forecasting problem: the same data, epochs and seeds for each."""

import time

import pandas as pd
from threadpoolctl import threadpool_limits

from rnnlib.forecasting.forecasts import one_step, past_steps
from rnnlib.forecasting.judging import SCALES, TEST, compare
from rnnlib.forecasting.naive import LAST_VALUE, rivals
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.tools.memory import peak_memory
from rnnlib.tools.parallel import in_parallel
from rnnlib.training.fit import fit

# The scores in the CSV file, and what ``judging.compare`` calls them: errors stand there on each scale …
ERRORS = {"mse": "MSE", "rmse": "RMSE", "mae": "MAE", "r2": "R²", "mase": "MASE"}
# … of log variances two more …
VARIANCE_ERRORS = {"qlike": "QLIKE", "bias": "bias"}
# … and the rest once, for the last value calls no direction.
CALLS = {
    "direction_accuracy": ("direction", "accuracy"),
    "direction_low": ("direction", "low"),
    "direction_high": ("direction", "high"),
    "direction_base_rate": ("direction", "base_rate"),
    "direction_n": ("direction", "n"),
}


def significance_column(key, ending):
    """The column of the CSV file for a key of ``judging.TEST`` and a rival's ending, such as " vs AR"."""
    return f"diebold_mariano_{key}{ending.lower().replace(' ', '_')}"


def run(kind, options, seed, data, settings):
    """Train one model in this process, and score it.

    Args:
        kind, options: the SequenceModel's name and further arguments.
        seed: for the weights and the order of the batches.
        data: a Dataset.
        settings: those of ``fit``.

    Returns:
        (row, history): row is a dict with model, seed, parameters, epochs, best_epoch, seconds
        (wall clock), peak_memory_mib and every score of ``judging.compare``; beside an error that of
        the last value, with the ending ``_last_value``.
    """

    def make():
        return SequenceModel(kind, len(data.features), output_size=1, rng=seed, **options)

    def train():
        start, model = time.perf_counter(), make()
        history = fit(model, data.train, data.validation, rng=seed, progress=False, **settings)
        return model, history, time.perf_counter() - start

    with threadpool_limits(1):  # the processes share the cores
        make().forward(data.train[0][:1])  # loads libraries, whose time and memory are not the training's
        (model, history, seconds), peak = peak_memory(train)
        past = {kind: past_steps(model, data)} if data.has_variance else None
        scores = compare({kind: one_step(model, data)}, data, past)
    row = {
        "model": kind,
        "seed": seed,
        "parameters": sum(p.size for p in model.params.values()),
        "epochs": len(history.train_loss),
        "best_epoch": history.best_epoch,
        "seconds": seconds,
        "peak_memory_mib": peak / 2**20,
    }
    for scale in [scale for scale in SCALES if scale in scores]:
        for name, metric in (ERRORS | (VARIANCE_ERRORS if data.has_variance else {})).items():
            row[f"{scale}_{name}"] = scores.loc[kind, (scale, metric)]
            row[f"{scale}_{name}_last_value"] = scores.loc[LAST_VALUE, (scale, metric)]
    row |= {name: scores.loc[kind, column] for name, column in CALLS.items()}
    for ending in rivals(data).values():
        for key in TEST:
            row[significance_column(key, ending)] = scores.loc[kind, ("Diebold-Mariano", key + ending)]
    return row, history


def benchmark(models, seeds, data, settings, jobs=None):
    """Every model with every seed, spread over processes.

    Args:
        models: name of a model -> further arguments of its SequenceModel.
        seeds: how many seeds, from 0.
        data: a Dataset.
        settings: those of ``fit``, the same for all.
        jobs: processes; one a core if None.

    Returns:
        (table, histories): a DataFrame with the rows of ``run``, and (kind, seed) -> History.
    """
    runs = [
        (kind, options, seed, data, settings) for kind, options in models.items() for seed in range(seeds)
    ]
    rows, histories = zip(*in_parallel(run, runs, "benchmark", jobs), strict=True)
    return pd.DataFrame(rows), {
        (row["model"], row["seed"]): h for row, h in zip(rows, histories, strict=True)
    }
