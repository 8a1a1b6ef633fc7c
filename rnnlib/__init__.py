"""Recurrent sequence models in NumPy, every forward and backward pass written by hand.

Letters (the same in the book, the code and the checks): B batch, T time steps, D input
features, H hidden size; in Mamba E expanded width, N state size, K convolution kernel, R rank
of Δ; V vocabulary, O outputs of a readout. Sequences are batch first: ``(B, T, D)``.
"""

from rnnlib.interop.torch_lstm import OptimizedLSTM
from rnnlib.models.gru import GRU
from rnnlib.models.lstm import LSTM
from rnnlib.models.mamba import Mamba
from rnnlib.models.mamba_block import MambaBlock
from rnnlib.models.mamba_lm import MambaLM
from rnnlib.models.min_gru import MinGRU
from rnnlib.models.parts.embedding import Embedding
from rnnlib.models.parts.linear import Linear
from rnnlib.models.parts.rms_norm import RMSNorm
from rnnlib.models.rnn import RNN
from rnnlib.models.sequence_model import SequenceModel

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
