"""A language model of Mamba blocks (Gu and Dao 2023)::

    token ids -> embedding -> blocks x + Mamba(RMSNorm(x)) -> RMSNorm -> logits

Shapes: ids (B, T) integers from 0 to V − 1, logits (B, T, V), D the width between them.
``MambaLM.from_pretrained`` is in rnnlib/interop/transformers_folder.py: a model knows no file.
"""

import math

import numpy as np

from rnnlib.models.mamba_block import MambaBlock
from rnnlib.models.parts.composite import Composite, Stack
from rnnlib.models.parts.embedding import Embedding
from rnnlib.models.parts.rms_norm import RMSNorm


class MambaLM(Composite):
    """Token ids in, for each of them the logits of the next one out.

    The state is a list with one (conv, h) for each block (see :class:`rnnlib.Mamba`).

    Args:
        vocab_size: V.
        d_model: D.
        num_layers: how many blocks are stacked.
        tie: True maps to the logits with the embedding, logits = x Wᵀ: a token's vector means
            the same going in and coming out. False gives the head a matrix (D, V) of its own.
        eps: ε of every RMSNorm.
        rng: ``numpy.random.Generator`` or a seed.
        dtype: floating-point type of the parameters.
        sizes: d_state, d_conv, expand and dt_rank of the mixers.

    Examples:
        >>> model = MambaLM(vocab_size=10, d_model=8, num_layers=2, rng=0)
        >>> logits, states = model.forward(np.array([[1, 2, 3]]))
        >>> logits.shape, len(states)
        ((1, 3, 10), 2)
        >>> len(list(model.generate([1, 2, 3], count=5)))
        5
    """

    def __init__(
        self, vocab_size, d_model, num_layers, *, tie=True, eps=1e-5, rng=None, dtype=np.float32, **sizes
    ):
        super().__init__(dtype)
        self._check_sizes(vocab_size=vocab_size, d_model=d_model, num_layers=num_layers)
        rng = np.random.default_rng(rng)
        self.vocab_size, self.tie = vocab_size, tie
        self.embedding = Embedding(vocab_size, d_model, rng=rng, dtype=dtype)
        self.layers = [MambaBlock(d_model, eps=eps, rng=rng, dtype=dtype, **sizes) for _ in range(num_layers)]
        self.stack = Stack(self.layers, owner="MambaLM")
        self.norm = RMSNorm(d_model, eps=eps, dtype=dtype)
        self._hold(embedding=self.embedding, layers=self.stack, norm=self.norm)
        if not tie:
            self.params["head.W"] = self._uniform(rng, (d_model, vocab_size), d_model**-0.5)

    def _head(self):
        """The matrix from x to the logits, (D, V)."""
        return self.params["embedding.W"].T if self.tie else self.params["head.W"]

    def _check_ids(self, name, ids, letters):
        if hasattr(ids, "shape") and len(ids.shape) != len(letters):  # of others Embedding complains
            raise ValueError(f"MambaLM: {name} must have shape ({', '.join(letters)}), got {ids.shape}")

    def step(self, ids_t, state=None):
        """One token of each sequence, ids (B,), with constant memory.

        Returns:
            (logits, state): (B, V), and the list of the blocks' states for the next step.
        """
        self._check_ids("ids_t", ids_t, "B")
        x, state = self.stack.step(self.embedding.step(ids_t), state)
        return self.norm.step(x) @ self._head(), state

    def forward(self, ids, state=None):
        """Whole sequences, ids (B, T), from a list of the blocks' states; zeros if None.

        Returns:
            (logits, state): (B, T, V), and the list of the last states.
        """
        self._check_ids("ids", ids, "BT")
        self._cache = None  # if this forward fails half way, there is nothing to go back through
        x, state = self.stack.forward(self.embedding.forward(ids), state)
        self._cache = x = self.norm.forward(x)
        return x @ self._head(), state

    def backward(self, dlogits, dstate=None):
        """Gradients for the latest ``forward``. Tokens are no numbers: there is none for ids.

        Args:
            dlogits: gradient of the loss with respect to the logits, (B, T, V).
            dstate: list of gradients with respect to the returned states; zeros if None.

        Returns:
            dstate: list of gradients with respect to the first states. Fills ``grads``; a
            tied embedding gets the sum of its two uses.
        """
        x = self._forward_cache()
        B, T, D = x.shape
        dlogits = self._array("dlogits", dlogits, B=B, T=T, V=self.vocab_size)
        dx = self.norm.backward(dlogits @ self._head().T)
        dx, dstate = self.stack.backward(dx, dstate)
        self.embedding.backward(dx)

        self.grads = self._collect("grads")
        dhead = x.reshape(B * T, D).T @ dlogits.reshape(B * T, self.vocab_size)
        if self.tie:
            self.grads["embedding.W"] += dhead.T
        else:
            self.grads["head.W"] = dhead
        return dstate

    def generate(self, prompt, count, *, temperature=0.0, rng=None):
        """Continue one sequence, token by token, with constant memory.

        Args:
            prompt: the first token ids, a sequence of one integer or more.
            count: how many tokens to add.
            temperature: 0 takes the likeliest token each time; above 0 a token is drawn from
                softmax(logits / temperature).
            rng: ``numpy.random.Generator`` or a seed, for the draws.

        Returns:
            An iterator over the new token ids, which computes each when it is asked for.
        """
        tokens = np.asarray(prompt)
        if (
            np.ma.isMaskedArray(prompt)
            or tokens.ndim != 1
            or len(tokens) == 0
            or tokens.dtype.kind not in "iu"
        ):
            raise ValueError("MambaLM: prompt must be a sequence of one token id or more")
        if tokens.min() < 0 or tokens.max() >= self.vocab_size:
            raise ValueError(
                f"MambaLM: prompt must hold ids from 0 to {self.vocab_size - 1}, "
                f"got {tokens.min()} to {tokens.max()}"
            )
        if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 0:
            raise ValueError(f"MambaLM: count must be a whole number from 0 on, got {count!r}")
        if not 0 <= temperature < math.inf:
            raise ValueError(f"MambaLM: temperature must be a number from 0 on, got {temperature}")
        return self._generate(tokens.copy(), count, temperature, np.random.default_rng(rng))

    def _generate(self, tokens, count, temperature, rng):
        *before, token = tokens
        state = None
        for earlier in before:
            _, state = self.step(np.array([earlier]), state)
        for _ in range(count):
            logits, state = self.step(np.array([token]), state)
            scores = logits[0].astype(np.float64)
            if temperature == 0:
                token = scores.argmax()
            else:
                p = np.exp((scores - scores.max()) / temperature)
                token = rng.choice(self.vocab_size, p=p / p.sum())
            yield int(token)
