"""What a kernel, and all that it started, takes of the machine: memory, files, and the processor's time."""

import time

import psutil

from rnnlib.grading import sandbox

MOST_PROCESSES = 100
MUCH = 0.5  # of a processor's time; who has less computes little, or shares it with others
LITTLE = 0.05  # who computes has more, on the busiest machine


class TooMuch(Exception):
    """It took more than it may; the message says of what."""


class Usage:
    """Watches a kernel while a cell runs.

    Args:
        pid: the kernel's process.
        folder: where it may write.
        memory: bytes that it may use, together with all that it started.
    """

    def __init__(self, pid, folder, memory):
        self.pid, self.folder, self.memory = pid, folder, memory
        self.first = self.latest = None  # (time, seconds it computed, seconds this machine did nothing)

    def begin(self):
        """A cell begins."""
        self.first = self.latest = None

    def look(self):
        """Look how much it takes.

        A limit of the system holds for one process, this one for all that the kernel started.

        Raises:
            TooMuch: more than it may.
        """
        try:
            kernel = psutil.Process(self.pid)
            processes = [kernel, *kernel.children(recursive=True)]
        except psutil.NoSuchProcess:  # whoever waits for it will see that it died
            return
        if len(processes) > MOST_PROCESSES:
            raise TooMuch(f"it started more than {MOST_PROCESSES} processes")
        size = sum(map(_resident, processes))
        if size > self.memory:  # what they share counts many times in this sum
            size = sum(map(_unshared, processes))
        if size > self.memory:
            raise TooMuch(f"it used more than {self.memory / 2**30:g} GiB of memory")
        self.latest = time.monotonic(), sum(map(_computed, processes)), psutil.cpu_times().idle
        self.first = self.first or self.latest
        try:
            sizes = [file.stat().st_size for file in self.folder.rglob("*") if file.is_file()]
        except (OSError, RecursionError):  # one was just removed, or the folders go too deep
            return
        if sum(sizes) > sandbox.SCRATCH:
            raise TooMuch(f"it wrote more than {sandbox.SCRATCH >> 20} MiB of files")

    def where_the_time_went(self):
        """Who had the processor while the cell ran: "computing", "machine" if others had it, or "waiting".

        Returns:
            (who, share): the share of one processor's time that the kernel had, or None of a short cell.
        """
        if self.first == self.latest:
            return "computing", None
        elapsed, computed, idle = (
            after - before for before, after in zip(self.first, self.latest, strict=True)
        )
        share = computed / elapsed
        if share >= MUCH:
            return "computing", share
        return ("waiting" if share < LITTLE or idle / elapsed > 0.2 else "machine"), share


def _resident(process):
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has just ended
        return 0


def _unshared(process):
    try:
        return process.memory_full_info().uss
    except psutil.AccessDenied:
        return _resident(process)
    except psutil.Error:
        return 0


def _computed(process):
    """Seconds of the processor's time."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0
    return times.user + times.system
