"""Forecasts judged honestly: beside naive ones, with tests, and several steps ahead."""

import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from rnnlib.forecasting.forecasts import recursive
from rnnlib.forecasting.naive import HAR, LAST_VALUE, SEASONAL, baselines, har_paths, rivals
from rnnlib.forecasting.scores import diebold_mariano, direction, mase, qlike

SCALES = ("prices", "returns", "values")
TEST = ("statistic", "p")  # what ``diebold_mariano`` gives, as columns


def compare(forecasts, data, past=None):
    """Score forecasts of the test part, one step ahead, beside the naive ones.

    Args:
        forecasts: name -> (n,), in the target's unit.
        data: the Dataset they belong to.
        past: name -> the same model's forecasts of ``data.past_rows``; for QLIKE alone.

    Returns:
        DataFrame, one row a forecast, the naive ones last. Columns: (scale, metric) with MSE,
        RMSE, MAE, R², MASE, on the scales "prices" and "returns" (log returns) if the target
        is a price, else on "values"; ("direction", fields of Direction); and
        ("Diebold-Mariano", ...), on squared errors of the last scale: statistic and p against
        the last value, "statistic vs AR" and "p vs AR" against the linear model; of a log variance,
        "… vs HAR" against HAR. The scale of MASE is the last value's error in the past.
        A log variance also has "bias", the mean of actual − forecast, and "QLIKE". A good forecast of the
        logarithm is too low for the variance; so for QLIKE the variances exp(forecast) of each
        model are multiplied by the one number that suits its ``past`` best; NaN without a past.

    Raises:
        ValueError: there is not one finite forecast for each test step, or a name is taken.
    """
    naive = baselines(data)
    pasts = (past or {}) | (baselines(data, data.past_rows) if data.has_variance else {})
    if doubles := forecasts.keys() & naive.keys():
        raise ValueError(f"{', '.join(sorted(doubles))}: this name belongs to a naive forecast")
    forecasts, scales = forecasts | naive, _scales(data)
    rows = {}
    for name, values in forecasts.items():
        if np.shape(values) != data.actual.shape:
            raise ValueError(f"{name}: forecasts must have shape {data.actual.shape}, got {np.shape(values)}")
        if not np.isfinite(values).all():
            raise ValueError(
                f"{name}: a forecast is missing or infinite; if the training diverged, lower the rate"
            )
        row = {}
        for scale, (on_scale, past) in scales.items():
            errors = _errors(on_scale(data.actual), on_scale(values), past)
            row |= {(scale, metric): value for metric, value in errors.items()}
        if data.has_variance:
            row["values", "QLIKE"] = _qlike(data, values, pasts.get(name))
            row["values", "bias"] = float(np.mean(data.actual - values))
        calls = direction(data.actual, values, data.before)._asdict()
        row |= {("direction", field): value for field, value in calls.items()}
        *_, (test_scale, _) = scales.values()
        for rival, ending in rivals(data).items():
            own, other = (test_scale(data.actual) - test_scale(forecasts[key]) for key in (name, rival))
            testable = name != rival and np.isfinite(own).all() and np.isfinite(other).all()
            test = diebold_mariano(own, other) if testable else (np.nan, np.nan)
            row |= {("Diebold-Mariano", key + ending): x for key, x in zip(TEST, test, strict=True)}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def verdict(scores, name, data):
    """Two lines on a row of ``compare(…, data)``: how its error compares with those of its two rivals."""
    lines = []
    for rival, ending in rivals(data).items():
        statistic, p = (scores.loc[name, ("Diebold-Mariano", key + ending)] for key in TEST)
        result = (
            "no significant difference" if p >= 0.05 else "lower error" if statistic < 0 else "higher error"
        )
        words = "cannot be tested" if np.isnan(p) else f"{result} (p {p_value(p, '= ')})"
        lines.append(f"{name} against {'the ' if rival == LAST_VALUE else ''}{rival}: {words}.")
    return "\n".join(lines)


def p_value(p, equals=""):
    """A p-value as text."""
    return "-" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{equals}{p:.3f}"


def compare_horizons(model, data, steps):
    """Score recursive forecasts 1 to ``steps`` steps ahead, from every test step that allows it.

    Returns:
        DataFrame, one row a horizon, with the RMSE of the model, of the last value and of the
        seasonal naive forecast and of HAR where there is one (of log returns if the model predicts
        returns, else of values), and the p-value of the Diebold–Mariano test for that horizon,
        against the last value; against HAR where there is one.
    """
    starts = _starts(data, steps)
    ahead = np.arange(steps)
    forecasts = {
        "model": recursive(model, data, starts - 1, steps),
        LAST_VALUE: np.repeat(data.level[starts - 1, None], steps, axis=1),
    }
    season = data.origin.season
    if season and starts[0] >= season:
        forecasts[SEASONAL] = data.level[starts[:, None] - season + ahead % season]
    if HAR in rivals(data):
        forecasts[HAR] = har_paths(data, starts - 1, steps)
    actual = data.level[starts[:, None] + ahead]
    errors = {name: data.transform.difference(actual, values) for name, values in forecasts.items()}
    table = pd.DataFrame(
        {name: np.sqrt(np.mean(e**2, axis=0)) for name, e in errors.items()}, index=ahead + 1
    )
    pairs = zip(errors["model"].T, errors[horizon_rival(data)].T, strict=True)
    table["p"] = [diebold_mariano(*pair, horizon)[1] for horizon, pair in enumerate(pairs, start=1)]
    return table.rename_axis("horizon")


def horizon_rival(data):
    """The naive forecast that ``compare_horizons`` tests against."""
    return HAR if HAR in rivals(data) else LAST_VALUE


def error_bands(model, data, steps):
    """Between which limits the middle 80% of the recursive forecasts' errors lay in the test part.

    Returns:
        (low, high): (steps,) each, the 10% and 90% quantiles of the errors actual − forecast
        at each horizon; of logarithms if the model predicts returns.
    """
    starts = _starts(data, steps)
    if len(starts) > 500:  # enough for a quantile; at random, since regular steps may beat with a season
        starts = np.sort(np.random.default_rng(0).choice(starts, 500, replace=False))
    actual = data.level[starts[:, None] + np.arange(steps)]
    errors = data.transform.difference(actual, recursive(model, data, starts - 1, steps))
    return np.quantile(errors, [0.1, 0.9], axis=0)


def _starts(data, steps):
    """The test rows from which ``steps`` rows in a row are measured."""
    measured = np.isin(np.arange(len(data.level) + steps), data.rows)
    starts = data.rows[[measured[row : row + steps].all() for row in data.rows]]
    if len(starts) <= steps:
        raise ValueError(
            f"the test part, {len(data.rows)} steps, is too short to judge forecasts {steps} steps ahead: "
            f"at most {len(data.rows) // 2}, or give more data"
        )
    return starts


def _scales(data):
    """scale -> (function of values at the test steps, the past whose changes are MASE's scale)."""
    past = data.past_level
    if not data.has_returns:
        return {"values": (lambda values: values, past)}
    return {
        "prices": (lambda values: values, past),
        "returns": (lambda values: _log_return(values, data.before), np.log(past)),
    }


def _log_return(values, before):
    """ln(value / before); NaN where a forecast price is not above 0."""
    return np.log(np.where(values > 0, values, np.nan) / before)


def _qlike(data, forecast, past):
    """QLIKE of exp(forecast), multiplied by the number that suits the forecasts of the past best."""
    if past is None:
        return np.nan
    with np.errstate(over="ignore"):  # the forecasts of a training that diverged
        level = np.exp(data.level[data.past_rows] - past).mean()
        return qlike(np.exp(data.actual), level * np.exp(forecast))


def _errors(actual, forecast, past):
    """The errors on one scale; NaN if a forecast has no value there."""
    if not np.isfinite(forecast).all():
        return dict.fromkeys(("MSE", "RMSE", "MAE", "R²", "MASE"), np.nan)
    mse = mean_squared_error(actual, forecast)
    return {
        "MSE": mse,
        "RMSE": mse**0.5,
        "MAE": mean_absolute_error(actual, forecast),
        "R²": r2_score(actual, forecast),
        "MASE": mase(actual, forecast, past),
    }
