"""How long a training step takes, beside PyTorch's: ``python -m rnnlib speed``.

A step is forward and backward, with the gradient of the input, in float32 on one thread.
Each measurement has a process of its own, since some processes are slow from start to end;
the contenders take turns, since a machine has slow minutes; the median of all counts.
"""

import json
import os
import platform
import signal
import statistics
import subprocess
import sys

import numpy as np

from rnnlib.training.speed.cases import NAMES, SIZES, TUNED, size_text
from rnnlib.training.speed.measurement import CLOCK_NAME, blas_kernels

SECONDS = 0.5  # how long a process repeats the step
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
#: glibc's malloc takes all from one heap, and gives nothing of it back, see mallopt(3).
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40), "MALLOC_TOP_PAD_": str(2**26)}


def compare(models, *, quick=False, repeats=3, kernels=None):
    """Measure, and show the progress on stderr.

    Args:
        models: keys of ``cases.NAMES``.
        quick: only the first size of each model.
        repeats: processes for each measurement.
        kernels: OpenBLAS kernels for rnnlib, such as "SkylakeX"; if None, those that OpenBLAS
            chooses, and beside them "SkylakeX" where it leaves the processor's AVX-512 unused.

    Returns:
        (rows, notes): rows of (model, size, {contender: (milliseconds, MiB)}), where a contender
        is the kernels' name, "torch", "torch tuned", or one of these two and " kept", and the
        lines to print under the table.
    """
    from tqdm.auto import tqdm

    for model in models:
        if model not in NAMES:
            raise ValueError(f"unknown model {model!r}: choose one of {', '.join(NAMES)}")
    numpy_side, notes = _numpy_side(kernels)
    torch_side, torch_notes = _torch_side(models)
    tuned = {name: contender for name, contender in torch_side.items() if "tuned" in name}
    shared = numpy_side | {name: contender for name, contender in torch_side.items() if name not in tuned}
    contenders = {model: shared | (tuned if model in TUNED else {}) for model in models}
    cases = [(model, size) for model in models for size in SIZES[model][: 1 if quick else None]]
    rows = []
    total = sum(repeats * len(contenders[model]) for model, _ in cases)
    with tqdm(total=total, desc="measuring", leave=False, disable=None) as bar:  # None: unless piped
        for model, size in cases:
            bar.set_postfix_str(f"{NAMES[model]} {size_text(size)}")
            results = {name: [] for name in contenders[model]}
            for name in list(results) * repeats:
                results[name].append(_measured(*contenders[model][name], model, size))
                bar.update()
            rows.append((model, size, {name: _medians(several) for name, several in results.items()}))
    return rows, notes + torch_notes


def _numpy_side(kernels):
    """rnnlib's contenders, kernels -> (contender, environment), and the notes on all and on them."""
    usual = blas_kernels()
    notes = [
        f"A training step in float32 on one thread: its {CLOCK_NAME}, and its memory at the",
        "peak above what the process held before. Ratio: torch / rnnlib; above 1 rnnlib",
        "is faster. T time steps, B batch, D inputs, H hidden size, N state size.",
        f"NumPy {np.__version__} with the BLAS kernels {kernels or usual}.",
    ]
    side = {kernels or usual: ("rnnlib", {"OPENBLAS_CORETYPE": kernels} if kernels else {})}
    if kernels is None and usual in ("Haswell", "Zen") and _has_avx512():
        side["SkylakeX"] = "rnnlib", {"OPENBLAS_CORETYPE": "SkylakeX"}
        notes += [
            "OpenBLAS leaves AVX-512 unused on this processor; its SkylakeX kernels do not.",
            "To get them: export OPENBLAS_CORETYPE=SkylakeX before Python starts.",
        ]
    return side, notes


def _torch_side(models):
    """PyTorch's contenders, name -> (contender, environment), and the notes on them."""
    probe = _python("-c", "import torch; print(torch.__version__)")
    if probe.returncode != 0:
        reason = _last_words(probe).split(": ", 1)[-1]
        return {}, [f'No PyTorch here ({reason}): pip install "rnnlib[torch]"']
    side = {"torch": ("torch", {})}
    notes = [f"PyTorch {probe.stdout.strip()}; for MinGRU and Mamba a loop over the time steps."]
    if set(models) & set(TUNED):
        side["torch tuned"] = "torch tuned", {}
        notes.append("Tuned loop: in place, in memory's order. Its ratio is to the row above it.")
    if platform.libc_ver()[0] != "glibc":
        return side, [*notes, "Without glibc nobody can say here how much of PyTorch's time is page faults."]
    side |= {f"{name} kept": (contender, KEEP) for name, (contender, _) in side.items()}
    return side, [
        *notes,
        "Ratio kept: PyTorch's malloc keeps the memory that is freed. As a rule large",
        "arrays go back to the system, and a new one costs a page fault for each 4 KiB:",
        "that is the difference between the ratios. rnnlib reuses its own, see Workspace.",
    ]


def _has_avx512():
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    names = {*extensions.get("baseline", []), *extensions.get("found", [])}
    return bool(names & {"X86_V4", "AVX512_SKX"})  # the name since NumPy 2.4, and before


def _measured(contender, environment, model, size):
    """The result of ``measurement.measure`` in a process of its own."""
    arguments = contender, model, json.dumps(size), str(SECONDS)
    process = _python("-m", "rnnlib.training.speed.measurement", *arguments, **environment)
    if process.returncode != 0:
        raise ChildProcessError(
            f"{contender} failed for {NAMES[model]} {size_text(size)}: {_last_words(process)}"
        )
    result = json.loads(process.stdout)
    kernels = environment.get("OPENBLAS_CORETYPE")
    if kernels and result["kernels"].lower() != kernels.lower():
        raise ValueError(f"there are no BLAS kernels {kernels!r} here: NumPy took {result['kernels']}")
    return result


def _medians(results):
    """(milliseconds, MiB) of several measurements."""
    seconds, size = (statistics.median(result[key] for result in results) for key in ("seconds", "bytes"))
    return 1e3 * seconds, size / 2**20


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
