"""Models side by side on one forecasting problem: the same data, epochs and seeds for each."""

import time

import pandas as pd
from threadpoolctl import threadpool_limits

from rnnlib.forecasting.forecasts import one_step
from rnnlib.forecasting.judging import compare
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.tools.memory import peak_memory
from rnnlib.tools.parallel import in_parallel
from rnnlib.training.fit import fit


def run(kind, options, seed, data, settings):
    """Train one model in this process, and score it.

    Args:
        kind, options: the SequenceModel's name and further arguments.
        seed: for the weights and the order of the batches.
        data: a Dataset.
        settings: those of ``fit``.

    Returns:
        (row, history): row is a dict with parameters, epochs, best_epoch, seconds (wall clock),
        peak_memory_mib and every score of ``judging.compare``, that of the last value beside it
        with the ending ``_last_value``.
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
        scores = compare({kind: one_step(model, data)}, data)
    row = {
        "model": kind,
        "seed": seed,
        "parameters": sum(p.size for p in model.params.values()),
        "epochs": len(history.train_loss),
        "best_epoch": history.best_epoch,
        "seconds": seconds,
        "peak_memory_mib": peak / 2**20,
    }
    for column in scores.columns:
        name = "_".join(column).lower().replace("²", "2").replace(" ", "_").replace("-", "_")
        row[name] = scores.loc[kind, column]
        if column[0] not in ("direction", "Diebold-Mariano"):  # the last value calls no direction
            row[f"{name}_last_value"] = scores.loc["last value", column]
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
