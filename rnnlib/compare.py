"""Models side by side on one forecasting problem: the same data, epochs and seeds for each."""

import time

import joblib
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from rnnlib.forecast import compare, forecast
from rnnlib.memory import peak_memory
from rnnlib.model import SequenceModel
from rnnlib.train import fit


def run(kind, seed, data, options, settings):
    """Train one model in this process, and score it.

    Args:
        kind, options: the SequenceModel's name and further arguments.
        seed: for the weights and the order of the batches.
        data: a Dataset.
        settings: those of ``fit``.

    Returns:
        (row, history): row is a dict with parameters, epochs, best_epoch, seconds (wall clock),
        peak_memory_mib and every score of ``forecast.compare``, that of the last value beside it
        with the ending ``_last_value``.
    """

    def make():
        return SequenceModel(kind, len(data.features), output_size=1, rng=seed, **options)

    trained = []

    def train():
        start, model = time.perf_counter(), make()
        history = fit(model, data.train, data.validation, rng=seed, progress=False, **settings)
        trained[:] = model, history, time.perf_counter() - start

    with threadpool_limits(1):  # the processes share the cores
        make().forward(data.train[0][:1])  # loads libraries, whose time and memory are not the training's
        peak = peak_memory(train)
        model, history, seconds = trained
        scores = compare({kind: forecast(model, data)}, data)
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


def benchmark(kinds, seeds, data, options, settings, jobs=None):
    """Every model with every seed, spread over processes.

    Args:
        kinds: names, keys of ``rnnlib.model.KINDS``.
        seeds: how many seeds, from 0.
        data: a Dataset.
        options: kind -> further arguments of its SequenceModel.
        settings: those of ``fit``, the same for all.
        jobs: processes; one a core if None.

    Returns:
        (table, histories): a DataFrame with the rows of ``run``, and (kind, seed) -> History.
    """
    runs = [(kind, seed) for kind in kinds for seed in range(seeds)]
    work = (joblib.delayed(run)(kind, seed, data, options[kind], settings) for kind, seed in runs)
    found = joblib.Parallel(n_jobs=jobs or joblib.cpu_count(), return_as="generator")(work)
    rows, histories = zip(*tqdm(found, desc="benchmark", total=len(runs), unit="run"), strict=True)
    return pd.DataFrame(rows), dict(zip(runs, histories, strict=True))


def findings(table):
    """Sentences on how the models of ``benchmark``'s table fare against the last value."""
    significant = table["diebold_mariano_p"] < 0.05
    if not significant.any():
        yield "No model can be told from the last value, with any seed (Diebold-Mariano, p below 0.05)."
        return
    for kind, rows in table[significant].groupby("model", sort=False):
        better = int((rows["diebold_mariano_statistic"] < 0).sum())
        seeds = int((table["model"] == kind).sum())
        yield (
            f"{kind}: better than the last value with {better} of {seeds} seeds, worse with "
            f"{len(rows) - better} (Diebold-Mariano, p below 0.05)."
        )
    for kind in dict.fromkeys(table["model"][~table["model"].isin(table["model"][significant])]):
        yield f"{kind}: cannot be told from the last value with any seed."
