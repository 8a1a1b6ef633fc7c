"""Every model by the name that is typed and saved, one row each. A new model is a new row.

Commands, figures, the speed table and the tests take their choices from here. What lives above
this room, such as PyTorch's LSTM in ``rnnlib.interop``, adds its own row when it is imported.
"""

from dataclasses import dataclass
from inspect import signature

from rnnlib.models.gru import GRU
from rnnlib.models.lstm import LSTM
from rnnlib.models.mamba import Mamba
from rnnlib.models.mamba_block import MambaBlock
from rnnlib.models.min_gru import MinGRU
from rnnlib.models.rnn import RNN


@dataclass(frozen=True)
class Model:
    """A row.

    Attributes:
        layer: the class, from width D to H, or of one width D.
        block: what a stack holds instead of the layer: a class of one width.
        package: what must be installed beside NumPy, by the name of its import.
        needs: the same as a user would call it.
    """

    layer: type
    block: type | None = None
    package: str | None = None
    needs: str | None = None

    @property
    def options(self):
        """Names of the layer's own arguments, such as ``forget_bias``."""
        arguments = signature(self.layer).parameters.values()
        named = [argument.name for argument in arguments if argument.kind is argument.KEYWORD_ONLY]
        return [name for name in named if name not in ("rng", "dtype")]

    def in_stack(self, H, **options):
        """A layer from width H to H."""
        return self.block(H, **options) if self.block else self.layer(H, H, **options)


MODELS = {
    "rnn": Model(RNN),
    "lstm": Model(LSTM),
    "gru": Model(GRU),
    "min_gru": Model(MinGRU),
    "mamba": Model(Mamba, block=MambaBlock),
}


def model_named(name):
    """The row of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join(MODELS)}")
    return MODELS[name]


def numpy_models():
    """Names of the models that need NumPy alone."""
    return [name for name, model in MODELS.items() if model.package is None]
