"""What the models are made of. Part of models: imports NumPy alone."""
