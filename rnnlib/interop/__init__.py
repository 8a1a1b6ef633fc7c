"""Other libraries' weights, files and layers. May import models and tools; no model imports this room."""

from rnnlib.interop.torch_weights import from_torch, to_torch

__all__ = ["from_torch", "to_torch"]
