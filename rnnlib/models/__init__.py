"""The models, each read top to bottom in its own file. Imports NumPy, and nothing else of rnnlib."""
