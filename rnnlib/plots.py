"""Figures. Colours are those of Okabe and Ito, which colour-blind readers can tell apart."""

import numpy as np
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B"


def forecast_figure(history, data, predicted, *, name, title, days=60):
    """Training curve, forecast prices, and forecast returns, one below the other.

    Args:
        history: the History of the training.
        data: the ReturnsDataset of the forecast.
        predicted: log returns for its test days, (n,).
        name: the model's name, for the legend.
        title: says what is shown, and where the data come from.
        days: how many test days at the end to draw.

    Returns:
        A matplotlib Figure.
    """
    figure = Figure(figsize=(8, 9), layout="constrained")
    loss_axes, price_axes, return_axes = figure.subplots(3, 1)
    figure.suptitle(title)

    epochs = np.arange(1, len(history.train_loss) + 1)
    loss_axes.plot(epochs, history.train_loss, "o-", color=BLUE, label="training")
    loss_axes.plot(epochs, history.validation_loss, "s--", color=ORANGE, label="validation")
    loss_axes.axvline(history.best_epoch, color=GREY, linestyle=":", label="best epoch")
    loss_axes.set(xlabel="epoch", ylabel="MSE of scaled returns", title="Training")
    loss_axes.set(xlim=(0.5, len(epochs) + 0.5))
    loss_axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    dates, before, actual = data.dates[-days:], data.before[-days:], data.actual[-days:]
    returns = predicted[-days:]
    price_axes.plot(dates, actual, color="black", label="actual")
    price_axes.plot(dates, before * np.exp(returns), "--", color=ORANGE, label=name)
    price_axes.plot(dates, before, ":", color=BLUE, label="last value")
    price_axes.set(ylabel="adjusted close (US dollars)", title=f"Last {len(dates)} test days: prices")

    return_axes.bar(dates, 100 * np.log(actual / before), color="0.75", label="actual")
    return_axes.plot(dates, 100 * returns, color=ORANGE, label=name)
    return_axes.axhline(0, color=BLUE, linestyle=":", label="last value")
    return_axes.set(ylabel="log return (%)", title="The same days: returns")

    for axes in (loss_axes, price_axes, return_axes):
        axes.legend(loc="best", fontsize="small")
    for axes in (price_axes, return_axes):
        axes.xaxis.set_major_locator(AutoDateLocator(maxticks=6))
        axes.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
    return figure
