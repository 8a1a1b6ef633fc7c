"""Scores on the synthetic tasks, and figures of forecasts: what they show is what was computed."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num

from rnnlib.data.calendar import following
from rnnlib.forecasting import figures
from rnnlib.forecasting.problem import Problem
from rnnlib.training import tasks
from rnnlib.training.history import History


def test_only_what_is_asked_for_is_scored():
    task = tasks.TASKS["copying"]
    output, y = np.zeros((1, 4, 3)), np.array([[-1, -1, 0, 2]])
    assert task.score(output, y) == 0.5  # argmax is 0: right, wrong
    assert tasks.TASKS["adding"].score(np.array([[1.0], [2.0]]), np.array([[1.0], [4.0]])) == 2


def test_the_final_score_is_on_sequences_never_seen():
    drawn = []

    def sample(n, T, rng=None):
        drawn.append(n)
        x = np.random.default_rng(rng).random((n, T, 1)).astype(np.float32)
        return x, x.mean(axis=1) + (
            100 if drawn.count(n) == 2 and n == tasks.HELD_OUT else 0
        )  # the second is the test

    task = tasks.Task(sample, 4, "last", "mse", 1, 0.005)
    row = tasks.solve(task, "rnn", {"hidden_size": 4}, 0, T=4, steps=100, batch_size=8, lr=0.01)
    assert row["score"] > 9000
    assert not row["solved"]


@pytest.mark.parametrize("data", ["stock", "weather"])
def test_the_figure_shows_the_forecast(data):
    dataset = Problem(data, length=3).dataset()
    history = History([3.0, 2.0, 2.5], [3.0, 1.0, 2.0], [1.0, 1.0, 1.0], 2)
    forecast = dataset.before * 1.01
    figure = figures.forecast_figure(history, dataset, forecast, name="gru")
    loss_axes, level_axes, change_axes = figure.axes
    assert list(loss_axes.lines[2].get_xdata()) == [2, 2]  # the best epoch
    lines = {line.get_label(): line for line in level_axes.lines}
    for label, values in (("actual", dataset.actual), ("gru", forecast), ("last value", dataset.before)):
        np.testing.assert_array_equal(lines[label].get_ydata(), values[-60:])
        np.testing.assert_array_equal(date2num(lines[label].get_xdata()), date2num(dataset.dates[-60:]))
    change = {line.get_label(): line for line in change_axes.lines}["gru"].get_ydata()
    expected = np.full(60, 100 * np.log(1.01)) if data == "stock" else 0.01 * dataset.before[-60:]
    np.testing.assert_allclose(change, expected, atol=1e-9)
    assert dataset.origin.source in figure.get_suptitle()
    assert all(axes.get_ylabel() for axes in figure.axes)


def test_the_figure_of_the_future_begins_after_the_past():
    dataset = Problem("traffic", length=3).dataset()

    index = following(dataset.frame.index, 5)

    future = pd.DataFrame({"forecast": range(5), "low": -1.0, "high": 9.0}, index=index)
    figure = figures.future_figure(dataset, future, name="gru")
    past, ahead = figure.axes[0].lines[:2]
    assert date2num(past.get_xdata()[-1]) == date2num(dataset.frame.index[-1])
    assert past.get_ydata()[-1] == dataset.level[-1]
    np.testing.assert_array_equal(date2num(ahead.get_xdata()), date2num(index))
    assert dataset.origin.credit in figure.get_supxlabel()
