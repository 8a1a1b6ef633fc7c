"""Recurrent sequence models in NumPy, every forward and backward pass written by hand.

Letters (the same in the book, the code and the checks): B batch, T time steps, D input
features, H hidden size; in Mamba E expanded width, N state size, K convolution kernel, R rank
of Δ; V vocabulary. Sequences are batch first: ``(B, T, D)``.
"""

from rnnlib.layers import GRU, LSTM, RNN, Embedding, Linear, Mamba, MambaBlock, MinGRU, OptimizedLSTM, RMSNorm
from rnnlib.mamba_lm import MambaLM
from rnnlib.model import SequenceModel

__version__ = "0.1.0"
__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Embedding",
    "Linear",
    "Mamba",
    "MambaBlock",
    "MambaLM",
    "MinGRU",
    "OptimizedLSTM",
    "RMSNorm",
    "SequenceModel",
    "__version__",
]
