"""Who remembers what: how strongly each output of a model answers to each earlier input.

With e_k the input map's output at step k (the embedding, where the inputs are one-hot letters)::

    J[t, k] = ‖∂y_t / ∂e_k‖ = √ Σ_o ‖∂y_t[o] / ∂e_k‖²        (Frobenius norm)

Backward passes of the model itself give it. O copies of the sequence are one batch, and copy o
asks for the gradient of y_t[o]: so each t takes one backward pass, and a quarter of all t one forward.
"""

import numpy as np

from rnnlib.models.parts.arrays import array


def influence(model, x):
    """J for one sequence: which inputs does the answer at each step depend on?

    The model runs forward and backward for it. Weights and ``model.grads`` stay as they are; the
    ``grads`` of the model's layers are overwritten, and a ``model.backward`` needs a
    ``model.forward`` of its own again.

    Args:
        model: a SequenceModel that answers at every step.
        x: input, (T, D).

    Returns:
        J (T, T), float64; J[t, k] is 0 for k > t, since no model here sees the future. Units are
        those of y over those of e: rows of one model can be compared, those of two models only
        after a division, such as by the row's largest.

    Raises:
        TypeError: x is no array of real numbers.
        ValueError: the model answers at the last step alone.

    Examples:
        >>> from rnnlib import SequenceModel
        >>> model = SequenceModel("rnn", input_size=3, hidden_size=4, output_size=2, readout="every", rng=0)
        >>> J = influence(model, np.eye(3))
        >>> bool((J[np.tril_indices(3)] > 0).all()), bool(J[np.triu_indices(3, 1)].any())
        (True, False)
    """
    if model.config["readout"] != "every":
        raise ValueError('influence needs a model that answers at every step: readout="every"')
    x = array(x, "influence: x")
    T, O = len(x), model.readout.output_size
    J, W = np.zeros((T, T)), model.readout.params["W"]
    quarter = max(1, -(-T // 4))
    for t in range(T):
        if t % quarter == 0:  # what comes later has no influence, so most backward passes can be short
            stop = min(t + quarter, T)
            model.forward(np.repeat(x[None, :stop], O, axis=0))
        dh = np.zeros((O, stop, len(W)), model.dtype)
        dh[:, t] = W.T  # ∂y_t[o] / ∂h_t is column o
        de, _ = model.stack.backward(dh)  # (O, stop, H)
        J[t, :stop] = np.sqrt((de.astype(np.float64) ** 2).sum(axis=(0, 2)))
    return J


def reach(J, share=0.5):
    """How many of the latest inputs, the present one included, hold this share of each output's influence.

    Args:
        J: as ``influence`` returns it, (T, T).
        share: from 0 to 1.

    Returns:
        (T,) integers: row t counts from input t back until their J add up to the share of the
        row's sum.

    Examples:
        >>> reach(np.array([[5.0, 0.0], [4.0, 2.0]])).tolist()  # 2 of 6 are not yet the half
        [1, 2]
    """
    T = len(J)
    counts = np.empty(T, int)
    for t in range(T):
        back = np.cumsum(J[t, t::-1])
        counts[t] = 1 + np.argmax(back >= share * back[-1])
    return counts
