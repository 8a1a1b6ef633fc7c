"""Which training is it, and are these its data?"""

import functools
import json
import re
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.forecasting import experiment
from rnnlib.forecasting.identity import OtherData, check_same, difference, remembered
from rnnlib.forecasting.problem import Problem
from rnnlib.training import checkpoint

SMALL = {"options": {"hidden_size": 2}, "optimizer": {"kind": "adam", "lr": 1e-3}}


@functools.cache
def apple():
    return Problem(length=3).dataset()


def prices(n=120, seed=0):
    days = pd.bdate_range("2024-01-01", periods=n)
    close = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(seed).standard_normal(n)))
    volume = np.random.default_rng(seed + 1).integers(100, 999, n)
    return pd.DataFrame({"date": days, "close": close, "volume": volume})


def trained(folder, predict, table=None, features=("close",)):
    """The file of a short training on these prices."""
    table = prices() if table is None else table
    table.to_csv(folder / "then.csv", index=False)
    problem = Problem(source=folder / "then.csv", predict=predict, length=3, features=list(features))
    settings = {"epochs": 1}
    experiment.train(problem, "rnn", settings=settings, out=folder, **SMALL)
    return folder / "rnn_rnn_best.safetensors"


def told(best, table):
    """What loading the file with other prices says; None if nothing."""
    table.to_csv(best.parent / "now.csv", index=False)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        try:
            experiment.load(best, best.parent / "now.csv")
        except ValueError as error:
            return f"refused: {error}"
    assert all(note.category is OtherData for note in notes)
    return str(notes[0].message) if notes else None


def test_prices_after_a_split_are_refused_where_prices_are_forecast(tmp_path):
    best, table = trained(tmp_path, "value"), prices()
    table["close"] /= 4
    message = told(best, table)
    assert message.startswith(f"refused: these data are not those of {best}: on 2024-01-")
    assert "(all × 0.25: a split since?); give those of then with source, or train anew" in message
    assert "\n" not in message


def test_a_constant_factor_does_not_count_where_returns_are_forecast(tmp_path):
    best, table = trained(tmp_path, "return"), prices()
    for factor in (0.25, 1 / 3, 1000):
        assert told(best, table.assign(close=factor * table["close"])) is None


@pytest.mark.parametrize("predict", ["return", "value"])
def test_the_same_prices_are_the_same(tmp_path, predict):
    best = trained(tmp_path, predict, prices(120))
    assert told(best, prices(120)) is None
    longer = pd.concat([prices(120), prices(150, seed=5)[120:]])
    assert told(best, longer) is None  # newer days
    assert told(best, longer[10:]) is None  # and the oldest left out
    rounded = prices(120).round({"close": 2})
    assert told(best, rounded) is None


@pytest.mark.parametrize("predict", ["return", "value"])
def test_other_prices_are_not_the_same(tmp_path, predict):
    best = trained(tmp_path, predict)
    others = {
        "another stock": (prices(seed=3), r"on 2024-0\d-\d\d close was [\d.]+, and is now [\d.]+$"),
        "other days": (
            prices().assign(date=pd.bdate_range("2031-01-01", periods=120)),
            "they have none of the days from 2024-01-02 to 2024-0",
        ),
        "a day late": (prices().assign(date=pd.bdate_range("2024-01-02", periods=120)), "close was"),
    }
    for name, (table, words) in others.items():
        message = told(best, table)
        if name == "other days":  # the test part of then is not in it either
            assert message.startswith("refused: ")
            continue
        assert message.startswith("refused: ") == (predict == "value"), name
        assert re.search(words, message.split("; give")[0]), message


def test_a_feature_that_is_another_is_named(tmp_path):
    best = trained(tmp_path, "value", features=("close", "volume"))
    message = told(best, prices().assign(volume=lambda table: table["volume"] * 50))
    assert "what the network reads of volume on 2024-01-" in message
    assert told(best, prices()) is None


def test_a_return_that_is_another_is_named_where_its_price_is_the_same(tmp_path):
    best, table = trained(tmp_path, "return"), prices()
    message = told(best, table.assign(close=table["close"].where(table.index != table.index[0], 1)))
    assert "the change of close on 2024-01-" in message
    assert message.endswith(" is another")


def test_a_file_of_prices_that_has_moved_is_named(tmp_path):
    best = trained(tmp_path, "return")
    (tmp_path / "then.csv").rename(tmp_path / "moved.csv")
    with pytest.raises(FileNotFoundError, match=r"no file .*if the file of prices has moved, name it with"):
        experiment.load(best)


def test_a_file_that_names_its_symbol_may_lie_under_another_name(tmp_path):
    """Where the training had no symbol it is called after the file; that of now is called after its own."""
    table = prices().drop(columns="volume").rename(columns={"date": "Date", "close": "AAPL"})
    table.to_csv(tmp_path / "then.csv", index=False)
    problem = Problem(source=tmp_path / "then.csv", length=3)
    experiment.train(problem, "rnn", settings={"epochs": 1}, out=tmp_path, **SMALL)
    assert told(tmp_path / "rnn_rnn_best.safetensors", table) is None


def test_a_file_from_before_still_loads(tmp_path):
    best = trained(tmp_path, "value")
    model, extra = checkpoint.load(best)
    del extra["data"]
    checkpoint.save(best, model, **extra)
    assert told(best, prices().assign(close=lambda table: table["close"] / 4)) is None


@pytest.mark.parametrize("data", [3, [], {}, {"days": []}, {"days": ["2024-01-02"]}, "text"])
def test_damaged_days_are_told(tmp_path, data):
    best = trained(tmp_path, "value")
    model, extra = checkpoint.load(best)
    checkpoint.save(best, model, **extra | {"data": data})
    message = told(best, prices())
    assert message.startswith("refused: ")
    assert "its data are not described" in message


@pytest.mark.parametrize("kind", ["weather", "traffic"])
def test_the_days_of_other_series_are_the_same_tomorrow(kind):
    data = Problem(kind, length=3).dataset()
    then = json.loads(json.dumps(remembered(data)))
    assert len(then["days"]) == 24
    assert len(json.dumps(then)) < 5000
    assert difference(then, data) is None
    assert difference(then, replace(data, level=data.level * 1.5)) is not None


@given(st.floats(0.01, 100))
def test_no_factor_is_a_difference_of_returns(factor):
    data = apple()
    frame = data.frame * factor
    frame.attrs = data.frame.attrs
    then = remembered(data)
    assert difference(then, replace(data, frame=frame, level=data.level * factor)) is None


def test_resumption_does_not_ask_where_the_data_lie(tmp_path):
    """The same numbers in another folder, under another name: bit for bit the same training."""
    prices().to_csv(tmp_path / "then.csv", index=False)
    (tmp_path / "moved").mkdir()
    shutil.copy(tmp_path / "then.csv", tmp_path / "moved" / "now.csv")

    def go_on(source, epochs, out, resume=True, patience=9):
        problem, settings = Problem(source=tmp_path / source, length=3), {"epochs": epochs}
        settings["patience"] = patience
        return experiment.train(problem, "rnn", settings=settings, out=tmp_path / out, resume=resume, **SMALL)

    whole, _, history = go_on("then.csv", 4, "whole", resume=False)
    go_on("then.csv", 2, "pieces", resume=False)
    model, _, same = go_on("moved/now.csv", 4, "pieces")
    assert same == history
    for name, p in whole.params.items():
        np.testing.assert_array_equal(model.params[name], p)
    experiment.load(tmp_path / "pieces" / "rnn_rnn_best.safetensors")
    prices(seed=2).to_csv(tmp_path / "then.csv", index=False)
    with pytest.raises(ValueError, match=r"on other data \(source = .*now\.csv, not .*then\.csv\): give"):
        go_on("then.csv", 5, "pieces")
    prices(seed=2).to_csv(tmp_path / "moved" / "now.csv", index=False)
    with pytest.raises(ValueError, match="the data have changed since: give them as they were, or train"):
        go_on("moved/now.csv", 5, "pieces")


def test_more_patience_goes_on_and_less_is_another_training(tmp_path):
    prices().to_csv(tmp_path / "then.csv", index=False)
    problem = Problem(source=tmp_path / "then.csv", length=3)
    still = SMALL | {"optimizer": {"kind": "sgd", "lr": 1e-12}}  # nothing gets better

    def go_on(patience, resume=True, epochs=20):
        settings = {"epochs": epochs, "patience": patience}
        return experiment.train(problem, "rnn", settings=settings, out=tmp_path, resume=resume, **still)[2]

    first = go_on(2, resume=False)
    assert len(first.train_loss) == first.best_epoch + 2 < 20
    longer = go_on(5)
    assert len(longer.train_loss) == longer.best_epoch + 5
    assert longer.train_loss[: len(first.train_loss)] == first.train_loss
    assert len(go_on(5, epochs=8).train_loss) == len(longer.train_loss)  # fewer epochs than there were
    with pytest.raises(experiment.OtherSetting, match="patience = 5, not 2"):
        go_on(2)


def resaved(last, change):
    """The file to resume from, as if ``change`` had written its settings."""
    model, training, extra = checkpoint.load_training(last)
    checkpoint.save_training(last, model, training, **change(extra))


def test_a_training_from_before_some_settings_goes_on(tmp_path):
    trained(tmp_path, "return")
    problem = Problem(source=tmp_path / "then.csv", predict="return", length=3)
    old = {"relative", "dates"}
    resaved(
        tmp_path / "rnn_rnn_last.safetensors",
        lambda extra: extra | {"problem": {k: v for k, v in extra["problem"].items() if k not in old}},
    )
    _, _, history = experiment.train(
        problem, "rnn", settings={"epochs": 3}, out=tmp_path, resume=True, **SMALL
    )
    assert len(history.train_loss) == 3


@pytest.mark.parametrize("problem", [None, {}, {"data": "gold"}, {"colour": 1}])
def test_a_training_of_something_else_is_told(tmp_path, problem):
    trained(tmp_path, "return")
    resaved(tmp_path / "rnn_rnn_last.safetensors", lambda extra: extra | {"problem": problem})
    with pytest.raises((experiment.OtherSetting, ValueError), match="is of a training"):
        experiment.train(
            Problem(source=tmp_path / "then.csv", length=3, predict="value"),
            "rnn",
            settings={"epochs": 2},
            out=tmp_path,
            resume=True,
            **SMALL,
        )


def test_what_differs_is_named_before_the_data():
    then = {"problem": {"start": None, "source": "a", "symbol": "A"}, "fingerprint": "1"}
    now = {"problem": {"start": "2020-01-01", "source": "b", "symbol": "B"}, "fingerprint": "2"}
    with pytest.raises(experiment.OtherSetting, match="start = None, not 2020-01-01"):
        check_same("f", then, now)
    check_same("f", then, {"problem": {"start": None, "source": "c", "symbol": "C"}, "fingerprint": "1"})


@pytest.mark.parametrize(
    "options", [{"features": [3.5j]}, {"features": {"close"}}, {"start": np.array(["2024-01-01"])}]
)
def test_what_no_file_can_hold_is_told_before_the_training(tmp_path, monkeypatch, options):
    prices().to_csv(tmp_path / "then.csv", index=False)
    problem = Problem(source=tmp_path / "then.csv", length=3)
    data = problem.dataset()
    problem = replace(problem, **options)
    monkeypatch.setattr(Problem, "dataset", lambda self, scaling=None: data)
    monkeypatch.setattr(experiment, "fit", None)
    with pytest.raises(TypeError, match="problem cannot be kept in a file: it holds "):
        experiment.train(problem, "rnn", settings={"epochs": 1}, out=tmp_path, **SMALL)
    assert not list(tmp_path.glob("*.safetensors"))


def test_numpy_settings_are_kept(tmp_path):
    prices().to_csv(tmp_path / "then.csv", index=False)
    problem = Problem(source=tmp_path / "then.csv", length=np.int64(3), symbol=np.str_("mine"))
    run = {
        "options": {"hidden_size": np.int64(2), "num_layers": np.int8(1)},
        "optimizer": {"kind": "sgd", "lr": np.float32(0.01), "momentum": np.float64(0.5)},
        "settings": {"epochs": np.int64(2), "max_norm": np.float32(1.0), "patience": np.int16(3)},
        "seed": np.int64(1),
        "out": tmp_path,
    }
    _, _, history = experiment.train(problem, "gru", **run)
    assert experiment.train(problem, "gru", **run, resume=True)[2] == history
    experiment.load(str(tmp_path / "rnn_gru_best.safetensors"))


@pytest.mark.parametrize("name", ["source", "symbol"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_word_is_no_choice(name, value):
    with pytest.raises(ValueError, match=f"the {name} is empty: name one, or leave it out"):
        Problem(**{name: value})
