"""Losses, optimizers, the training loop, its files.

May import interop, data, models and tools; knows no grader.
"""
