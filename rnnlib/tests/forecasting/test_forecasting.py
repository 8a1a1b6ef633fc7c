"""Forecasts, naive rivals, scores: against definitions written out, and figures computed elsewhere."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from rnnlib import SequenceModel
from rnnlib.data import prices, traffic
from rnnlib.data.dataset import make_dataset
from rnnlib.data.origin import Origin
from rnnlib.forecasting.forecasts import one_step, recursive
from rnnlib.forecasting.judging import compare, compare_horizons, error_bands, verdict
from rnnlib.forecasting.naive import baselines
from rnnlib.forecasting.problem import Problem
from rnnlib.forecasting.scores import diebold_mariano, direction, mase
from rnnlib.tests.data.test_data import FEATURES, random_walk
from rnnlib.training.fit import fit

seeds = st.integers(0, 2**32 - 1)


def aapl(**options):
    return make_dataset(prices.load(), **options)


def test_scores_of_the_last_value_on_apple():
    """The figures of facts computed independently of this code."""
    data = aapl(length=20)
    scores = compare({}, data)
    last = scores.loc["last value"]
    assert len(data.dates) == 654
    assert last["prices", "RMSE"] == pytest.approx(1.08, abs=0.005)
    assert last["prices", "R²"] == pytest.approx(0.9954, abs=5e-5)
    linear = scores.loc["AR(20)"]
    assert linear["returns", "R²"] == pytest.approx(-0.015, abs=5e-4)
    assert linear["direction", "accuracy"] == pytest.approx(0.492, abs=5e-4)
    assert linear["direction", "base_rate"] == pytest.approx(0.521, abs=5e-4)
    errors = data.actual - baselines(data)["AR(20)"], data.actual - data.before
    assert diebold_mariano(*errors)[1] == pytest.approx(0.39, abs=0.005)


def test_a_perfect_forecast():
    data = aapl()
    scores = compare({"oracle": data.actual}, data)
    assert list(scores.index) == ["oracle", "last value", "AR(30)"]
    oracle = scores.loc["oracle"]
    for scale in ("prices", "returns"):
        assert list(oracle[scale][["MSE", "RMSE", "MAE", "R²", "MASE"]]) == [0, 0, 0, 1, 0]
    assert oracle["direction", "accuracy"] == oracle["direction", "high"] == 1
    assert oracle["Diebold-Mariano", "p"] < 1e-10
    assert oracle["Diebold-Mariano", "statistic"] < 0
    assert oracle["Diebold-Mariano", "statistic vs AR"] < 0
    assert verdict(scores, "oracle", data) == (
        "oracle against the last value: lower error (p < 0.001).\n"
        "oracle against AR(30): lower error (p < 0.001)."
    )


@given(seeds)
def test_scores_follow_their_definitions(seed):
    data = make_dataset(random_walk(), FEATURES, length=3)
    forecasts = data.before * np.exp(0.02 * np.random.default_rng(seed).standard_normal(len(data.rows)))
    row = compare({"guess": forecasts}, data).loc["guess"]
    scales = {
        "prices": (data.actual, forecasts, data.level[: data.rows[0]]),
        "returns": (
            np.log(data.actual / data.before),
            np.log(forecasts / data.before),
            np.log(data.level[: data.rows[0]]),
        ),
    }
    for scale, (actual, guess, past) in scales.items():
        error = guess - actual
        assert row[scale, "MSE"] == pytest.approx(np.mean(error**2))
        assert row[scale, "RMSE"] == pytest.approx(np.sqrt(np.mean(error**2)))
        assert row[scale, "MAE"] == pytest.approx(np.mean(np.abs(error)))
        assert row[scale, "R²"] == pytest.approx(1 - np.sum(error**2) / np.sum((actual - actual.mean()) ** 2))
        assert row[scale, "MASE"] == pytest.approx(np.mean(np.abs(error)) / np.mean(np.abs(np.diff(past))))


@pytest.mark.parametrize("predict", ["return", "value"])
def test_baselines(predict):
    table = random_walk()
    data = make_dataset(table, FEATURES, "close", predict, length=4, origin=Origin(season=7))
    naive = baselines(data)
    assert list(naive) == ["last value", "seasonal naive", "AR(4)"]
    close = table["close"]
    np.testing.assert_array_equal(naive["last value"], close.shift(1)[data.dates])
    np.testing.assert_array_equal(naive["seasonal naive"], close.shift(7)[data.dates])
    series = np.log(close).diff() if predict == "return" else close.iloc[1:].reindex(close.index)
    lags = pd.DataFrame({k: series.shift(k) for k in range(1, 5)} | {"one": 1.0})
    known = (lags.notna().all(axis=1) & (close.index < data.dates[0])).to_numpy()
    weights, *_ = np.linalg.lstsq(lags[known].to_numpy(), series[known].to_numpy())
    expected = lags.loc[data.dates].to_numpy() @ weights
    if predict == "return":
        expected = data.before * np.exp(expected)
    np.testing.assert_allclose(naive["AR(4)"], expected, rtol=1e-8)


def test_baselines_do_not_see_the_test_part():
    other = random_walk()
    other.iloc[-1] *= 2
    first, second = (baselines(make_dataset(table)) for table in (random_walk(), other))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_no_season_without_enough_steps():
    for season, there in ((319, True), (321, False), (None, False)):
        data = make_dataset(random_walk(), origin=Origin(season=season))
        assert ("seasonal naive" in baselines(data)) == there


@given(seeds, st.integers(2, 60), st.integers(1, 8))
def test_diebold_mariano_follows_the_papers(seed, n, horizon):
    """Sums written out, the t distribution from scipy; Bartlett weights if the variance is not above 0."""
    assume(horizon < n)
    a, b = np.random.default_rng(seed).standard_normal((2, n))
    d = [x**2 - y**2 for x, y in zip(a, b, strict=True)]
    mean = sum(d) / n
    gamma = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(horizon)]
    variance = gamma[0] + 2 * sum(gamma[1:])
    if variance <= 0:
        variance = gamma[0] + 2 * sum((1 - k / horizon) * gamma[k] for k in range(1, horizon))
    factor = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    expected = mean / np.sqrt(variance / n) * np.sqrt(factor)
    statistic, p = diebold_mariano(a, b, horizon)
    assert statistic == pytest.approx(expected, rel=1e-6)
    assert p == pytest.approx(2 * stats.t(n - 1).sf(abs(expected)), rel=1e-6)
    back, same = diebold_mariano(b, a, horizon)
    assert (back, same) == (pytest.approx(-statistic), pytest.approx(p))


def test_diebold_mariano_rejects_five_times_in_a_hundred():
    rng = np.random.default_rng(0)
    p = [diebold_mariano(*rng.standard_normal((2, 50)))[1] for _ in range(2000)]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.07
    better = [diebold_mariano(rng.standard_normal(200), 1.5 * rng.standard_normal(200)) for _ in range(50)]
    assert np.mean([statistic < 0 and p < 0.05 for statistic, p in better]) > 0.9


def test_diebold_mariano_refuses_what_it_cannot_judge():
    same = np.arange(5.0)
    assert np.isnan(diebold_mariano(same, same)).all()
    assert np.isnan(diebold_mariano(same, -same)).all()
    for errors, rival, horizon, message in (
        (same, same[:4], 1, "two equal vectors"),
        (same[:, None], same[:, None], 1, "two equal vectors"),
        (same, same * np.nan, 1, "missing or infinite"),
        (same, same + 1, 5, "between 1 and 4"),
        (same, same + 1, 0, "between 1 and 4"),
    ):
        with pytest.raises(ValueError, match=message):
            diebold_mariano(errors, rival, horizon)


def test_mase():
    past = np.array([1.0, 3, 2, 4])
    assert mase([5, 5], [4, 7], past) == pytest.approx(1.5 / (5 / 3))
    assert mase([5, 5], [4, 7], past, season=2) == pytest.approx(1.5 / 1)
    assert np.isnan(mase([5], [4], np.ones(3)))
    for season in (0, 4):
        with pytest.raises(ValueError, match=f"a season of {season} needs more"):
            mase([5], [4], past, season)


def test_direction():
    before = np.full(6, 10.0)
    actual = np.array([11, 12, 9, 10, 13, 8])
    guess = np.array([10.5, 9, 9.5, 11, 10, 7])  # right, wrong, right, did not move, no call, right
    calls = direction(actual, guess, before)
    assert (calls.accuracy, calls.base_rate, calls.n) == (0.6, 0.6, 5)
    z = stats.norm.ppf(0.975)
    centre, half = (0.6 + z**2 / 10) / (1 + z**2 / 5), z * np.sqrt(0.24 / 5 + z**2 / 100) / (1 + z**2 / 5)
    assert (calls.low, calls.high) == (pytest.approx(centre - half), pytest.approx(centre + half))
    assert np.isnan(direction(actual, before, before).accuracy)
    assert direction(before, guess, before).n == 0


def test_compare_refuses_what_does_not_fit():
    data = aapl()
    with pytest.raises(ValueError, match=r"rnn: forecasts must have shape \(654,\), got \(654, 1\)"):
        compare({"rnn": data.actual[:, None]}, data)
    with pytest.raises(ValueError, match="rnn: a forecast is missing"):
        compare({"rnn": np.full(654, np.nan)}, data)


def test_a_price_below_zero_has_no_return():
    data = aapl(predict="value")
    scores = compare({"rnn": np.where(np.arange(654) == 3, -1.0, data.before)}, data)
    assert np.isfinite(scores.loc["rnn", ("prices", "RMSE")])
    assert np.isnan(scores.loc["rnn", ("returns", "RMSE")])
    assert "against the last value: cannot be tested" in verdict(scores, "rnn", data)


def test_other_series_have_values_alone():
    data = Problem("weather").dataset()
    scores = compare({}, data)
    assert "values" in scores
    assert "returns" not in scores
    assert scores.loc["last value", ("values", "MAE")] == pytest.approx(2.24, abs=0.005)
    assert scores.loc["seasonal naive", ("values", "MAE")] == pytest.approx(3.77, abs=0.005)
    hours = make_dataset(traffic.load(), ["traffic_volume"], "traffic_volume", "value", fill_gaps=True)
    scores = compare({}, hours)
    assert scores.loc["seasonal naive", ("values", "MAE")] == pytest.approx(261, abs=0.5)
    assert scores.loc["last value", ("values", "MAE")] == pytest.approx(582, abs=0.5)


def constant(data, value):
    """A model that always answers ``value``."""
    model = SequenceModel("rnn", len(data.features), 4, 1, rng=0)
    model.params["readout.W"][...] = 0
    model.params["readout.b"][...] = value
    return model


def test_forecasts_are_prices_again():
    data = aapl()
    expected = data.before * np.exp(data.scaling.target_mean + 2 * data.scaling.target_std)
    np.testing.assert_allclose(one_step(constant(data, 2), data), expected, rtol=1e-6)
    data = aapl(predict="value")
    expected = data.scaling.target_mean - data.scaling.target_std
    np.testing.assert_allclose(one_step(constant(data, -1), data), expected, rtol=1e-6)


def test_a_model_learns_returns_that_can_be_learnt():
    """Returns that alternate: the model must beat the last value by far, on both scales."""
    steps = 0.02 * np.tile([1, -1], 200) + 0.002 * np.random.default_rng(0).standard_normal(400)
    close = 50 * np.exp(np.cumsum(steps))
    table = pd.DataFrame({"close": close}, index=pd.bdate_range("2020-01-01", periods=400))
    data = make_dataset(table, length=5)
    model = SequenceModel("rnn", 1, 8, 1, rng=0)
    fit(model, data.train, data.validation, epochs=30, lr=1e-2, progress=False)
    scores = compare({"rnn": one_step(model, data)}, data)
    for scale in ("prices", "returns"):
        assert scores.loc["rnn", (scale, "RMSE")] < 0.3 * scores.loc["last value", (scale, "RMSE")]
    assert "rnn against the last value: lower error (p < 0.001)" in verdict(scores, "rnn", data)
    horizons = compare_horizons(model, data, 4)
    assert (horizons["p"].iloc[[0, 2]] < 0.001).all()  # after 2 or 4 steps the price is back where it was
    assert (horizons["model"].iloc[[0, 2]] < 0.3 * horizons["last value"].iloc[[0, 2]]).all()


@pytest.mark.parametrize("predict", ["return", "value"])
def test_recursive_forecasts_one_by_one(predict):
    """Each step is the one-step forecast of a table that holds the forecasts before it."""
    table = random_walk()
    data = make_dataset(table, FEATURES, "close", predict, length=6)
    model = SequenceModel("gru", 3, 4, 1, rng=0)
    row, steps = 350, 4
    path = recursive(model, data, [row], steps)[0]
    longer = table.iloc[: row + 1].copy()
    for step in range(steps):
        output = model.forward(data.questions(data.inputs(longer)[None, -6:], np.zeros(1)))[0][0, 0]
        level = data.to_level(float(output), longer["close"].iloc[-1])
        assert path[step] == pytest.approx(level, rel=1e-5)
        longer.loc[table.index[row + step + 1]] = [level, *longer.iloc[-1, 1:]]  # the rest stays
    np.testing.assert_allclose(
        recursive(model, data, data.rows - 1, 1)[:, 0], one_step(model, data), rtol=1e-6
    )


def test_recursive_forecasts_know_the_calendar():
    data = Problem("weather", features=["year_sin", "temp_max", "year_cos"], length=2).dataset()
    model = SequenceModel("rnn", 3, 4, 1, rng=0)
    row = len(data.frame) - 4
    path = recursive(model, data, [row], 3)[0]
    known = data.frame.copy()
    for step in range(3):
        inputs = data.inputs(known.iloc[: row + step + 1])
        output = model.forward(data.questions(inputs[None, -2:], np.zeros(1)))[0]
        assert path[step] == pytest.approx(data.to_level(float(output[0, 0]), None), rel=1e-5)
        known.iloc[row + step + 1, 0] = path[step]
    assert data.frozen_features == []
    assert Problem("weather").dataset().frozen_features == ["temp_min", "precipitation", "wind"]
    assert recursive(model, data, [len(data.frame) - 1], 400).shape == (1, 400)


def test_the_seasonal_naive_forecast_at_each_horizon():
    data = make_dataset(random_walk(), predict="value", origin=Origin(season=3))
    model = constant(data, 0)
    horizons = compare_horizons(model, data, 5)
    rows = data.rows[:-4]
    paths = recursive(model, data, rows - 1, 5)
    for horizon in range(1, 6):
        actual = data.level[rows + horizon - 1]
        errors = actual - paths[:, horizon - 1], actual - data.level[rows - 1]
        assert horizons["p"][horizon] == diebold_mariano(*errors, horizon)[1]
    for horizon, back in zip(range(1, 6), (3, 3, 3, 6, 6), strict=True):
        error = data.level[rows + horizon - 1] - data.level[rows + horizon - 1 - back]
        assert horizons["seasonal naive"][horizon] == pytest.approx(np.sqrt(np.mean(error**2)))


def test_recursive_forecasts_need_a_window():
    data = aapl()
    for rows, steps, message in (
        ([29], 1, "rows must lie between 30"),
        ([3270], 1, "rows must lie"),
        ([99], 0, "at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            recursive(constant(data, 0), data, rows, steps)


def test_horizons_and_bands_of_the_last_value():
    """A model that says "no change" has the last value's errors at every horizon."""
    data = aapl()
    still = constant(data, -data.scaling.target_mean / data.scaling.target_std)
    horizons = compare_horizons(still, data, 5)
    np.testing.assert_allclose(horizons["model"], horizons["last value"], rtol=1e-4)
    low, high = error_bands(still, data, 5)
    rows = data.rows[:-4]
    for horizon in range(1, 6):
        change = np.log(data.level[rows + horizon - 1] / data.level[rows - 1])
        inside = (change >= low[horizon - 1]) & (change <= high[horizon - 1])
        assert inside.mean() == pytest.approx(0.8, abs=0.02)
        assert horizons["model"][horizon] == pytest.approx(np.sqrt(np.mean(change**2)), rel=1e-4)
    with pytest.raises(ValueError, match="is too short to judge forecasts 400 steps ahead: at most"):
        compare_horizons(still, data, 400)


def test_verdicts():
    data = make_dataset(random_walk())
    scores = compare({"gru": np.full(80, 40.0)}, data)
    for statistic, p, words in (
        (-1.0, 0.3, "no significant difference (p = 0.300)"),
        (-2.5, 0.013, "lower error (p = 0.013)"),
        (9.0, 1e-9, "higher error (p < 0.001)"),
        (np.nan, np.nan, "cannot be tested"),
    ):
        scores.loc["gru", [("Diebold-Mariano", key) for key in ("statistic", "p")]] = statistic, p
        scores.loc["gru", [("Diebold-Mariano", f"{key} vs AR") for key in ("statistic", "p")]] = -9.0, 0.04
        assert verdict(scores, "gru", data) == (
            f"gru against the last value: {words}.\ngru against AR(30): lower error (p = 0.040)."
        )


def test_the_rivals_of_the_test():
    data = aapl(length=20)
    scores = compare({"worse": data.before * 1.01}, data)
    tests = scores["Diebold-Mariano"]
    assert np.isnan(tests.loc["last value", ["statistic", "p"]]).all()
    assert np.isnan(tests.loc["AR(20)", ["statistic vs AR", "p vs AR"]]).all()
    assert tests.loc["last value", "statistic vs AR"] == -tests.loc["AR(20)", "statistic"]
    returns = np.log(data.actual / data.before)
    errors = returns - np.log(1.01), returns - np.log(baselines(data)["AR(20)"] / data.before)
    assert tests.loc["worse", "p vs AR"] == pytest.approx(diebold_mariano(*errors)[1])
    with pytest.raises(ValueError, match=r"AR\(20\), last value: this name belongs to a naive forecast"):
        compare({"last value": data.before, "AR(20)": data.before}, data)
