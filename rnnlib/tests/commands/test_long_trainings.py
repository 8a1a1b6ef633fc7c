"""Trainings of minutes: what networks can learn, and what a killed one leaves behind."""

import random
import re
import subprocess
import time

import pandas as pd
import pytest

from rnnlib.tests.commands.test_commands import LONG, files, start
from rnnlib.training import checkpoint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "models"),
    [
        ("adding", "lstm,gru,min_gru"),
        ("copying", "lstm,gru,min_gru,mamba"),
        ("induction", "lstm,gru,mamba"),
    ],
)
def test_models_solve_the_synthetic_tasks(run, task, models):
    result = run("tasks", task, "--models", models)
    rows = re.findall(r"^\| (\w+) +\| +\d+ \| (\d) of 3 \|.*\| +(\d+) \|$", result.out, re.M)
    assert [model for model, _, _ in rows] == models.split(",")
    assert all(int(solved) >= 2 for _, solved, _ in rows), result.out


@pytest.mark.slow
@pytest.mark.parametrize(("data", "epochs", "bound"), [("weather", "40", 2.24), ("traffic", "10", 261)])
def test_networks_beat_naive_forecasts_where_there_is_something_to_learn(run, tmp_path, data, epochs, bound):
    arguments = ["--models", "gru,min_gru", "--hidden-size", "32", "--lr", "0.003", "--epochs", epochs]
    assert run("benchmark", "--data", data, *arguments).status == 0
    table = pd.read_csv(tmp_path / "benchmark_results.csv")
    assert (table.groupby("model")["values_mae"].apply(lambda errors: (errors < bound).sum()) >= 2).all()


def kill_at_random(folder, seed, arguments, most):
    """Start the training, kill -9 it at a random moment after an epoch, until one comes to its end."""
    last, moments, kills = folder / "rnn_gru_last.safetensors", random.Random(seed), 0
    while True:
        before = last.stat().st_mtime_ns if last.exists() else None
        process = start(*arguments, "--resume", "--out", str(folder), folder=folder.parent)
        while process.poll() is None and (last.stat().st_mtime_ns if last.exists() else None) == before:
            time.sleep(0.01)
        try:
            longest = moments.uniform(0, 2 if kills else 0.1)  # the first well before the end
            _, errors = process.communicate(timeout=longest if kills < most else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            for file in folder.glob("*.safetensors"):  # what is there is whole
                (checkpoint.load if "best" in file.name else checkpoint.load_training)(file)
        else:
            assert process.returncode == 0, errors
            return kills


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_killed_training_resumes_bit_for_bit(run, tmp_path, seed):
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    assert run(*LONG, "--out", str(whole)).status == 0
    assert kill_at_random(pieces, seed, LONG, most=5) >= 1
    assert files(pieces) == files(whole)  # weights, resume state and figure; nothing temporary is left
