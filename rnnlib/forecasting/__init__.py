"""Forecasts, honestly judged. May import training, interop, data, models and tools; knows no grader."""
