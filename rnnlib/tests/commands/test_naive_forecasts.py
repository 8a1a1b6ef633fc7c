"""Weather and traffic: networks beat the naive forecasts."""

import pandas as pd
import pytest


@pytest.mark.slow
@pytest.mark.parametrize(("data", "epochs", "bound"), [("weather", "40", 2.24), ("traffic", "10", 261)])
def test_networks_beat_naive_forecasts_where_there_is_something_to_learn(run, tmp_path, data, epochs, bound):
    arguments = ["--models", "gru,min_gru", "--hidden-size", "32", "--lr", "0.003", "--epochs", epochs]
    assert run("benchmark", "--data", data, *arguments).status == 0
    table = pd.read_csv(tmp_path / "benchmark_results.csv")
    assert (table.groupby("model")["values_mae"].apply(lambda errors: (errors < bound).sum()) >= 2).all()
