"""One measurement, in a process of its own: ``python -m rnnlib.training.speed.measurement``.

Its arguments are the contender, the model, the size as JSON and the seconds to repeat it; it
prints the result as JSON.
"""

import json
import statistics
import sys
import time
from functools import partial

import numpy as np
from threadpoolctl import threadpool_info

from rnnlib.tools.memory import peak_memory
from rnnlib.training.speed.cases import problem

# Windows counts CPU time in ticks of 16 ms, too coarse for a step.
if sys.platform == "win32":
    CLOCK, CLOCK_NAME = time.perf_counter, "time"
else:
    CLOCK, CLOCK_NAME = time.process_time, "CPU time"


def numpy_step(model, **size):
    """A function that makes one training step of a layer of rnnlib."""
    x, dy, layer = problem(model, **size)

    def step():
        layer.forward(x)
        layer.backward(dy)

    return step


def measure(contender, model, size, at_least):
    """One training step, again and again.

    Args:
        contender: "rnnlib", "torch", or "torch tuned" for the loop that is tuned by hand.
        model, size: a key of ``cases.NAMES`` and one of its sizes.
        at_least: seconds.

    Returns:
        dict with the median's seconds, the bytes at the peak, and NumPy's BLAS kernels.
    """
    if contender == "rnnlib":
        make = numpy_step
    else:
        from rnnlib.training.speed.torch_peers import torch_step

        make = partial(torch_step, tuned=contender == "torch tuned")
    make(model, **size | {"T": 2, "B": 1})()  # loads libraries, whose memory is not the step's
    step = make(model, **size)

    def two_steps():  # the second begins while what the first kept is still there
        step()
        step()

    _, peak = peak_memory(two_steps)
    times = []
    while len(times) < 3 or sum(times) < at_least:
        start = CLOCK()
        step()
        times.append(CLOCK() - start)
    return {"seconds": statistics.median(times), "bytes": peak, "kernels": blas_kernels()}


def blas_kernels():
    """The kernels that NumPy's OpenBLAS uses, such as Haswell; another BLAS by its name."""
    for library in threadpool_info():
        if library["internal_api"] == "openblas":
            return library["architecture"]
    return np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]


if __name__ == "__main__":
    contender, model, size, at_least = sys.argv[1:]
    print(json.dumps(measure(contender, model, json.loads(size), float(at_least))))
