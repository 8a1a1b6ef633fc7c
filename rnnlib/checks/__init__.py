"""Checks for the labs: ``checks.rnn_step(rnn_step)`` says whether an answer is right.

One file a lab, or some. A check calls the student's function on random inputs and compares it with
the library's layers; a wrong answer is compared with the exercise's named misconceptions.
"""

from rnnlib.checks.exercise import EXERCISES
from rnnlib.checks.lab01_rnn import (
    clip,
    find_mistakes,
    noisy_memory,
    numerical_gradient,
    rnn_sequence,
    rnn_sequence_backward,
    rnn_step,
    rnn_step_backward,
)
from rnnlib.checks.lab03_lstm import (
    carry_reach,
    counter,
    find_lstm_mistakes,
    lstm_sequence,
    lstm_sequence_backward,
    lstm_step,
    lstm_step_backward,
    sigmoid,
)
from rnnlib.checks.lab04_gru import (
    find_gru_mistakes,
    gru_sequence,
    gru_sequence_backward,
    gru_step,
    gru_step_backward,
)
from rnnlib.checks.lab04_weights import from_pytorch, rnn_as_gru, sample_and_hold
from rnnlib.checks.lab05_min_gru import fading_average, min_gru_gates, recurrence
from rnnlib.checks.lab05_scan import (
    combine,
    find_scan_mistakes,
    log_recurrence,
    parallel_scan,
    recurrence_backward,
)
from rnnlib.checks.lab06_backward import discretise_backward, scan_backward, states_backward
from rnnlib.checks.lab06_block import block, find_mamba_mistakes, mamba_step
from rnnlib.checks.lab06_mamba import causal_conv, discretise, first_bias, step_sizes
from rnnlib.checks.lab06_scan import cloakroom, selective_scan
from rnnlib.checks.verdicts import explain_missing_names

__all__ = [
    "block",
    "carry_reach",
    "causal_conv",
    "clip",
    "cloakroom",
    "combine",
    "counter",
    "discretise",
    "discretise_backward",
    "fading_average",
    "find_gru_mistakes",
    "find_lstm_mistakes",
    "find_mamba_mistakes",
    "find_mistakes",
    "find_scan_mistakes",
    "first_bias",
    "from_pytorch",
    "gru_sequence",
    "gru_sequence_backward",
    "gru_step",
    "gru_step_backward",
    "log_recurrence",
    "lstm_sequence",
    "lstm_sequence_backward",
    "lstm_step",
    "lstm_step_backward",
    "mamba_step",
    "min_gru_gates",
    "noisy_memory",
    "numerical_gradient",
    "parallel_scan",
    "recurrence",
    "recurrence_backward",
    "rnn_as_gru",
    "rnn_sequence",
    "rnn_sequence_backward",
    "rnn_step",
    "rnn_step_backward",
    "sample_and_hold",
    "scan_backward",
    "selective_scan",
    "sigmoid",
    "states_backward",
    "step_sizes",
]

explain_missing_names(EXERCISES)
