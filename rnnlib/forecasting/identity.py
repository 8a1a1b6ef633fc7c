"""Which training is it, and are these its data? What a file remembers, and how it is compared."""

import hashlib

import numpy as np
import pandas as pd

REMEMBERED = 24  # days that a file remembers
DATA = "source", "symbol"  # where data lie, and what they are called
TOLERANCE = 0.1  # standard deviations that a scaled number may move by: prices are rounded to cents


class OtherSetting(ValueError):
    """A file to resume from is of a training with another setting.

    Attributes:
        path: the file.
        name: the setting; a caller who calls it otherwise may change the name.
        then, now: its two values.
    """

    def __init__(self, path, name, then, now):
        super().__init__(path, name, then, now)
        self.path, self.name, self.then, self.now = path, name, then, now

    def __str__(self):
        return (
            f"{self.path} is of a training with {self.name} = {self.then}, not {self.now}: "
            "give the settings of then, or train without resume"
        )


class OtherData(UserWarning):
    """The data are not those of the training."""


def fingerprint(data):
    """A hash of every number that a training and its scores depend on."""
    digest = hashlib.sha256()
    for part in (data.train, data.validation, data.test):
        for array in part:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def check_same(path, then, now):
    """An error that names the first difference between two trainings that counts.

    Where the data lie and what they are called does not count, if they are the same; and a training
    may go on with more patience, as it may for more epochs.

    Args:
        path: the file of then.
        then, now: the settings of both trainings, nested dicts as JSON has them.

    Raises:
        OtherSetting: a setting differs.
        ValueError: the data differ.
    """
    then, now = _flat(then), _flat(now)
    for name in now | then:
        if name in (*DATA, "fingerprint") or then.get(name) == now.get(name):
            continue
        if name == "patience" and name in then and name in now and then[name] < now[name]:
            continue
        raise OtherSetting(path, name, then.get(name), now.get(name))
    if then.get("fingerprint") == now.get("fingerprint"):
        return
    for name in DATA:
        if then.get(name) != now.get(name):
            raise ValueError(
                f"{path} is of a training on other data ({name} = {then.get(name)}, not {now.get(name)}): "
                "give those of then, or train without resume"
            )
    raise ValueError(f"{path}: the data have changed since: give them as they were, or train without resume")


def remembered(data):
    """Some days before the test part, by which ``difference`` will know these data again.

    Returns:
        dict that JSON can hold: target, days (as text), values (of the target, in its unit), and scaled
        (what the network read and was to answer on each of them, (days, D + 1)).
    """
    rows = np.unique(np.linspace(1, data.split.test.start, REMEMBERED).astype(int))
    return {
        "target": data.target,
        "days": [day.isoformat() for day in data.frame.index[rows]],
        "values": [float(value) for value in data.level[rows]],
        "scaled": np.round(_scaled(data)[rows - 1], 4).tolist(),
    }


def difference(then, data):
    """What differs between the data of a training and those that are here now, in a few words.

    Prices times a constant are the same to a network that reads returns. New days at the end do not
    count.

    Args:
        then: what ``remembered`` returned at the training.
        data: the Dataset of now, with the scaling of then.

    Returns:
        The words, or None if nothing does.
    """
    days = pd.to_datetime(then["days"])
    rows = data.frame.index.get_indexer(days)
    here = rows > 0  # the first row has no return
    if not here.any():
        return f"they have none of the days from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
    days, rows = days[here], rows[here]
    pair = _scaled(data)[rows - 1], np.array(then["scaled"], float)[here]
    differs = ~np.isclose(*pair, rtol=0, atol=TOLERANCE, equal_nan=True)
    if not differs.any():
        return None
    first = differs.any(axis=1).argmax()
    column = [*data.features, data.target][differs[first].argmax()]
    values, before = data.level[rows], np.array(then["values"], float)[here]
    if column != data.target:
        return f"what the network reads of {column} on {days[first]:%Y-%m-%d} is another"
    was, now = (f"{numbers[first]:.6g}" for numbers in (before, values))
    if was == now:  # the day before differs
        return f"the change of {column} on {days[first]:%Y-%m-%d} is another"
    words = f"on {days[first]:%Y-%m-%d} {column} was {was}, and is now {now}"
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = values / before
    if ratios.min() > 0 and ratios.max() < 1.01 * ratios.min():
        words += f" (all × {np.median(ratios):.4g}: a split since?)"
    return words


def _scaled(data):
    """What the network reads and is to answer in each row but the first, scaled, (N − 1, D + 1)."""
    answers = (data.transform.series(data.level) - data.scaling.target_mean) / data.scaling.target_std
    inputs = (data.inputs(data.frame) - data.scaling.mean) / data.scaling.std
    return np.column_stack([inputs, answers])


def _flat(nested):
    """All settings by their names, without the groups that they stand in."""
    flat = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value)
        else:
            flat[name] = value
    return flat
