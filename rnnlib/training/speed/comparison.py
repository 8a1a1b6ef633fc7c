"""How long a training step takes, beside PyTorch's: ``python -m rnnlib speed``.

A step is forward and backward, with the gradient of the input, in float32 on one thread.
Each measurement has a process of its own, since some processes are slow from start to end;
the contenders take turns, since a machine has slow minutes; the median of all counts.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from functools import partial

import numpy as np
from threadpoolctl import threadpool_info

from rnnlib.models.registry import MODELS, numpy_models
from rnnlib.tools.memory import peak_memory

RECURRENT = [
    {"T": 30, "B": 32, "D": 1, "H": 128},
    {"T": 30, "B": 32, "D": 16, "H": 128},
    {"T": 128, "B": 32, "D": 64, "H": 128},
    {"T": 512, "B": 16, "D": 64, "H": 256},
]
STATE_SPACE = [
    {"T": 30, "B": 32, "D": 128, "N": 16},
    {"T": 256, "B": 8, "D": 128, "N": 16},
    {"T": 1024, "B": 2, "D": 128, "N": 64},
]
NAMES = {model: MODELS[model].layer.__name__ for model in numpy_models()}
SIZES = {model: STATE_SPACE if "d_state" in MODELS[model].options else RECURRENT for model in NAMES}
SECONDS = 0.5  # how long a process repeats the step
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

# Windows counts CPU time in ticks of 16 ms, too coarse for a step.
if sys.platform == "win32":
    CLOCK, CLOCK_NAME = time.perf_counter, "time"
else:
    CLOCK, CLOCK_NAME = time.process_time, "CPU time"


# One measurement: what a process of its own runs.


def problem(model, T, B, D, H, N):
    """x, dy and a layer of rnnlib: random, the same each time."""
    rng = np.random.default_rng(0)
    layer_class = MODELS[model].layer
    layer = layer_class(D, d_state=N, rng=rng) if N else layer_class(D, H, rng=rng)
    x, dy = (rng.standard_normal((B, T, width), dtype=np.float32) for width in (D, H or D))
    return x, dy, layer


def numpy_step(model, T, B, D, H=None, N=None):
    """A function that makes one training step of a layer of rnnlib."""
    x, dy, layer = problem(model, T, B, D, H, N)

    def step():
        layer.forward(x)
        layer.backward(dy)

    return step


def measure(contender, model, size, at_least):
    """Seconds of a step (the median of several), bytes at its peak, and NumPy's BLAS kernels."""
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


# The table: what the command runs.


def compare(models, *, quick=False, repeats=3, kernels=None):
    """Measure, and show the progress on stderr.

    Args:
        models: keys of ``NAMES``.
        quick: only the first size of each model.
        repeats: processes for each measurement.
        kernels: OpenBLAS kernels for rnnlib, such as "SkylakeX"; if None, those that OpenBLAS
            chooses, and beside them "SkylakeX" where it leaves the processor's AVX-512 unused.

    Returns:
        (rows, notes): rows of (model, size, {contender: (milliseconds, MiB)}), where a contender
        is the kernels' name, "torch" or "torch tuned", and the lines to print under the table.
    """
    from tqdm.auto import tqdm

    for model in models:
        if model not in NAMES:
            raise ValueError(f"unknown model {model!r}: choose one of {', '.join(NAMES)}")
    chosen = blas_kernels()
    notes = [
        f"A training step in float32 on one thread: its {CLOCK_NAME}, and its memory at the",
        "peak above what the process held before. torch / rnnlib above 1: rnnlib is",
        "faster. T time steps, B batch, D inputs, H hidden size, N state size.",
        f"NumPy {np.__version__} with the BLAS kernels {kernels or chosen}.",
    ]
    contenders = {kernels or chosen: ("rnnlib", kernels)}
    if kernels is None and chosen in ("Haswell", "Zen") and _has_avx512():
        contenders["SkylakeX"] = ("rnnlib", "SkylakeX")
        notes += [
            "OpenBLAS leaves AVX-512 unused on this processor; its SkylakeX kernels do not.",
            "To get them: export OPENBLAS_CORETYPE=SkylakeX before Python starts.",
        ]
    probe = _python("-c", "import torch; print(torch.__version__)")
    if probe.returncode == 0:
        contenders["torch"] = ("torch", None)
        notes.append(f"PyTorch {probe.stdout.strip()}; for MinGRU and Mamba a loop over the time steps.")
        if "mamba" in models:
            notes.append("Tuned loop: in place, in memory's order. Its ratio is to the row above it.")
    else:
        reason = _last_words(probe).split(": ", 1)[-1]
        notes.append(f'No PyTorch here ({reason}): pip install "rnnlib[torch]"')

    cases = [(model, size) for model in models for size in SIZES[model][: 1 if quick else None]]
    tuned = {"torch tuned": ("torch tuned", None)} if "torch" in contenders else {}
    by_model = {model: contenders | (tuned if model == "mamba" else {}) for model in models}
    rows = []
    total = sum(repeats * len(by_model[model]) for model, _ in cases)
    with tqdm(total=total, desc="measuring", leave=False, disable=None) as bar:  # None: unless piped
        for model, size in cases:
            bar.set_postfix_str(f"{NAMES[model]} {size_text(size)}")
            results = {name: [] for name in by_model[model]}
            for name in list(results) * repeats:
                results[name].append(_measured(*by_model[model][name], model, size))
                bar.update()
            medians = {
                name: (
                    1e3 * statistics.median(result["seconds"] for result in several),
                    statistics.median(result["bytes"] for result in several) / 2**20,
                )
                for name, several in results.items()
            }
            rows.append((model, size, medians))
    return rows, notes


def _has_avx512():
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    names = {*found.get("baseline", []), *found.get("found", [])}
    return bool(names & {"X86_V4", "AVX512_SKX"})  # the name since NumPy 2.4, and before


def _measured(contender, kernels, model, size):
    """The result of ``measure`` in a process of its own."""
    extra = {"OPENBLAS_CORETYPE": kernels} if kernels else {}
    done = _python(
        "-m", "rnnlib.training.speed.comparison", contender, model, json.dumps(size), str(SECONDS), **extra
    )
    if done.returncode != 0:
        raise ChildProcessError(
            f"{contender} failed for {NAMES[model]} {size_text(size)}: {_last_words(done)}"
        )
    result = json.loads(done.stdout)
    if kernels and result["kernels"].lower() != kernels.lower():
        raise ValueError(f"there are no BLAS kernels {kernels!r} here: NumPy took {result['kernels']}")
    return result


def _python(*arguments, **environment):
    """Run Python on one thread. Ctrl-C ends it, too."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **dict.fromkeys(THREADS, "1"), **environment},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )


def _last_words(process):
    """Why it failed, in one line."""
    lines = process.stderr.strip().splitlines()
    if process.returncode < 0:
        return f"ended by {signal.Signals(-process.returncode).name}"
    return lines[-1] if lines else f"exit status {process.returncode}"


def size_text(size):
    return " ".join(f"{letter}{length}" for letter, length in size.items())


def table(rows):
    """The rows of ``compare`` as a table for the terminal, 80 columns wide at most."""
    from rich import box
    from rich.table import Table

    # No colours and plain rules: the table survives a file, a pipe and an old console.
    result = Table(box=box.ASCII2)
    for name in ("\nmodel", "\nsize"):
        result.add_column(name)
    for name in ("rnnlib\nms", "torch\nms", "torch /\nrnnlib", "rnnlib\nMiB", "torch\nMiB"):
        result.add_column(name, justify="right")
    for model, size, results in rows:
        torch = results.get("torch")
        names = [name for name in results if not name.startswith("torch")]
        for name in names:
            ms, memory = results[name]
            first = name == names[0]
            result.add_row(
                NAMES[model] if first else f"  {name}",
                size_text(size) if first else "",
                _digits(ms),
                _digits(torch[0]) if torch and first else "",
                f"{torch[0] / ms:.2f}" if torch else "",
                _digits(memory),
                _digits(torch[1]) if torch and first else "",
            )
        if tuned := results.get("torch tuned"):
            ratio = f"{tuned[0] / ms:.2f}"
            result.add_row("  tuned loop", "", "", _digits(tuned[0]), ratio, "", _digits(tuned[1]))
        if size == SIZES[model][-1]:
            result.add_section()
    return result


def _digits(value):
    return f"{value:.3g}" if value < 99.95 else f"{value:.0f}"


if __name__ == "__main__":
    contender, model, size, at_least = sys.argv[1:]
    print(json.dumps(measure(contender, model, json.loads(size), float(at_least))))
