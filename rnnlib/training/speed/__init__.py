"""How long a training step takes, beside PyTorch's. A part of training."""
