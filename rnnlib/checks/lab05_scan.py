"""Lab 5, the scan: its exercises on pairs, rounds, the way back and logarithms.

Each with its inputs, its answer and its misconceptions. A pair (a, b) stands for one step
h → a ⊙ h + b; arrays are (B, T, H), and T is never a power of two.
"""

import math

import numpy as np

from rnnlib.checks import find_the_mistake
from rnnlib.checks.calls import Recording, call
from rnnlib.checks.lab01_rnn import are_gradients, no_inputs
from rnnlib.checks.lab05_min_gru import exercise, recurrence, recurrence_inputs, shares, sizes
from rnnlib.checks.parts import same

# 5.3 Two steps as one


def pair_inputs(rng, shapes=None):
    cases = []
    for B, _, _, H in shapes or sizes(rng):
        pair = [(shares(rng.normal(size=(B, H)), shapes), rng.normal(size=(B, H))) for _ in range(2)]
        cases.append(tuple(pair))
    return cases


@exercise(
    "5.3", returns={"a": "B, H", "b": "B, H"}, inputs=pair_inputs, section=("scan", "Two steps are one")
)
def combine(first, second):
    a_1, b_1 = first
    a_2, b_2 = second
    return a_2 * a_1, a_2 * b_1 + b_2


def mistaken_pair(sentence, name, result):
    """Name a mistake of ``combine``: (a_1, b_1, a_2, b_2) -> the two."""

    def mistake(first, second):
        return result(*first, *second)

    mistake.__name__ = name
    combine.misconception(sentence)(mistake)


mistaken_pair(
    "Which step comes first? A later factor multiplies what came in earlier: yours has an earlier one do it.",
    "operands_exchanged",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_1 * b_2 + b_1),
)
mistaken_pair(
    "b_1 came in before the second step: what does that step do to it?",
    "sums_added",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, b_1 + b_2),
)
mistaken_pair(
    "a: factors along a path multiply, yours are added.",
    "factors_added",
    lambda a_1, b_1, a_2, b_2: (a_1 + a_2, a_2 * b_1 + b_2),
)
mistaken_pair(
    "b_2 comes in last: nothing multiplies it.",
    "second_sum_scaled",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_2 * (b_1 + b_2)),
)
mistaken_pair(
    "b_1 has met its own factor in yours: a_1 is for the state that came before it.",
    "first_sum_by_its_own_factor",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_1 * b_1 + b_2),
)
mistaken_pair(
    "b_1 passes one factor on its way, that of the second step, not both.",
    "first_sum_by_both",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_1 * a_2 * b_1 + b_2),
)
mistaken_pair(
    "Each b has the other step's factor in yours: does anything come after b_2?",
    "crosswise",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_2 * b_1 + a_1 * b_2),
)
mistaken_pair(
    "Each b has its own step's factor in yours: a is for the state, b comes in as it is.",
    "each_by_its_own",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_1 * b_1 + a_2 * b_2),
)
mistaken_pair(
    "a: of the state before both steps, how much is left after both? Yours says what one leaves.",
    "second_factor_alone",
    lambda a_1, b_1, a_2, b_2: (a_2, a_2 * b_1 + b_2),
)
mistaken_pair(
    "a: of the state before both steps, how much is left after both? Yours says what one leaves.",
    "first_factor_alone",
    lambda a_1, b_1, a_2, b_2: (a_1, a_2 * b_1 + b_2),
)
mistaken_pair(
    "Two pairs multiplied entry by entry: put the first step into the second, h → a_2 (a_1 h + b_1) + b_2.",
    "multiplied",
    lambda a_1, b_1, a_2, b_2: (a_1 * a_2, b_1 * b_2),
)
mistaken_pair(
    "Two pairs added entry by entry: put the first step into the second, h → a_2 (a_1 h + b_1) + b_2.",
    "added",
    lambda a_1, b_1, a_2, b_2: (a_1 + a_2, b_1 + b_2),
)
mistaken_pair(
    "The mean of two steps is no step after the other: put the first into the second.",
    "averaged",
    lambda a_1, b_1, a_2, b_2: ((a_1 + a_2) / 2, (b_1 + b_2) / 2),
)
mistaken_pair(
    "b_1 is lost: does the second step forget what the first one added?",
    "first_sum_lost",
    lambda a_1, b_1, a_2, b_2: (a_2 * a_1, b_2),
)


@combine.misconception("b may be negative: it has no logarithm. Multiply, and add.")
def through_logarithms(first, second):
    (a_1, b_1), (a_2, b_2) = first, second
    return a_1 * a_2, np.exp(np.log(a_2) + np.log(b_1)) + b_2


@combine.misconception(
    "first is (a_1, b_1) and second is (a_2, b_2): your names take the two a for one step."
)
def names_crossed(first, second):
    a_1, a_2 = first
    b_1, b_2 = second
    return a_1 * a_2, a_2 * b_1 + b_2


@combine.must
def is_associative(answer, first, second):
    if not are_gradients(answer(first, second), [*first]):
        return ""
    third = second[0] ** 2, first[1] - second[1]
    left, right = answer(answer(first, second), third), answer(first, answer(second, third))
    if all(map(same, left, right, [1e-9] * 2)):
        return ""
    return (
        "Of three steps, (1 and 2) and 3 must give what 1 and (2 and 3) give; yours give two things. "
        "Whatever stands for one step after the other can be grouped at will."
    )


@combine.must
def takes_many_steps_at_once(answer, first, second):
    if not are_gradients(answer(first, second), [*first]):
        return ""
    stacked = [tuple(np.stack([part, part + 1], axis=1) for part in pair) for pair in (first, second)]
    results = call(answer, stacked).value
    if results is not None and all(map(same, results, combine.reference(*stacked), [1e-9] * 2)):
        return ""
    return "With one axis more, (B, T, H), it goes wrong: a scan will call it with several steps at once."


@combine.clue
def which_of_the_pair_is_right(answer, first, second):
    right, results = combine.reference(first, second), answer(first, second)
    if not are_gradients(results, right):
        return ""
    a_right, b_right = (same(mine, wanted, 1e-6) for mine, wanted in zip(results, right, strict=True))
    if a_right and not b_right:
        return "a is right. And b is what comes out if the state that goes in is 0."
    if b_right:
        return "b is right. And a says how much more comes out if the state that goes in grows by 1."
    return "Put h → a_1 h + b_1 into h → a_2 h + b_2, and collect what multiplies h and what does not."


@combine.remark
def is_not_commutative(answer, first, second):
    (_, b), (_, other) = answer(first, second), answer(second, first)
    moved = np.abs(b - other).max()
    return f"(1 and 2) and 3 is 1 and (2 and 3). But 2 and 1 is not 1 and 2: b differs by up to {moved:.2g}."


# 5.4 A scan


def scan_inputs(rng, shapes=None):
    return [(combine.reference, *case) for case in recurrence_inputs(rng, shapes)]


ALL_AT_ONCE = ("scan", "All at once")


@exercise("5.4", returns={"hs": "B, T, H"}, inputs=scan_inputs, section=ALL_AT_ONCE)
def parallel_scan(combine, a, b, h0):
    return by_rounds(combine, a, b, h0)


def doubled(T):
    """The distances of the rounds: 1, 2, 4, … below T."""
    return [2**level for level in range(rounds(T))]


def rounds(T):
    """How often 1 must be doubled to reach T."""
    return math.ceil(math.log2(T)) if T > 1 else 0


def by_rounds(combine, a, b, h0, distances=doubled, joins=None, kept=None, first=None, last=None):
    """Hillis and Steele's scan, with places where the mistakes below come in.

    Args:
        distances: T -> the distances of the rounds.
        joins: (earlier, later) -> the two in the order in which combine gets them.
        kept: the pairs that a round has no partner for -> what becomes of them.
        first: (a, b, h0) -> b before the rounds.
        last: (A, S, h0) -> hs from the pairs of all steps so far.
    """
    joins, kept = joins or (lambda earlier, later: (earlier, later)), kept or (lambda A, S: (A, S))
    last = last or (lambda A, S, h0: A * h0[:, None] + S)
    A, S = a.copy(), first(a, b, h0) if first else b.copy()
    for d in distances(a.shape[1]):
        new = combine(*joins((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:])))
        old = kept(A[:, :d], S[:, :d])
        A, S = (np.concatenate(parts, axis=1) for parts in zip(old, new, strict=True))
    return last(A, S, h0)


def mistaken_scan(sentence, name, **places):
    """Name a mistake of the scan, by what stands at one of the places of ``by_rounds``."""

    def mistake(combine, a, b, h0):
        return by_rounds(combine, a, b, h0, **places)

    mistake.__name__ = name
    parallel_scan.misconception(sentence)(mistake)


mistaken_scan(
    "h0 has no effect: do you use it, and do the products survive your rounds? (1, 0) changes nothing, "
    "(0, 0) does.",
    "h0_dropped",
    last=lambda A, S, h0: S,
)
mistaken_scan(
    "A and S have exchanged their places in the last line: the product fades h0, the sum is added.",
    "exchanged_at_the_end",
    last=lambda A, S, h0: S * h0[:, None] + A,
)
mistaken_scan(
    "h0 is added to every state as it is: how much of it is left after step t?",
    "h0_added",
    last=lambda A, S, h0: S + h0[:, None],
)
mistaken_scan(
    "h0 comes in at step 1 without that step's factor.",
    "h0_added_to_the_first",
    first=lambda a, b, h0: np.concatenate([b[:, :1] + h0[:, None], b[:, 1:]], axis=1),
    last=lambda A, S, h0: S,
)
mistaken_scan(
    "h0 comes in twice: at step 1 and once more at the end.",
    "h0_twice",
    first=lambda a, b, h0: np.concatenate([b[:, :1] + a[:, :1] * h0[:, None], b[:, 1:]], axis=1),
)
mistaken_scan(
    "h0 reaches step 1 alone: how much of it is left after step t?",
    "h0_for_step_one_alone",
    last=lambda A, S, h0: np.concatenate([A[:, :1] * h0[:, None] + S[:, :1], S[:, 1:]], axis=1),
)
mistaken_scan(
    "Your products alone carry h0, and what came in later is gone: a pair has two parts.",
    "sums_dropped",
    last=lambda A, S, h0: A * h0[:, None],
)
mistaken_scan(
    "A round is missing: 8 steps need 3 of them, 9 need 4. How often must 1 be doubled to reach T?",
    "last_round_missing",
    distances=lambda T: doubled(T)[:-1] if T & (T - 1) else doubled(T),
)
mistaken_scan(
    "One round alone: each pair stands for two steps then. And what do two of those make?",
    "one_round",
    distances=lambda T: doubled(T)[:1],
)
mistaken_scan(
    "The distance grows by 1 from round to round: after the first each pair holds 2 steps, and then?",
    "distances_not_doubled",
    distances=lambda T: list(range(1, rounds(T) + 1)),
)
mistaken_scan(
    "The distance is 1 at every round: after the first each pair holds 2 steps, so which is the next one?",
    "distance_one",
    distances=lambda T: [1] * rounds(T),
)
mistaken_scan(
    "The distances run from large to small: what does a pair hold after the first of your rounds?",
    "distances_turned_round",
    distances=lambda T: doubled(T)[::-1],
)
mistaken_scan(
    "The earlier pair must be the first argument: combine(earlier, later).",
    "arguments_exchanged",
    joins=lambda earlier, later: (later, earlier),
)
mistaken_scan(
    "The first pairs of a round have no partner: they stay as they are, yours become 0.",
    "zeros_for_the_first",
    kept=lambda A, S: (0 * A, 0 * S),
)
mistaken_scan(
    "The first pairs of a round have no partner: they stay as they are, yours become (1, 0).",
    "identity_for_the_first",
    kept=lambda A, S: (0 * A + 1, 0 * S),
)


@parallel_scan.misconception(
    "A round reads what the same round has written: work on a copy, or from the end."
)
def written_in_place(combine, a, b, h0):
    A, S = a.copy(), b.copy()
    for d in doubled(a.shape[1]):
        for t in range(d, a.shape[1]):
            A[:, t], S[:, t] = combine((A[:, t - d], S[:, t - d]), (A[:, t], S[:, t]))
    return A * h0[:, None] + S


@parallel_scan.misconception("At the end h0 fades by all factors so far, A: yours takes each step's own, a.")
def own_factor_at_the_end(combine, a, b, h0):
    return a * h0[:, None] + by_rounds(combine, a, b, 0 * h0)


@parallel_scan.misconception("At the end all that came in so far is added, S: yours takes each step's own b.")
def own_sum_at_the_end(combine, a, b, h0):
    return np.cumprod(a, axis=1) * h0[:, None] + b


@parallel_scan.misconception(
    "h0 comes in at every round: once, before the first or after the last, is enough."
)
def h0_at_every_round(combine, a, b, h0):
    A, S = a.copy(), b.copy()
    for d in doubled(a.shape[1]):
        A[:, d:], S[:, d:] = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
        S = A * h0[:, None] + S
    return S


@parallel_scan.misconception(
    "Your S is joined when A has changed already: take both from one call of combine."
)
def in_two_calls(combine, a, b, h0):
    A, S = a.copy(), b.copy()
    for d in doubled(a.shape[1]):
        A[:, d:], _ = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
        _, S[:, d:] = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
    return A * h0[:, None] + S


@parallel_scan.misconception("A pair is the A and the S of one person: yours pairs A with A and S with S.")
def pairs_crossed(combine, a, b, h0):
    A, S = a.copy(), b.copy()
    for d in doubled(a.shape[1]):
        A[:, d:], S[:, d:] = combine((A[:, :-d], A[:, d:]), (S[:, :-d], S[:, d:]))
    return A * h0[:, None] + S


@parallel_scan.misconception("combine returns (a, b), in this order: yours takes them the other way round.")
def taken_the_other_way_round(combine, a, b, h0):
    A, S = a.copy(), b.copy()
    for d in doubled(a.shape[1]):
        S[:, d:], A[:, d:] = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
    return A * h0[:, None] + S


@parallel_scan.misconception(
    "In front of the new S stands the old A: those without a partner keep their A and their S."
)
def front_of_the_other(combine, a, b, h0):
    A, S = a, b
    for d in doubled(a.shape[1]):
        new = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
        A = np.concatenate([A[:, :d], new[0]], axis=1)
        S = np.concatenate([A[:, :d], new[1]], axis=1)
    return A * h0[:, None] + S


@parallel_scan.misconception(
    "Those without a partner are dropped, so the row gets shorter: they keep their pairs."
)
def dropped_without_partner(combine, a, b, h0):
    A, S = a, b
    for d in doubled(a.shape[1]):
        A, S = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
    return A * h0[:, None] + S


@parallel_scan.misconception(
    "Without a partner are the first d of a round of distance d, not the first alone: all keep their pairs."
)
def first_alone_kept(combine, a, b, h0):
    A, S = a, b
    for d in doubled(a.shape[1]):
        new = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
        A, S = (np.concatenate([old[:, :1], n], axis=1) for old, n in zip((A, S), new, strict=True))
    return A * h0[:, None] + S


@parallel_scan.misconception(
    "The factors stay those of single steps in yours: a pair that holds two steps has the product of both."
)
def factors_never_joined(combine, a, b, h0):
    S = b.copy()
    for d in doubled(a.shape[1]):
        _, new = combine((a[:, :-d], S[:, :-d]), (a[:, d:], S[:, d:]))
        S = np.concatenate([S[:, :d], new], axis=1)
    return np.cumprod(a, axis=1) * h0[:, None] + S


@parallel_scan.misconception("You pair along the batch: axis 0 is B, axis 1 is T.")
def along_the_batch(combine, a, b, h0):
    turned = [array.transpose(1, 0, 2) for array in (a, b)]
    A, S = turned
    for d in doubled(len(a)):
        new = combine((A[:, :-d], S[:, :-d]), (A[:, d:], S[:, d:]))
        A, S = (np.concatenate([old[:, :d], n], axis=1) for old, n in zip((A, S), new, strict=True))
    return A.transpose(1, 0, 2) * h0[:, None] + S.transpose(1, 0, 2)


@parallel_scan.misconception("hs[:, t] is the state that enters step t: the one that leaves it is asked for.")
def exclusive(combine, a, b, h0):
    return np.concatenate([h0[:, None], by_rounds(combine, a, b, h0)[:, :-1]], axis=1)


@parallel_scan.misconception(
    "Pairs of the up-sweep alone: the last step holds all of them, most others only a part."
)
def up_sweep_alone(combine, a, b, h0):
    A, S = a.copy(), b.copy()
    for d in doubled(a.shape[1]):
        later = slice(2 * d - 1, None, 2 * d)
        n = len(range(a.shape[1])[later])
        earlier = slice(d - 1, None, 2 * d)
        A[:, later], S[:, later] = combine(
            (A[:, earlier][:, :n], S[:, earlier][:, :n]), (A[:, later], S[:, later])
        )
    return A * h0[:, None] + S


NEVER_CALLED = "combine is never called: join the pairs with the function that is handed in, which counts."


@parallel_scan.clue
def what_is_joined(answer, combine, a, b, h0):
    """Play with pairs that count which steps they hold, then without h0."""
    for T in (3, 5, 13, 21):
        sum_of_both = Recording(lambda first, second: (first[0] + second[0], first[1] + second[1]))
        held = answer(sum_of_both, np.zeros((1, T, T)), np.eye(T)[None], np.zeros((1, T)))[0].round()
        if not sum_of_both.calls:
            return NEVER_CALLED
        for t, row in enumerate(held, start=1):
            who = f"With T = {T}, your step {t}"
            later, twice = np.flatnonzero(row[t:]) + t + 1, np.flatnonzero(row > 1) + 1
            missing = np.flatnonzero(row[:t] == 0) + 1
            if len(later):
                return f"{who} has also joined step {later[0]}, which comes after it: whom does it ask?"
            if len(twice):
                return f"{who} has joined step {twice[0]} twice: whom does it ask, in which round?"
            if len(missing):
                return f"{who} has never joined step {missing[0]}: who holds that one, in which round?"
    if same(answer(combine, a, b, 0 * h0), recurrence.reference(a, b, 0 * h0), 1e-6):
        return "From h0 = 0 all is right: so how does h0 come in?"
    return "Every step has joined the right ones, each once. Is the earlier pair always the first argument?"


LONG = 500  # steps, for counting how deep a scan is


def counted(answer, T):
    """How often combine was applied to its own results, one after the other, and how often it was called.

    The pairs are two numbers that say through how many calls they have been.
    """
    deepest = calls = 0

    def deeper(first, second):
        nonlocal deepest, calls
        depth = 1 + np.maximum(np.maximum(*first), np.maximum(*second))
        deepest, calls = max(deepest, int(depth.max(initial=0))), calls + 1
        return depth, depth.copy()

    none = np.zeros((3, T, 1))
    call(answer, (deeper, none, none, np.zeros((3, 1))))
    return deepest, calls


@parallel_scan.must
def has_few_rounds(answer, combine, a, b, h0):
    if a.shape[1] > 1:  # it is the same in every case: one is enough
        return ""
    depth, calls = counted(answer, LONG)
    if calls == 0:
        return NEVER_CALLED
    if depth > 2 * rounds(LONG) + 2:
        return (
            f"For T = {LONG}, {depth} calls of combine wait for one another, where {rounds(LONG)} rounds are "
            "enough: what can be joined at the same time?"
        )
    if depth < rounds(LONG) / 2:
        return (
            f"For T = {LONG}, combine has joined no more than {depth} times in a row: the rest of the way is "
            f"walked one after the other, by steps or by chunks. {rounds(LONG)} rounds of combine go it all."
        )
    return ""


@parallel_scan.remark
def how_deep(answer, combine, a, b, h0):
    depth, calls = counted(answer, LONG)
    few = f"for T = {LONG} no result went through combine more than {depth} times in a row"
    if calls > 4 * rounds(LONG):
        return f"{few}. But {calls} calls are slow: join all pairs of a round in one, as arrays."
    return f"{few}; in a loop it would be {LONG - 1}."


# 5.5 The way back


def given_scan(a, b, h0):
    """The scan that is handed in: any number of steps, but as many of a as of b."""
    if np.shape(a) != np.shape(b):
        raise ValueError(f"scan: a has the shape {np.shape(a)}, b has {np.shape(b)}")
    return recurrence.reference(a, b, h0) if np.shape(b)[1] else np.zeros(np.shape(b))


def backward_inputs(rng, shapes=None):
    cases = []
    for a, b, h0 in recurrence_inputs(rng, shapes):
        hs = recurrence.reference(a, b, h0)
        cases.append((given_scan, 10 * rng.normal(size=hs.shape), a, h0, hs))
    return cases


BACK = {"da": "B, T, H", "db": "B, T, H", "dh0": "B, H"}


@exercise("5.5", returns=BACK, inputs=backward_inputs, section=("scan", "The way back is a scan"))
def recurrence_backward(scan, dy, a, h0, hs):
    later = np.roll(a, -1, axis=1)  # the last place meets the 0 behind the last step
    dh = scan(later[:, ::-1], dy[:, ::-1], 0 * h0)[:, ::-1]
    before = np.concatenate([h0[:, None], hs[:, :-1]], axis=1)
    return dh * before, dh, a[:, 0] * dh[:, 0]


def back(dy, a, h0, hs, factor=None, before=None, first=None, start=None):
    """dh_t = dy_t + a_{t+1} ⊙ dh_{t+1}, with places where the mistakes below come in.

    Args:
        factor: t -> what the gradient of h_{t+1} is multiplied with on its way to h_t.
        before: t -> the state that a_t multiplied.
        first: dh_1 -> the gradient of h_0.
        start: what comes back from behind the last step, before its factor.
    """
    T = a.shape[1]
    factor = factor or (lambda t: a[:, (t + 1) % T])
    before = before or (lambda t: hs[:, t - 1] if t else h0)
    first = first or (lambda dh_1: a[:, 0] * dh_1)
    carry, dh, da = np.zeros_like(h0) if start is None else start, np.zeros_like(dy), np.zeros_like(a)
    for t in reversed(range(T)):
        dh[:, t] = carry = dy[:, t] + factor(t) * carry
        da[:, t] = carry * before(t)
    return da, dh, first(dh[:, 0])


def mistaken_back(sentence, name, **places):
    """Name a mistake of the way back, by functions of dy, a, h0 and hs that make the places of ``back``."""

    def mistake(scan, dy, a, h0, hs):
        return back(dy, a, h0, hs, **{key: place(dy, a, h0, hs) for key, place in places.items()})

    mistake.__name__ = name
    recurrence_backward.misconception(sentence)(mistake)


mistaken_back(
    "Which factor lies between h_t and h_{t+1}, that of step t or that of step t + 1?",
    "a_not_shifted",
    factor=lambda dy, a, h0, hs: lambda t: a[:, t],
)
mistaken_back(
    "The factors are moved the wrong way: between h_t and h_{t+1} lies that of step t + 1.",
    "a_shifted_the_wrong_way",
    factor=lambda dy, a, h0, hs: lambda t: a[:, t - 1],
)
mistaken_back(
    "dy is taken as it came: each h_t also reaches the loss through all later states.",
    "later_steps_lost",
    factor=lambda dy, a, h0, hs: lambda t: 0,
)
mistaken_back(
    "What comes back from the next step passes its factor a on the way.",
    "without_a",
    factor=lambda dy, a, h0, hs: lambda t: 1,
)
mistaken_back(
    "Your reversed scan begins with h0: behind the last step no gradient waits, so it begins with 0.",
    "begins_with_h0",
    start=lambda dy, a, h0, hs: h0,
)
mistaken_back(
    "The last dy comes in twice: as the start and as the last step's own.",
    "last_dy_twice",
    start=lambda dy, a, h0, hs: dy[:, -1],
)
mistaken_back(
    "da: which state did a_t multiply, the old one or the new one?",
    "new_state",
    before=lambda dy, a, h0, hs: lambda t: hs[:, t],
)
mistaken_back(
    "da: before step 1 stands h0, yours takes the last state. What is index −1 at t = 0, and where does "
    "np.roll put the last one?",
    "wrapped_around",
    before=lambda dy, a, h0, hs: lambda t: hs[:, t - 1],
)
mistaken_back(
    "da: the state before step 1 is h0, which need not be zero.",
    "zero_before",
    before=lambda dy, a, h0, hs: lambda t: hs[:, t - 1] if t else 0 * h0,
)
mistaken_back(
    "da: every step takes h0 for the state before it.",
    "always_h0",
    before=lambda dy, a, h0, hs: lambda t: h0,
)
mistaken_back(
    "dh0: h0 was multiplied by a_1 on its way in.",
    "first_carry_left_out",
    first=lambda dy, a, h0, hs: lambda dh_1: dh_1,
)
mistaken_back(
    "dh0 is 0: somebody made h0, and wants to know.",
    "no_gradient_for_h0",
    first=lambda dy, a, h0, hs: lambda dh_1: 0 * dh_1,
)
mistaken_back(
    "dh0: dy of step 1 alone goes on to h0 in yours, and the later steps' part of dh_1 is lost.",
    "first_dy_alone",
    first=lambda dy, a, h0, hs: lambda dh_1: a[:, 0] * dy[:, 0],
)
mistaken_back(
    "dh0: which factor did h0 meet, that of the first step or of the last?",
    "factor_of_the_last_step",
    first=lambda dy, a, h0, hs: lambda dh_1: a[:, -1] * dh_1,
)


@recurrence_backward.misconception(
    "The scan runs forwards: a gradient comes from later steps, so reverse time first."
)
def run_forwards(scan, dy, a, h0, hs):
    dh = recurrence.reference(a, dy, 0 * h0)
    return gradients_of(dh, a, h0, hs)


@recurrence_backward.misconception(
    "The scan's result still stands in reversed order: turn it round once more."
)
def never_turned_back(scan, dy, a, h0, hs):
    _, dh, _ = back(dy, a, h0, hs)
    return gradients_of(dh[:, ::-1], a, h0, hs)


@recurrence_backward.misconception(
    "The factors are reversed, dy is not: both run from the last step to the first."
)
def dy_not_reversed(scan, dy, a, h0, hs):
    later = np.roll(a, -1, axis=1)
    return gradients_of(recurrence.reference(later[:, ::-1], dy, 0 * h0)[:, ::-1], a, h0, hs)


@recurrence_backward.misconception(
    "dy is reversed, the factors are not: both run from the last step to the first."
)
def factors_not_reversed(scan, dy, a, h0, hs):
    later = np.roll(a, -1, axis=1)
    return gradients_of(recurrence.reference(later, dy[:, ::-1], 0 * h0)[:, ::-1], a, h0, hs)


@recurrence_backward.misconception(
    "da has dy where it needs all that reaches h_t, through later steps as well."
)
def da_from_dy(scan, dy, a, h0, hs):
    _, db, dh0 = back(dy, a, h0, hs)
    return dy * np.concatenate([h0[:, None], hs[:, :-1]], axis=1), db, dh0


@recurrence_backward.misconception(
    "db has dy where it needs all that reaches h_t, through later steps as well."
)
def db_from_dy(scan, dy, a, h0, hs):
    da, _, dh0 = back(dy, a, h0, hs)
    return da, dy.copy(), dh0


@recurrence_backward.misconception("db has the factor a in yours: b_t came into h_t as it is.")
def db_by_a(scan, dy, a, h0, hs):
    da, db, dh0 = back(dy, a, h0, hs)
    return da, a * db, dh0


@recurrence_backward.misconception("da has the factor a in yours: the derivative of a h by a is h.")
def da_by_a(scan, dy, a, h0, hs):
    da, db, dh0 = back(dy, a, h0, hs)
    return a * da, db, dh0


def gradients_of(dh, a, h0, hs):
    return dh * np.concatenate([h0[:, None], hs[:, :-1]], axis=1), dh, a[:, 0] * dh[:, 0]


mistaken_back(
    "dh0: h0 met the factor of the first step, yours takes that of the second.",
    "factor_of_the_second_step",
    first=lambda dy, a, h0, hs: lambda dh_1: a[:, min(1, a.shape[1] - 1)] * dh_1,
)


@recurrence_backward.misconception(
    "da: a (1 − a) is the slope of the gate's σ, and that comes later, on the way to k."
)
def da_through_the_gate(scan, dy, a, h0, hs):
    da, db, dh0 = back(dy, a, h0, hs)
    return da * a * (1 - a), db, dh0


@recurrence_backward.must
def leaves_the_walking_to_the_scan(answer, scan, dy, a, h0, hs):
    recording = Recording(lambda a, b, h0: 0 * b)
    results = answer(recording, dy, a, h0, hs)
    T = a.shape[1]
    if 4 < len(recording.calls) >= T:
        return f"One call of scan walks all steps: yours calls it {len(recording.calls)} times for T = {T}."
    if T == 1 or not same(results[1], recurrence_backward.reference(scan, dy, a, h0, hs)[1], 1e-6):
        return ""
    return (
        "Right, but step after step: the scan that is handed in has no part in it. It does forwards what you "
        "do backwards; which arrays, in which order, would make it do yours?"
    )


REVERSED = {
    "the batch": (slice(None, None, -1),),
    "the units": (slice(None), slice(None), slice(None, None, -1)),
    "all axes": (slice(None, None, -1),) * 3,
}


@recurrence_backward.clue
def what_goes_into_the_scan(answer, scan, dy, a, h0, hs):
    recording = Recording(scan)
    results = call(answer, (recording, dy, a, h0, hs)).value
    right = recurrence_backward.reference(scan, dy, a, h0, hs)
    if not recording.calls or not are_gradients(results, right) or same(results[1], right[1], 1e-6):
        return ""
    a_in, b_in, h_in = recording.calls[0]
    if np.shape(a_in) != a.shape or np.shape(b_in) != dy.shape:
        return ""
    if any(same(a_in, order, 1e-9) for order in (dy, dy[:, ::-1])):
        return "dy goes into your scan as its factors: dy is what is added at each step."
    for axes, where in REVERSED.items():
        if same(b_in, dy[where], 1e-9) and not same(b_in, dy[:, ::-1], 1e-9):
            return f"Time is axis 1, and x[:, ::-1] reverses it: yours reverses {axes}."
    if same(b_in, dy, 1e-9) and a.shape[1] > 1:
        return "dy goes into your scan as it came: the scan must run from the last step to the first."
    if not same(b_in, dy[:, ::-1], 1e-9):
        return "What is added in your scan should be dy, from the last step to the first: yours is not."
    if not same(a_in[:, 1:], a[:, :0:-1], 1e-9):
        return (
            "dy goes in rightly, the factors do not: between h_t and h_{t+1} lies that of step t + 1, so the "
            "second one, for step T − 1, must be that of step T."
        )
    if (np.asarray(h_in) * a_in[:, 0]).any():
        return "The arrays go in rightly, but the scan must begin with 0: nothing comes from behind the end."
    return "What goes into your scan is right: is what comes out turned round again, along time?"


@recurrence_backward.clue
def which_gradients_are_right(answer, *case):
    right, results = recurrence_backward.reference(*case), answer(*case)
    if not are_gradients(results, right) or any(
        np.shape(r) != w.shape for r, w in zip(results, right, strict=True)
    ):
        return ""
    da, db, _ = (same(mine, wanted, 1e-6) for mine, wanted in zip(results, right, strict=True))
    if not db and not same(results[1][:, -1], right[1][:, -1], 1e-6):
        return "Begin with db of the last step: nothing comes back to it, so it is dy of that step."
    if not db:
        return "db of the last step is right: what does the step before get from it, and by which factor?"
    if not da:
        return "db is right, so all that reaches h_t is: da_t needs the state that a_t multiplied."
    return "da and db are right. One step back stands h0: which factor did it meet, and what reaches h_1?"


@recurrence_backward.remark
def no_matrix(answer, scan, dy, a, h0, hs):
    return "the way back is the way there: the same scan, reversed, and not one product of matrices."


# 5.6 In logarithms


def log_inputs(rng, shapes=None):
    """Logarithms of factors and of positive sums and states: some no floating-point number can be, one 0."""
    cases = []
    for B, T, _, H in shapes or sizes(rng):
        k = rng.normal(size=(B, T, H))
        log_a, log_b = -np.logaddexp(0, k), rng.normal(size=(B, T, H)) - np.logaddexp(0, -k)
        cases.append((log_a, log_b, rng.normal(size=(B, H))))
    if shapes:
        return cases
    *first, log_h0 = cases[0]
    from_zero = *first, np.full_like(log_h0, -np.inf)
    log_a, log_b, small = (np.repeat(array, 2, axis=0) for array in cases[1])
    signs = np.array([-1, 1])
    far = log_a, log_b + 900 * signs[:, None, None], small + 900 * signs[:, None]
    steep = log_a, log_b + 1000 * signs[:, None, None] * np.arange(log_a.shape[1])[:, None], small
    k = 3 * rng.normal(size=(1, 2001, 1))
    long = -np.logaddexp(0, k), -np.logaddexp(0, -k), np.zeros((1, 1))
    return [cases[0], cases[1], cases[3], from_zero, far, steep, long]


IN_LOGARITHMS = ("scan", "In logarithms")


@exercise("5.6", returns={"log_h": "B, T, H"}, inputs=log_inputs, section=IN_LOGARITHMS)
def log_recurrence(log_a, log_b, log_h0):
    return log_loop(log_a, log_b, log_h0)


def log_loop(log_a, log_b, log_h0, adds=np.logaddexp, fades=np.add):
    """log h_t, one step after the other, with places where the mistakes below come in.

    Args:
        adds: the logarithms of two numbers -> that of their sum.
        fades: (log a_t, log h_{t−1}) -> the logarithm of the product.
    """
    log_h, steps = log_h0, []
    for t in range(log_a.shape[1]):
        log_h = adds(fades(log_a[:, t], log_h), log_b[:, t])
        steps.append(log_h)
    return np.stack(steps, axis=1)


def mistaken_logs(sentence, name, **places):
    """Name a mistake, by what stands at one of the places of ``log_loop``."""

    def mistake(log_a, log_b, log_h0):
        return log_loop(log_a, log_b, log_h0, **places)

    mistake.__name__ = name
    log_recurrence.misconception(sentence)(mistake)


OUTSIDE = (
    "exp(−900) is 0 in floating point, and exp(900) is inf: your way leaves the logarithms. Which function "
    "of NumPy has log(exp(p) + exp(q)) without?"
)

mistaken_logs(OUTSIDE, "through_exp_and_log", adds=lambda p, q: np.log(np.exp(p) + np.exp(q)))
mistaken_logs(
    "In logarithms a product is a sum: log a + log h, not log a times log h.",
    "logs_multiplied",
    fades=np.multiply,
)
mistaken_logs("The logarithm of a sum is not the sum of the logarithms.", "logs_added", adds=np.add)
EXPONENT = (
    "exp(|p − q|) overflows: take the larger of the two out, whichever it is, and what is left in the "
    "exponent, −|p − q|, is never above 0."
)

mistaken_logs(
    EXPONENT,
    "sign_of_the_exponent",
    adds=lambda p, q: np.maximum(p, q) + np.log1p(np.exp(np.abs(p - q))),
)
mistaken_logs(
    EXPONENT, "difference_for_its_amount", adds=lambda p, q: np.maximum(p, q) + np.log(1 + np.exp(p - q))
)
mistaken_logs(
    "Take the larger of the two out, whichever it is: yours always takes the old state's, so exp(q − p) "
    "overflows, or meets −∞ − (−∞).",
    "always_the_first_out",
    adds=lambda p, q: p + np.log1p(np.exp(q - p)),
)
mistaken_logs(
    "Take the larger of the two out, whichever it is: yours always takes b, so exp(p − q) overflows.",
    "always_the_second_out",
    adds=lambda p, q: q + np.log1p(np.exp(p - q)),
)
mistaken_logs(
    "The larger of the two is taken out and never put back: max(p, q) is missing in front.",
    "larger_lost",
    adds=lambda p, q: np.log1p(np.exp(-np.abs(p - q))),
)
mistaken_logs(
    "You take the smaller of the two out: which one is the sum near to?",
    "smaller_out",
    adds=lambda p, q: np.minimum(p, q) + np.log1p(np.exp(-np.abs(p - q))),
)
mistaken_logs(
    "log 2 comes in only where both are equal: how much it is, depends on p − q.",
    "always_log_two",
    adds=lambda p, q: np.maximum(p, q) + np.log(2),
)
mistaken_logs(
    "logaddexp2 counts in powers of 2, your logarithms are natural ones.", "base_two", adds=np.logaddexp2
)
mistaken_logs(
    "log(1 + exp(p + q)) is another thing: the sum of exp(p) and exp(q) is asked for.",
    "softplus_of_the_sum",
    adds=lambda p, q: np.log1p(np.exp(p + q)),
)
mistaken_logs(
    "First the product, log a + log h, then the sum with b: yours adds all three numbers.",
    "sum_of_three",
    fades=np.logaddexp,
)
mistaken_logs(
    "These are sums and products of logarithms: in logarithms a product becomes a sum, and a sum becomes …?",
    "recurrence_of_logarithms",
    adds=np.add,
    fades=np.multiply,
)
mistaken_logs(
    "The factor is a, yours takes 1 − a.",
    "one_minus_a",
    fades=lambda log_a, log_h: np.log1p(-np.exp(log_a)) + log_h,
)
mistaken_logs(
    OUTSIDE,
    "clipped",
    adds=lambda p, q: np.log(np.exp(np.clip(p, -700, 700)) + np.exp(np.clip(q, -700, 700))),
)
mistaken_logs(
    "Of the two you keep the larger alone: log(p + q) is more than that.", "larger_alone", adds=np.maximum
)
mistaken_logs("The factor a plays no part.", "without_a", fades=lambda log_a, log_h: log_h)
mistaken_logs(
    "log a is subtracted: that divides by a.", "divided_by_a", fades=lambda log_a, log_h: log_h - log_a
)


@log_recurrence.misconception("The state before step 1 plays no part in yours.")
def log_without_h0(log_a, log_b, log_h0):
    return log_loop(log_a, log_b, np.full_like(log_h0, -np.inf))


@log_recurrence.misconception("log_h0 is a logarithm already: yours takes it for h0 itself.")
def log_of_the_log(log_a, log_b, log_h0):
    return log_loop(log_a, log_b, np.log(log_h0))


LOG_ONE = "Begin with log h0, not with 0: log h = 0 means h = 1. −∞ does no harm."


@log_recurrence.misconception(LOG_ONE)
def infinity_replaced(log_a, log_b, log_h0):
    return log_loop(log_a, log_b, np.where(np.isinf(log_h0), 0, log_h0))


@log_recurrence.misconception(LOG_ONE)
def begins_with_log_one(log_a, log_b, log_h0):
    return log_loop(log_a, log_b, np.zeros_like(log_h0))


@log_recurrence.misconception("log_a and log_b are logarithms already: yours takes theirs once more.")
def logarithms_of_logarithms(log_a, log_b, log_h0):
    return log_loop(np.log(log_a), np.log(log_b), log_h0)


@log_recurrence.misconception("a and b have exchanged their parts: a fades the old state, b is added.")
def exchanged_in_logarithms(log_a, log_b, log_h0):
    return log_loop(log_b, log_a, log_h0)


@log_recurrence.misconception("b comes in as it is: yours multiplies it by a.")
def a_on_both_in_logarithms(log_a, log_b, log_h0):
    return log_loop(log_a, log_a + log_b, log_h0)


@log_recurrence.misconception("Every step begins with log_h0: which state enters step 2?")
def always_from_h0(log_a, log_b, log_h0):
    return np.logaddexp(log_a + log_h0[:, None], log_b)


@log_recurrence.misconception(
    "log_h[:, t] is the state that enters step t: the one that leaves it is asked for."
)
def one_step_late(log_a, log_b, log_h0):
    return np.concatenate([log_h0[:, None], log_loop(log_a, log_b, log_h0)[:, :-1]], axis=1)


@log_recurrence.misconception(
    "What is cut off stands at the wrong end: the first of these terms is h0's, and belongs to no step alone."
)
def wrong_end_cut(log_a, log_b, log_h0):
    faded = np.cumsum(log_a, axis=1)
    terms = np.concatenate([log_h0[:, None], log_b - faded], axis=1)
    return faded + np.logaddexp.accumulate(terms, axis=1)[:, :-1]


@log_recurrence.misconception(
    "One shift for the whole sequence: what is 1000 below it becomes exp(−1000) = 0. Take the larger of each "
    "two out."
)
def one_shift(log_a, log_b, log_h0):
    most = log_b.max(axis=1)
    return log_loop(
        log_a, log_b, log_h0, adds=lambda p, q: most + np.log(np.exp(p - most) + np.exp(q - most))
    )


@log_recurrence.misconception("h is returned, its logarithm is asked for.")
def h_itself(log_a, log_b, log_h0):
    return np.exp(log_loop(log_a, log_b, log_h0))


@log_recurrence.misconception("What was added fades by the factors of later steps, log_b does not here.")
def log_of_sums_that_do_not_fade(log_a, log_b, log_h0):
    faded = log_h0[:, None] + np.cumsum(log_a, axis=1)
    return np.logaddexp(faded, np.logaddexp.accumulate(log_b, axis=1))


@log_recurrence.misconception(OUTSIDE)
def outside_the_logarithms(log_a, log_b, log_h0):
    with np.errstate(all="ignore"):
        return np.log(recurrence.reference(np.exp(log_a), np.exp(log_b), np.exp(log_h0)))


DIVIDED = (
    "You divide by the product of all factors so far, which has run to 0 on a long sequence. Which form of "
    "the same sum never leaves the logarithms?"
)


@log_recurrence.misconception(DIVIDED)
def divided_by_the_product(log_a, log_b, log_h0):
    product = np.exp(np.cumsum(log_a, axis=1))
    return np.log(product * (np.exp(log_h0)[:, None] + np.cumsum(np.exp(log_b) / product, axis=1)))


@log_recurrence.misconception(DIVIDED)
def summed_outside(log_a, log_b, log_h0):
    A = np.cumsum(log_a, axis=1)
    return A + np.log(np.exp(log_h0)[:, None] + np.cumsum(np.exp(log_b - A), axis=1))


@log_recurrence.misconception(
    "One maximum for all steps: on a long sequence what is far below it becomes exp(−1000) = 0, and its "
    "logarithm −inf."
)
def one_maximum(log_a, log_b, log_h0):
    A = np.cumsum(log_a, axis=1)
    terms = np.concatenate([log_h0[:, None], log_b - A], axis=1)
    most = terms.max(axis=1, keepdims=True)
    return A + (most + np.log(np.cumsum(np.exp(terms - most), axis=1)))[:, 1:]


@log_recurrence.clue
def where_it_goes_wrong(answer, log_a, log_b, log_h0):
    ordinary = log_inputs(np.random.default_rng(0))[0]
    if not same(answer(*ordinary), log_recurrence.reference(*ordinary), 1e-6):
        return ""
    if np.isinf(log_h0).any():
        return "With h0 = 0, log h0 is −∞, and −∞ − (−∞) is nan: take the larger of the two out."
    return OUTSIDE


@log_recurrence.remark
def how_far_it_reaches(answer, log_a, log_b, log_h0):
    fading, little = np.full((1, 2001, 1), -1.0), np.full((1, 2001, 1), -1e4)
    last = answer(fading, little, np.zeros((1, 1)))[0, -1, 0]
    return (
        f"after 2,001 steps that leave 1/e each, log h is −{-last:.0f}; h itself would be {np.exp(last):.0f}."
    )


# 5.7 Find the mistake


WRONG_LINES = {"A": (3, "b"), "B": (9, "d"), "C": (3, "f")}


@exercise(
    "5.7",
    returns={version: {"line": "", "why": ""} for version in WRONG_LINES},
    inputs=no_inputs,
    section=ALL_AT_ONCE,
    accept=find_the_mistake.about(
        WRONG_LINES, "Which steps are wrong, of short sequences and of long ones, and which lines make them?"
    ),
)
def find_scan_mistakes():
    return dict(WRONG_LINES)
