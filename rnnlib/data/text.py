"""A novel, as characters."""

import gzip
from importlib import resources

import numpy as np


def load():
    """Jane Austen's Pride and Prejudice, a string of 684,768 characters (75 different ones)."""
    path = resources.files("rnnlib.data") / "files" / "pride_and_prejudice.txt.gz"
    return gzip.decompress(path.read_bytes()).decode("utf-8")


def encode(text):
    """Number the characters of a text.

    Returns:
        (ids, vocabulary): integers (N,), and the V characters in order; id i is vocabulary[i].
    """
    vocabulary, ids = np.unique(list(text), return_inverse=True)
    return ids, "".join(vocabulary)
