"""Small functions of arrays that several files need."""

import numpy as np


def valid_steps(lengths, B, T, like):
    """Which steps of right-padded sequences are real.

    Args:
        lengths: length of each sequence, (B,), integers from 1 to T.
        B: number of sequences.
        T: number of steps of the padded array.
        like: an array; the mask is allocated beside it.

    Returns:
        Boolean array (B, T), True before each sequence's end.

    Raises:
        ValueError: a length is no integer, not between 1 and T, or there are not B of them.
    """
    lengths = np.asarray(lengths)
    if lengths.size == 0:
        lengths = lengths.astype(int)  # an empty list has no type of its own
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths must be integers of shape (B,), got {lengths.dtype} {lengths.shape}")
    if len(lengths) != B:
        raise ValueError(f"lengths must have one entry for each of B={B} sequences, got {len(lengths)}")
    if lengths.size and not (lengths.min() >= 1 and lengths.max() <= T):
        raise ValueError(f"lengths must be between 1 and T={T}, got {lengths.min()} to {lengths.max()}")
    return np.asarray(np.arange(T) < lengths[:, None], like=like)
