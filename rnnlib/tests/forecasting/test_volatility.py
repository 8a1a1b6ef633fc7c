"""Forecasts of the log variance: its rivals, its scores, several steps."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from rnnlib.data import prices
from rnnlib.forecasting import figures
from rnnlib.forecasting.forecasts import one_step, past_steps, recursive
from rnnlib.forecasting.judging import compare, compare_horizons, error_bands, verdict
from rnnlib.forecasting.naive import baselines, har_paths
from rnnlib.forecasting.problem import Problem
from rnnlib.forecasting.scores import diebold_mariano, qlike
from rnnlib.models.sequence_model import SequenceModel
from rnnlib.training.fit import fit
from rnnlib.training.history import History


@pytest.fixture(scope="module")
def data():
    return Problem(predict="volatility").dataset()


def mse(data, forecast):
    return np.mean((data.actual - forecast) ** 2)


def test_rivals_on_apple(data):
    """The figures were found with other code: cumulative sums for the means, a loop for the EWMA."""
    naive = baselines(data)
    assert list(naive) == ["last value", "EWMA", "HAR", "AR(30)"]
    errors = {name: mse(data, forecast) for name, forecast in naive.items()}
    assert errors == pytest.approx(
        {"last value": 1.01461, "EWMA": 0.96249, "HAR": 0.74036, "AR(30)": 0.74450}, rel=1e-4
    )


def test_har_and_ewma_follow_their_definitions(data):
    level, rows = data.level, data.rows
    terms = np.array(
        [[level[t], level[t - 4 : t + 1].mean(), level[t - 21 : t + 1].mean()] for t in range(21, len(level))]
    )
    past = np.arange(22, data.split.test.start + 1)  # answers
    linear = LinearRegression().fit(terms[past - 22], level[past])
    np.testing.assert_allclose(baselines(data)["HAR"], linear.predict(terms[rows - 22]), rtol=1e-9)

    mean, forecasts = np.exp(level[0]), {}
    for row in range(1, len(level)):
        forecasts[row] = np.log(mean)
        mean = 0.94 * mean + 0.06 * np.exp(level[row])
    np.testing.assert_allclose(baselines(data)["EWMA"], [forecasts[row] for row in rows], rtol=1e-9)


def test_rivals_do_not_see_the_test_part(data):
    first = data.rows[0]
    changed = Problem(predict="volatility").dataset()
    changed.level = data.level.copy()
    changed.level[first:] += 2
    for name, forecast in baselines(data).items():
        assert baselines(changed)[name][0] == forecast[0], name


def test_several_steps_of_har_are_made_one_from_the_other(data):
    paths = har_paths(data, data.rows[:3] - 1, 4)
    np.testing.assert_array_equal(paths[:, 0], baselines(data)["HAR"][:3])
    longer = Problem(predict="volatility").dataset()
    longer.level = np.concatenate([data.level[: data.rows[0]], paths[0]])
    again = har_paths(longer, data.rows[:1] + np.arange(3), 1)[:, 0]
    np.testing.assert_allclose(again, paths[0, 1:], rtol=1e-12)


def test_a_short_past_has_no_har_and_says_so_by_its_name(tmp_path):
    prices.load().iloc[:50][["high", "low", "close"]].to_csv(tmp_path / "short.csv")
    data = Problem(source=tmp_path / "short.csv", predict="volatility", length=5).dataset()
    assert list(baselines(data)) == ["last value", "EWMA", "AR(5)"]
    scores = compare({"mine": data.before + 0.1}, data)
    assert "mine against AR(5)" in verdict(scores, "mine", data)


def test_qlike_follows_its_definition():
    assert qlike([1.0, 2, 3], [1.0, 2, 3]) == 0
    assert qlike(np.ones(3), np.full(3, 0.5)) == pytest.approx(1 - np.log(2))
    assert qlike(np.ones(3), np.full(3, 2.0)) == pytest.approx(np.log(2) - 0.5)
    draws = 4e-4 * np.random.default_rng(0).normal(size=20_000) ** 2  # a proxy as noisy as squared returns
    losses = {level: qlike(draws, np.full(20_000, level * draws.mean())) for level in (0.8, 0.9, 1, 1.1, 1.2)}
    assert min(losses, key=losses.get) == 1  # the best constant is the mean


def test_qlike_does_not_punish_a_forecast_for_aiming_at_the_logarithm(data):
    """Whoever adds a constant to every forecast, past and future, has the same QLIKE."""
    forecast, past = baselines(data)["HAR"], baselines(data, data.past_rows)["HAR"]
    scores = compare({"low": forecast - 0.7, "same": forecast}, data, {"low": past - 0.7, "same": past})
    assert scores.loc["low", ("values", "QLIKE")] == pytest.approx(scores.loc["HAR", ("values", "QLIKE")])
    assert scores.loc["same", ("values", "bias")] == pytest.approx(np.mean(data.actual - forecast))
    assert scores.loc["low", ("values", "bias")] == pytest.approx(
        scores.loc["same", ("values", "bias")] + 0.7
    )
    assert np.isnan(compare({"no past": forecast}, data).loc["no past", ("values", "QLIKE")])


def test_all_are_tested_against_har(data):
    forecast = baselines(data)["HAR"] + np.random.default_rng(0).normal(0, 0.1, len(data.rows))
    scores = compare({"noisy": forecast}, data)
    p = diebold_mariano(data.actual - forecast, data.actual - baselines(data)["HAR"])[1]
    assert scores.loc["noisy", ("Diebold-Mariano", "p vs HAR")] == p
    lines = verdict(scores, "noisy", data)
    assert "noisy against the last value: lower error (p < 0.001)." in lines
    assert "noisy against HAR: " in lines


@pytest.mark.parametrize("features", [None, ["close", "log_variance", "volume"], ["close", "high"]])
@pytest.mark.parametrize("relative", [True, False])
def test_recursive_forecasts_one_by_one(features, relative):
    """Each step is the one-step forecast of a table that holds those before it; prices stand still."""
    data = Problem(predict="volatility", features=features, relative=relative, length=6).dataset()
    model = SequenceModel("gru", len(data.features), 4, 1, rng=0)
    row = 350
    path = recursive(model, data, [row], 3)[0]
    longer = data.frame.iloc[: row + 1].copy()
    for step in range(3):
        level = longer["log_variance"].to_numpy()
        centre = level[None, -6:].mean(axis=1) * relative
        output = model.forward(data.questions(data.inputs(longer)[None, -6:], centre))[0][0, 0]
        forecast = data.to_level(float(output), level[-1], centre[0])
        assert path[step] == pytest.approx(forecast, rel=1e-6)
        longer.loc[data.frame.index[row + step + 1]] = longer.iloc[-1]
        longer.iloc[-1, longer.columns.get_loc("log_variance")] = forecast
        if "volume" in data.features:
            longer.iloc[-1, longer.columns.get_loc("volume")] = longer["volume"].iloc[-2]
    np.testing.assert_allclose(
        recursive(model, data, data.rows - 1, 1)[:, 0], one_step(model, data), rtol=1e-6
    )


def test_horizons_have_har_beside_them(data):
    model = SequenceModel("rnn", 1, 4, 1, rng=0)
    horizons = compare_horizons(model, data, 3)
    assert list(horizons.columns) == ["model", "last value", "HAR", "p"]
    starts = data.rows[:-2]
    errors = data.level[starts + 2] - recursive(model, data, starts - 1, 3)[:, 2]
    rival = data.level[starts + 2] - har_paths(data, starts - 1, 3)[:, 2]
    assert horizons.loc[3, "p"] == pytest.approx(diebold_mariano(errors, rival, 3)[1])
    low, high = error_bands(model, data, 2)
    assert (low < high).all()


def test_other_data_have_no_volatility():
    with pytest.raises(ValueError, match="volatility is that of stocks, not of weather"):
        Problem("weather", predict="volatility")
    with pytest.raises(ValueError, match="relative is for values"):
        Problem(relative=True).dataset()


def test_a_level_that_shifts_can_be_read_relative_in_other_data_too():
    """Prices that rise for ever: a network sees no test price in training, but each window's shape."""
    data = Problem(predict="value", relative=True, length=10).dataset()
    assert np.abs(data.test[0].mean(axis=1)).max() < 1e-4
    model = SequenceModel("rnn", 1, 4, 1, rng=0)
    np.testing.assert_allclose(
        recursive(model, data, data.rows - 1, 1)[:, 0], one_step(model, data), rtol=1e-6
    )


@pytest.mark.slow
def test_why_networks_fall_behind():
    """They read a level that the training part did not have; relative to the window they match HAR."""
    for relative in (True, False):
        data = Problem(predict="volatility", relative=relative).dataset()
        har = mse(data, baselines(data)["HAR"])
        for kind in ("rnn", "lstm", "gru"):
            model = SequenceModel(kind, 1, 16, 1, rng=0)
            fit(model, data.train, data.validation, epochs=15, rng=0, progress=False)
            scores = compare({kind: one_step(model, data)}, data, {kind: past_steps(model, data)})
            error, bias = scores.loc[kind, [("values", "MSE"), ("values", "bias")]]
            assert (error < 1.02 * har) == relative, (kind, relative, error)
            assert (abs(bias) < 0.1) == relative, (kind, relative, bias)


def test_the_figure_shows_har(data):
    history = History([1.0], [1.0], [1.0], 1)
    figure = figures.forecast_figure(history, data, data.before, name="mine")
    labels = [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]
    assert "HAR" in labels
    assert "log variance" in figure.get_suptitle()
