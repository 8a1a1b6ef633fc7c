"""Checks for the labs: ``checks.rnn_step(rnn_step)`` says whether an answer is right.

One file a lab. A check calls the student's function on random inputs and compares it with
the library's layers; a wrong answer is compared with the exercise's named misconceptions.
"""

from rnnlib.checks.lab01_rnn import numerical_gradient, rnn_sequence, rnn_step, rnn_step_backward

__all__ = ["numerical_gradient", "rnn_sequence", "rnn_step", "rnn_step_backward"]
