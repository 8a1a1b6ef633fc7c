"""Tables for the terminal: plain ASCII rules, so that they survive a file, a pipe and an old console."""

import shutil
import sys

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from rnnlib.data.origin import origin_of
from rnnlib.forecasting.benchmark import significance_column
from rnnlib.forecasting.judging import TEST, horizon_rival, p_value
from rnnlib.forecasting.naive import rivals
from rnnlib.tools.names import one_line


def show(title, columns, rows):
    """Print a title and a table; the first column is on the left, the others on the right."""
    table = Table(box=box.ASCII2)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(*(one_line(cell) if isinstance(cell, str) else number(cell) for cell in row))
    print(f"\n{title}")
    width = max(80, shutil.get_terminal_size().columns)  # in a narrow terminal no digit is lost
    plain = {"color_system": None, "highlight": False, "markup": False, "emoji": False}  # a name is a name
    Console(file=sys.stdout, width=width, **plain).print(table)


def number(value):
    """Four digits; a dash where there is none."""
    return "-" if np.isnan(value) else f"{value:.4g}"


def spread(values, decimals=None):
    """Mean and standard deviation over the seeds; with four digits of the mean if ``decimals`` is None."""
    mean = values.mean()
    if np.isnan(mean):
        return "-"
    if decimals is None:
        decimals = int(np.clip(3 - np.floor(np.log10(abs(mean))), 0, 6)) if mean else 3
    deviation = f" ± {values.std():.{decimals}f}" if len(values) > 1 else ""
    return f"{mean:.{decimals}f}{deviation}"


def reach(values, digits):
    """From the lowest to the highest."""
    low, high = f"{values.min():{digits}}", f"{values.max():{digits}}"
    return low if low == high else f"{low} to {high}"


def percent(share):
    """A share as a percentage; a dash where there is none."""
    return "-" if np.isnan(share) else f"{share:.1%}"


def moment(time, index):
    """A time of this index, with its hour if the index has hours."""
    return f"{time:%Y-%m-%d %H:%M}" if (index != index.normalize()).any() else f"{time:%Y-%m-%d}"


def show_scores(scores, data):
    """The tables of ``judging.compare``: one a scale, then the tests and the directions."""
    titles = {"prices": data.quantity, "returns": "log returns", "values": data.quantity}
    for scale, title in titles.items():
        if scale in scores:
            errors, heading = scores[scale], f"Errors: {title}\n"
            if data.has_variance:
                errors = errors.drop(columns=["RMSE", "MASE"])
                heading += "bias is the mean of actual - forecast; QLIKE judges the variance"
            else:
                heading += "MASE compares with the last value's errors before the test part"
            rows = [[name, *row] for name, row in errors.iterrows()]
            show(heading, ["forecast", *errors.columns], rows)

    calls, rows = scores["direction"], []
    for name, call in calls.iterrows():
        interval = "-" if np.isnan(call["low"]) else f"{percent(call['low'])} to {percent(call['high'])}"
        tests = (
            p_value(scores.loc[name, ("Diebold-Mariano", f"p{ending}")]) for ending in rivals(data).values()
        )
        rows.append([name, *tests, percent(call["accuracy"]), interval])
    steps, base_rate = f"{calls['n'].iloc[0]:.0f} steps", percent(calls["base_rate"].iloc[0])
    show(
        f"Could the squared errors be equal? p of the Diebold-Mariano test\n"
        f"Direction on the {steps} that moved; always the same way is right in {base_rate}",
        ["forecast", *(f"p: {rival}" for rival in rivals(data)), "direction", "95% interval"],
        rows,
    )


def show_benchmark(table, naive, data):
    """The tables of ``benchmark.benchmark``: errors and costs over the seeds, and the tests.

    Args:
        table: as ``benchmark.benchmark`` returns it.
        naive: the scores of the naive forecasts, ``judging.compare({}, data)``.
        data: the Dataset.
    """
    scale, unit, factor = (
        ("returns", "log returns in %", 100) if "returns" in naive else ("values", data.quantity, 1)
    )
    metrics = ["mse", "qlike"] if data.has_variance else ["rmse", "mae"]
    errors, costs, tests = [], [], []
    for kind, runs in table.groupby("model", sort=False):
        scores = [spread(factor * runs[f"{scale}_{metric}"]) for metric in metrics]
        scores.append(spread(runs[f"{scale}_r2"], 3))
        errors.append([kind, *scores, percent(runs["direction_accuracy"].mean())])
        parameters = f"{runs['parameters'].iloc[0]}"
        costs.append([kind, parameters, spread(runs["seconds"]), spread(runs["peak_memory_mib"])])
        test = [kind]
        for ending in rivals(data).values():
            statistic, p = (runs[significance_column(key, ending)] for key in TEST)
            test += [f"{(statistic[p < 0.05] < 0).sum()}", f"{(statistic[p < 0.05] > 0).sum()}"]
        tests.append(test)
    for name, row in naive.iterrows():
        scores = [number(factor * row[scale, metric.upper()]) for metric in metrics]
        errors.append([name, *scores, f"{row[scale, 'R²']:.3f}", percent(row["direction", "accuracy"])])
    seeds = table["seed"].nunique()
    title = f"{seeds} seeds, mean ± standard deviation" if seeds > 1 else "One seed"
    columns = ["forecast", *map(str.upper, metrics), "R²", "direction"]
    show(f"{title}; errors: {unit}", columns, errors)
    columns = ["model", *(column for rival in rivals(data) for column in (f"lower: {rival}", "higher"))]
    show(
        "With how many seeds is the error lower or higher than that of a naive forecast?\n"
        "Diebold-Mariano test, p below 0.05, which chance alone gives in one of 20 tests",
        columns,
        tests,
    )
    show("The training's cost", ["model", "parameters", "seconds", "peak MiB"], costs)


def show_tasks(name, table, task):
    """The table of ``tasks.compare``: one row a model, over its seeds."""
    score, digits = ("MSE", ".4f") if task.loss == "mse" else ("wrong answers", ".1%")
    rows = []
    for kind, runs in table.groupby(level="model", sort=False):
        solved = f"{runs['solved'].sum()} of {len(runs)}"
        parameters, seconds = f"{runs['parameters'].iloc[0]}", f"{runs['seconds'].max():.0f}"
        rows.append(
            [kind, parameters, solved, reach(runs["score"], digits), reach(runs["steps"], "d"), seconds]
        )
    goal = f"{task.goal:g}" if task.loss == "mse" else f"{task.goal:.0%}"
    show(
        f"{name}: solved if {score} at most {goal}, on sequences never seen before",
        ["model", "parameters", "solved", score, "steps", "longest, CPU s"],
        rows,
    )


def show_text(models, counting):
    """The table of the command text.

    Args:
        models: kind -> (bits a letter, weights, CPU seconds).
        counting: bits a letter of counting what followed the same 0, 1, 2 … letters before.
    """
    rows = [
        [kind, f"{bits:.2f}", f"{weights}", f"{time:.0f}"] for kind, (bits, weights, time) in models.items()
    ]
    for letters, bits in enumerate(counting):
        rows.append([f"counting, {letters} letter{'s' * (letters != 1)} before", f"{bits:.2f}", "-", "-"])
    columns = ["model", "bits a letter", "weights", "CPU s"]
    show("Guessing the next letter, in the novel's last 5 percent", columns, rows)


def show_horizons(horizons, data):
    """The table of ``judging.compare_horizons``."""
    rows = [[f"{horizon}", *row[:-1], p_value(row["p"])] for horizon, row in horizons.iterrows()]
    columns = ["steps ahead", *horizons.columns[:-1], f"p: {horizon_rival(data)}"]
    unit = data.transform.difference_label(data.quantity)
    show(f"Several steps ahead, each forecast made from the one before it; RMSE: {unit}", columns, rows)


def show_future(table, data):
    """The table of ``experiment.future``."""
    rows = [
        [moment(time, data.frame.index), row.forecast, f"{row.low:.4g} to {row.high:.4g}"]
        for time, row in zip(table.index, table.itertuples(), strict=True)
    ]
    columns = ["time", "forecast", "80% of past errors"]
    if data.has_variance:
        daily = (data.frame.index[1:] - data.frame.index[:-1]).to_series().median() == pd.Timedelta(days=1)
        columns.append(f"volatility, % a {'day' if daily else 'step'}")
        for row, forecast in zip(rows, table["forecast"], strict=True):
            row.append(100 * np.exp(forecast / 2))
    show(data.quantity, columns, rows)


def show_cache(contents):
    """What the cache of prices holds."""
    rows = []
    for row in contents.itertuples():
        times = (f"{pd.Timestamp(time):%Y-%m-%d}" for time in (row.first, row.last, row.fetched))
        rows.append([row.symbol, f"{row.days}", *times])
    show("Cached prices", ["symbol", "days", "first", "last", "fetched"], rows)


def show_prices(quotes):
    """The last days of a table of prices."""
    rows = [[f"{day:%Y-%m-%d}", *row] for day, row in quotes.tail(5).iterrows()]
    origin = origin_of(quotes)
    name, source = one_line(origin.name), one_line(origin.source)
    first, last = (f"{day:%Y-%m-%d}" for day in quotes.index[[0, -1]])
    show(
        f"{name}, {source}: {len(quotes)} days, {first} to {last}, in {origin.unit}",
        ["day", *quotes.columns],
        rows,
    )
