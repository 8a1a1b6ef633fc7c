"""Other libraries' weights, files and layers. May import models and tools; no model imports this room."""

from rnnlib.interop.torch_weights import from_torch, to_torch
from rnnlib.interop.transformers_folder import from_pretrained
from rnnlib.models.mamba_lm import MambaLM

# A model knows no file format; users look for this where transformers has it.
MambaLM.from_pretrained = staticmethod(from_pretrained)

__all__ = ["from_pretrained", "from_torch", "to_torch"]
