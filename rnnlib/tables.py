"""Tables for the terminal: plain ASCII rules, so that they survive a file, a pipe and an old console."""

import sys

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from rnnlib.tasks import HELD_OUT


def show(title, columns, rows):
    """Print a title and a table; the first column is on the left, the others on the right."""
    table = Table(box=box.ASCII2)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else number(cell) for cell in row))
    print(f"\n{title}")
    Console(file=sys.stdout, color_system=None, highlight=False).print(table)


def number(value):
    """Four digits; a dash where there is none."""
    return "-" if np.isnan(value) else f"{value:.4g}"


def spread(values):
    """Mean and standard deviation over the seeds, with four digits of the mean (three decimals at most)."""
    mean = values.mean()
    decimals = int(np.clip(3 - np.floor(np.log10(abs(mean))), 0, 3)) if mean else 3
    deviation = f" ± {values.std():.{decimals}f}" if len(values) > 1 else ""
    return f"{mean:.{decimals}f}{deviation}"


def percent(share):
    """A share as a percentage; a dash where there is none."""
    return "-" if np.isnan(share) else f"{share:.1%}"


def show_scores(scores, data):
    """The table of ``forecast.compare``: one part a scale, then the comparison with the last value."""
    level = f"{data.target} ({data.frame.attrs.get('unit', 'its unit')})"
    titles = {"prices": level, "returns": "log returns", "values": level}
    scales = [scale for scale in titles if scale in scores.columns.get_level_values(0)]
    for scale in scales:
        rows = [[name, *row] for name, row in scores[scale].iterrows()]
        show(f"Errors: {titles[scale]}", ["forecast", *scores[scale].columns], rows)

    calls, rows = scores["direction"], []
    for name, call in calls.iterrows():
        p = scores.loc[name, ("Diebold-Mariano", "p")]
        interval = f"{percent(call['low'])} to {percent(call['high'])}" if call["low"] >= 0 else "-"
        p = "< 0.001" if p < 0.001 else "-" if np.isnan(p) else f"{p:.3f}"
        rows.append([name, p, percent(call["accuracy"]), interval])
    steps = f"{calls['n'].iloc[0]:.0f} steps"
    show(
        f"Diebold-Mariano test against the last value; direction on the {steps} that moved,\n"
        f"where calling always the same way is right in {percent(calls['base_rate'].iloc[0])}",
        ["forecast", "p", "direction right", "95% interval"],
        rows,
    )


def show_benchmark(table, naive, data):
    """The tables of ``compare.benchmark``: mean and spread over the seeds, and the naive forecasts."""
    scale = "returns" if "returns_rmse" in table else "values"
    unit = "log returns in %" if scale == "returns" else data.frame.attrs.get("unit", "its unit")
    factor = 100 if scale == "returns" else 1
    errors, costs = [], []
    for kind, runs in table.groupby("model", sort=False):
        scores = factor * runs[f"{scale}_rmse"], factor * runs[f"{scale}_mae"], runs[f"{scale}_r2"]
        errors.append([kind, *map(spread, scores), percent(runs["direction_accuracy"].mean())])
        weights = f"{runs['parameters'].iloc[0]}"
        costs.append([kind, weights, spread(runs["seconds"]), spread(runs["peak_memory_mib"])])
    for name, row in naive.iterrows():
        scores = factor * row[scale, "RMSE"], factor * row[scale, "MAE"], row[scale, "R²"]
        errors.append([name, *(spread(pd.Series([score])) for score in scores),
                       percent(row["direction", "accuracy"])])  # fmt: skip
    title = f"{table['seed'].nunique()} seeds, mean ± standard deviation; errors of {unit}"
    show(title, ["forecast", "RMSE", "MAE", "R²", "direction"], errors)
    show("The training's cost", ["model", "weights", "seconds", "peak MiB"], costs)


def show_tasks(name, table, task):
    """The table of ``tasks.compare``: one row a model, over its seeds."""
    score, digits = ("MSE", ".4f") if task.loss == "mse" else ("wrong answers", ".1%")
    rows = []
    for kind, runs in table.groupby(level="model", sort=False):
        solved = f"{runs['solved'].sum()} of {len(runs)}"
        low, high = runs["score"].min(), runs["score"].max()
        steps = f"{runs['steps'].min()} to {runs['steps'].max()}"
        weights, seconds = f"{runs['parameters'].iloc[0]}", f"{runs['seconds'].max():.0f}"
        rows.append([kind, weights, solved, f"{low:{digits}} to {high:{digits}}", steps, seconds])
    show(
        f"{name}: solved if {score} at most {task.goal:g}, on {HELD_OUT} sequences never seen before",
        ["model", "weights", "solved", score, "steps", "longest, s"],
        rows,
    )


def show_horizons(horizons):
    """The table of ``forecast.compare_horizons``."""
    rows = [[f"{horizon}", *row] for horizon, row in horizons.iterrows()]
    show("Recursive forecasts, several steps ahead", ["steps ahead", "RMSE", "of last value", "DM p"], rows)


def show_future(table, data):
    """The table of ``experiment.future``."""
    hourly = (table.index != table.index.normalize()).any()
    rows = [
        [
            f"{time:%Y-%m-%d %H:%M}" if hourly else f"{time:%Y-%m-%d}",
            row.forecast,
            f"{row.low:.4g} to {row.high:.4g}",
        ]
        for time, row in zip(table.index, table.itertuples(), strict=True)
    ]
    unit = data.frame.attrs.get("unit", "its unit")
    show(f"{data.target} ({unit})", ["time" if hourly else "day", "forecast", "80% of past errors"], rows)


def show_cache(cached):
    """What the cache of prices holds."""
    rows = []
    for row in cached.itertuples():
        times = (f"{pd.Timestamp(time):%Y-%m-%d}" for time in (row.first, row.last, row.fetched))
        rows.append([row.symbol, f"{row.days}", *times])
    show("Cached prices", ["symbol", "days", "first", "last", "fetched"], rows)


def show_prices(quotes):
    """The last days of a table of prices."""
    rows = [[f"{day:%Y-%m-%d}", *row] for day, row in quotes.tail(5).iterrows()]
    attrs = quotes.attrs
    first, last = (f"{day:%Y-%m-%d}" for day in quotes.index[[0, -1]])
    show(
        f"{attrs['symbol']}, {attrs['source']}: {len(quotes)} days, {first} to {last}, in {attrs['unit']}",
        ["day", *quotes.columns],
        rows,
    )
