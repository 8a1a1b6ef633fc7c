"""Figures. Colours are those of Okabe and Ito, which colour-blind readers can tell apart."""

from itertools import cycle

import numpy as np
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnlib.data.calendar import steps_a_day
from rnnlib.forecasting.drawing import LINE, label, plain_text
from rnnlib.forecasting.naive import HAR, LAST_VALUE, baselines, rivals
from rnnlib.models.registry import MODELS
from rnnlib.tools.names import from_the_right, one_line, shortened

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"
SKY = "#56B4E9"

#: One colour and one line style a model, so that a print without colour can be read too.
PENS = [
    (GREY, (0, (1, 1))),
    (BLUE, "--"),
    (GREEN, "-."),
    (ORANGE, "-"),
    (PURPLE, (0, (3, 1))),
    (SKY, (0, (5, 1, 1, 1))),
]
STYLES = dict(zip(MODELS, cycle(PENS), strict=False))


@plain_text
def forecast_figure(history, data, forecast, *, name):
    """Training curve, forecasts, and forecast changes, one below the other.

    Args:
        history: the History of the training.
        data: the Dataset of the forecast.
        forecast: one-step forecasts for its test part, (n,), in the target's unit.
        name: the model's name, for the legend.

    Returns:
        A matplotlib Figure.
    """
    figure = Figure(figsize=(8, 9), layout="constrained")
    loss_axes, level_axes, change_axes = figure.subplots(3, 1)
    _title(figure, data, "one step ahead")

    epochs = np.arange(1, len(history.train_loss) + 1)
    loss_axes.plot(epochs, history.train_loss, "o-", color=BLUE, label="training")
    loss_axes.plot(epochs, history.validation_loss, "s--", color=ORANGE, label="validation")
    loss_axes.axvline(history.best_epoch, color=GREY, linestyle=":", label="best epoch")
    loss_axes.set(xlabel="epoch", ylabel="loss (scaled)", title="Training")
    loss_axes.set(xlim=(0.5, len(epochs) + 0.5))
    loss_axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

    steps = _shown_steps(data)
    dates, before, actual = data.dates[-steps:], data.before[-steps:], data.actual[-steps:]
    forecast = forecast[-steps:]
    level_axes.plot(dates, actual, color="black", label="actual")
    level_axes.plot(dates, forecast, "--", color=ORANGE, label=label(name))
    level_axes.plot(dates, before, ":", color=BLUE, label=LAST_VALUE)
    if HAR in rivals(data):
        level_axes.plot(dates, baselines(data)[HAR][-steps:], "-.", color=GREEN, label=HAR)
    level_axes.set(ylabel=label(data.quantity), title=f"The last {len(dates)} test steps")

    change, change_label = data.transform.change, label(data.transform.change_label(data.unit))
    width = 0.8 * np.median(np.diff(dates)) if len(dates) > 1 else 0.8
    change_axes.bar(dates, change(actual, before), width=width, color="0.75", label="actual")
    change_axes.plot(dates, change(forecast, before), color=ORANGE, label=label(name))
    change_axes.axhline(0, color=BLUE, linestyle=":", label=LAST_VALUE)
    change_axes.set(ylabel=change_label, title="The same steps: change from the step before")

    for axes in (loss_axes, level_axes, change_axes):
        axes.legend(loc="best", fontsize="small")
    for axes in (level_axes, change_axes):
        _time_axis(axes)
    return figure


@plain_text
def future_figure(data, future, *, name):
    """The latest values, and the forecast of the days to come.

    Args:
        data: the Dataset that the forecast starts from.
        future: DataFrame indexed by the times to come, with the columns forecast, low and high.
        name: the model's name, for the legend.

    Returns:
        A matplotlib Figure.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    _title(figure, data, "the next step" if len(future) == 1 else f"the next {len(future)} steps")
    steps = _shown_steps(data)
    past = data.frame.index[-steps:]
    axes.plot(past, data.level[-steps:], color="black", label="actual")
    axes.plot(future.index, future["forecast"], "o--", color=ORANGE, markersize=4, label=label(name))
    axes.fill_between(
        future.index, future["low"], future["high"], color=ORANGE, alpha=0.2, linewidth=0,
        label="80% of the errors on the test part",
    )  # fmt: skip
    axes.axhline(data.level[-1], color=BLUE, linestyle=":", label=LAST_VALUE)
    axes.set(ylabel=label(data.quantity))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False, fontsize="small")
    _time_axis(axes)
    return figure


@plain_text
def benchmark_figure(table, histories, naive, data):
    """Validation loss, test error, time and memory of each model.

    Args:
        table, histories: what ``benchmark.benchmark`` returns.
        naive: the scores of the naive forecasts, ``judging.compare({}, data)``.
        data: the Dataset of the benchmark.

    Returns:
        A matplotlib Figure.
    """
    figure = Figure(figsize=(9, 7.5), layout="constrained")
    ((loss_axes, error_axes), (time_axes, memory_axes)) = figure.subplots(2, 2)
    kinds, seeds = list(dict.fromkeys(table["model"])), table["seed"].nunique()
    names = " and ".join(kinds) if len(kinds) < 3 else f"{len(kinds)} models"
    _title(figure, data, f"{names}, {f'{seeds} seeds (thick: their mean)' if seeds > 1 else 'one seed'}")

    for kind in kinds:
        colour, line = STYLES[kind]
        curves = [history.validation_loss for (model, _), history in histories.items() if model == kind]
        for curve in curves:
            loss_axes.plot(range(1, len(curve) + 1), curve, color=colour, linestyle=line, alpha=0.35)
        shared = min(map(len, curves))
        mean = np.mean([curve[:shared] for curve in curves], axis=0)
        loss_axes.plot(
            range(1, shared + 1),
            mean,
            color=colour,
            linestyle=line,
            linewidth=2.5,
            marker="o",
            markersize=4,
            label=kind,
        )
    longest = max(len(history.validation_loss) for history in histories.values())
    loss_axes.set(xlabel="epoch", ylabel="validation loss (scaled)", title="Training")
    loss_axes.set(xlim=(0.5, longest + 0.5))
    loss_axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    loss_axes.legend(fontsize="small")

    scale = "returns" if "returns_rmse" in table else "values"
    unit = "log returns in %" if scale == "returns" else data.unit or data.quantity
    factor = 100 if scale == "returns" else 1
    panels = (
        (error_axes, factor * table[f"{scale}_rmse"], label(f"RMSE ({unit})"), "Error on the test part"),
        (time_axes, table["seconds"], "seconds", "Training time"),
        (memory_axes, table["peak_memory_mib"], "MiB", "Peak memory of the training"),
    )
    for axes, values, words, title in panels:
        for place, kind in enumerate(kinds):
            own = values[table["model"] == kind]
            colour = STYLES[kind][0]
            axes.plot([place] * len(own), own, "o", color=colour, alpha=0.6)
            axes.plot([place - 0.25, place + 0.25], [own.mean()] * 2, color=colour, linewidth=3)
        axes.set(xlim=(-0.6, len(kinds) - 0.4), ylabel=words, title=title)
        slant = {"rotation": 30, "ha": "right"} if len(kinds) > 3 else {}
        axes.set_xticks(range(len(kinds)), kinds, **slant)
        if axes is not error_axes:
            axes.set_ylim(0, max(1.1 * values.max(), 0.001))
    for name, line in zip(rivals(data), (":", "--"), strict=True):
        error_axes.axhline(factor * naive.loc[name, (scale, "RMSE")], color=BLUE, linestyle=line, label=name)
    error_axes.margins(y=0.1)
    error_axes.legend(fontsize="small")
    return figure


def _title(figure, data, what):
    """What is shown and where the data come from; the credit, where one is due."""
    origin = data.origin
    name, target = (shortened(text, LINE // 3) for text in (origin.name or data.label, data.label))
    if from_the_right(name):
        name = f"\N{LEFT-TO-RIGHT MARK}{name}"  # it turns itself, not the line
    figure.suptitle(f"{name}, {target}: {what}\n{shortened(origin.source, LINE)}", fontsize="large")
    if origin.credit:
        figure.supxlabel(one_line(origin.credit), fontsize="small", color=GREY)


def _shown_steps(data):
    """Sixty days, or a week of hours."""
    return 60 if steps_a_day(data.frame.index) == 1 else 168


def _time_axis(axes):
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=6))
    axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
    for date in axes.get_xticklabels():
        date.set(rotation=20, horizontalalignment="right")
