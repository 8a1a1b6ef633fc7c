"""The layers, one file an architecture; :mod:`rnnlib.layers.layer` is their contract."""

from rnnlib.layers.embedding import Embedding
from rnnlib.layers.gru import GRU
from rnnlib.layers.layer import Layer
from rnnlib.layers.linear import Linear
from rnnlib.layers.lstm import LSTM
from rnnlib.layers.mamba import Mamba
from rnnlib.layers.mamba_block import MambaBlock
from rnnlib.layers.min_gru import MinGRU
from rnnlib.layers.optimized_lstm import OptimizedLSTM
from rnnlib.layers.rms_norm import RMSNorm
from rnnlib.layers.rnn import RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Embedding",
    "Layer",
    "Linear",
    "Mamba",
    "MambaBlock",
    "MinGRU",
    "OptimizedLSTM",
    "RMSNorm",
]
