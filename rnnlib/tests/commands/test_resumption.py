"""What a killed training leaves behind, and how it goes on."""

import random
import subprocess
import time

import pytest

from rnnlib.tests.commands.test_commands import LONG, files, start
from rnnlib.training import checkpoint


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
