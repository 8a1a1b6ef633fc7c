"""How much memory a piece of work takes."""

import ctypes
import gc
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil


def peak_memory(work):
    """Do the work, and see how much memory it takes.

    Linux keeps the peak itself, and forgets it when a 5 is written to clear_refs. Elsewhere a
    thread looks every millisecond while ``work`` is repeated, which may miss a short peak.

    Returns:
        (result, bytes): what ``work()`` returns, and its peak above what the process held before.
    """
    _give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return _sampled_peak(work)
    before = _high_water()
    result = work()
    return result, _high_water() - before


def _give_back():
    """Return freed memory to the system, or earlier work would hide what this one takes (glibc alone)."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _high_water():
    """The most memory that the process has held, in bytes (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _sampled_peak(work):
    memory, done = psutil.Process().memory_info, threading.Event()
    seen = [memory().rss]

    def watch():
        while not done.wait(0.001):
            seen.append(memory().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    end = time.perf_counter() + 0.3
    result = work()
    while time.perf_counter() < end:  # again and again: one short step may pass unseen
        work()
    done.set()
    watcher.join()
    return result, max(seen) - seen[0]
