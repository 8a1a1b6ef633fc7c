"""The linear recurrence: three ways, one result, one gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib.models import scan
from rnnlib.models.gradcheck import numerical_gradient

WAYS = [scan.sequential, scan.hillis_steele, scan.chunked, scan.scan]
ways = pytest.mark.parametrize("way", WAYS)
shapes = st.tuples(st.integers(0, 40), st.lists(st.integers(1, 4), max_size=3))


def make(T, shape, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-1.1, 1.1, (T, *shape)), rng.standard_normal((T, *shape))
    return a, b, rng.standard_normal(shape), rng


def definition(a, b, h):
    result = []
    for a_t, b_t in zip(a, b, strict=True):
        h = a_t * h + b_t
        result.append(h)
    return np.array(result).reshape(b.shape)


@ways
@given(shape=shapes, seed=st.integers(0, 2**32 - 1))
def test_every_way_gives_the_recurrence(way, shape, seed):
    a, b, h_0, _ = make(*shape, seed)
    before = a.copy(), b.copy(), h_0.copy()
    expected = definition(a, b, h_0)
    np.testing.assert_allclose(way(a, b, h_0), expected, rtol=1e-11, atol=1e-11)
    for now, then in zip((a, b, h_0), before, strict=True):
        np.testing.assert_array_equal(now, then)
    # Into a given array, into b itself, and along arrays that run backwards.
    out = np.full_like(b, np.nan)
    assert way(a, b, h_0, out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-11)
    flipped = way(a[::-1].copy()[::-1], b[::-1].copy()[::-1], h_0)
    np.testing.assert_allclose(flipped, expected, rtol=1e-11, atol=1e-11)
    way(a, b, h_0, b)
    np.testing.assert_allclose(b, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("T", "width"), [(3, 1024), (40, 2000), (500, 7), (500, 500), (9000, 9), (100000, 1)]
)
def test_the_choice_by_shape_is_only_a_choice_of_speed(T, width):
    a, b, h_0, _ = make(T, (width,), 0)
    a *= 0.9
    expected = scan.sequential(a, b, h_0)
    np.testing.assert_allclose(scan.scan(a, b, h_0), expected, rtol=1e-9, atol=1e-9)


def test_each_way_is_chosen_somewhere(monkeypatch):
    chosen = []
    for way in (scan.sequential, scan.hillis_steele, scan.chunked):
        name = way.__name__
        monkeypatch.setattr(scan, name, lambda a, b, h, out=None, name=name: chosen.append(name))
    for T, width in ((30, 4096), (1024, 8), (8192, 128)):
        scan.scan(*make(T, (width,), 0)[:3])
    assert chosen == ["sequential", "hillis_steele", "chunked"]


@given(shape=st.tuples(st.integers(1, 6), st.lists(st.integers(1, 3), max_size=2)), seed=st.integers(0, 999))
def test_gradients_equal_finite_differences(shape, seed):
    a, b, h_0, rng = make(*shape, seed)
    dh = rng.standard_normal(b.shape)
    da, db, dh_0 = scan.scan_backward(dh, a, definition(a, b, h_0), h_0)

    def loss():
        return (definition(a, b, h_0) * dh).sum()

    h_0 = np.atleast_1d(h_0)
    for by_hand, array in ((da, a), (db, b), (dh_0, h_0)):
        np.testing.assert_allclose(by_hand, numerical_gradient(loss, array).reshape(by_hand.shape), atol=1e-7)


@given(shape=shapes, seed=st.integers(0, 999))
def test_reversed_scan_may_overwrite_its_input(shape, seed):
    a, dh, _, _ = make(*shape, seed)
    g = scan.reversed_scan(dh, a)
    for t in range(len(dh)):
        after = a[t + 1] * g[t + 1] if t + 1 < len(dh) else 0
        np.testing.assert_allclose(g[t], dh[t] + after, rtol=1e-11, atol=1e-11)
    assert scan.reversed_scan(dh, a, out=dh) is dh
    np.testing.assert_array_equal(dh, g)


@ways
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_stays_and_what_fades_ends_at_zero(way, dtype):
    a, b = np.full((3000, 4), 0.6, dtype), np.zeros((3000, 4), dtype)
    h = way(a, b, np.ones(4, dtype))
    assert h.dtype == dtype
    assert not h[-1].any()
    size = np.abs(h[h != 0])
    assert (size >= np.finfo(dtype).tiny).all()
    reached = 100 if dtype == np.float32 else 1000  # 0.6^100 = 6e-23, 0.6^1000 = 1e-222
    np.testing.assert_allclose(h[reached - 1], 0.6**reached, rtol=1e-3)
