"""The layers, one file an architecture; :mod:`rnnlib.layers.layer` is their contract."""

from rnnlib.layers.layer import Layer
from rnnlib.layers.linear import Linear
from rnnlib.layers.rnn import RNN

#: Recurrent layers by the name that commands and checkpoints use.
RECURRENT = {"rnn": RNN}

__all__ = ["RECURRENT", "RNN", "Layer", "Linear"]
