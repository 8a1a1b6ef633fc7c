"""The kernel that runs a student's code: nbval's, in a sandbox, and with a deadline for each cell."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty

import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import sandbox

MESSAGE_SIZE = 32 * 2**20  # bytes; a longer message is not received
MOST_OUTPUTS = 20  # that are kept of a cell
MOST_PROCESSES = 100


class KernelLost(Exception):
    """The kernel is gone.

    Attributes:
        verdict: "timed out" or "kernel died".
    """

    def __init__(self, verdict, message):
        super().__init__(message)
        self.verdict = verdict


class Kernel(RunningKernel):
    """A Python kernel of this environment, whatever kernel a notebook's metadata names.

    Args:
        solutions: folder that the kernel must not see.
        sandboxed: whether it runs inside bubblewrap.
        memory: bytes that it may use, together with all that it starts.
        seed: the random seed of the checks.
        startup_timeout: in seconds.

    Raises:
        RuntimeError: the kernel does not start.
    """

    def __init__(self, solutions, sandboxed, *, memory, seed=0, startup_timeout=60):
        self.memory = memory
        self.folder = Path(tempfile.mkdtemp(prefix="k"))  # sockets must have short names
        home = self.folder / "home"
        home.mkdir()
        python = [sys.executable, "-m", "ipykernel_launcher", "--HistoryManager.enabled=False"]
        command = [*python, "-f", "{connection_file}"]
        if sandboxed:
            command = sandbox.inside(command, self.folder, hidden=(sandbox.SOLUTIONS, solutions))
        options = {
            "env": sandbox.environment(RNNLIB_SEED=str(seed), HOME=str(home), USERPROFILE=str(home)),
            "cwd": str(home),
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        limits = sandbox.limits(memory)
        if limits:
            options["preexec_fn"] = limits
        self.context = zmq.Context()
        self.context.maxmsgsize = MESSAGE_SIZE
        transport = "ipc" if os.name == "posix" else "tcp"  # many at once collide over ports
        self.km = KernelManager(connection_file=str(self.folder / "c"), transport=transport)
        self.km._kernel_spec = KernelSpec(argv=command, display_name="Python", language="python")
        try:
            self.km.start_kernel(**options)
            self.kc = self.km.client(context=self.context)
            self.kc.start_channels()
            self.kc.wait_for_ready(timeout=startup_timeout)
        except Exception:
            self.stop()
            raise

    def execute(self, source, deadline):
        """Run code and return its outputs, as far as they matter: errors, and displays with values.

        Args:
            source: the code.
            deadline: on the clock of ``time.monotonic``.

        Raises:
            KernelLost: the kernel died, or did not finish in time.
        """
        outputs = []
        request = self.execute_cell_input(source, allow_stdin=False)
        next_look = time.monotonic() + 1
        while True:
            now = time.monotonic()
            if now > deadline:
                raise KernelLost("timed out", "did not finish in time")
            if now > next_look:
                self._look_at_its_size()
                next_look = now + 1
            message = self._next_message()
            if message is None or message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "status" and content.get("execution_state") == "idle":
                return outputs
            matters = message["msg_type"] == "error" or VALUES_MIME in (content.get("data") or {})
            if matters and len(outputs) < MOST_OUTPUTS:
                outputs.append({"output_type": message["msg_type"], **content})

    def _next_message(self):
        """What the kernel says next; None if it says nothing for half a second."""
        try:
            return self.kc.get_iopub_msg(timeout=0.5)
        except Empty:
            if self.is_alive():
                return None
            text = "the Python kernel died: does the code end or crash it?"
            raise KernelLost("kernel died", text) from None
        except Exception as error:  # no kernel sends what cannot be read: the student's code did
            raise KernelLost("kernel died", f"the Python kernel sent nonsense: {error!r}") from None

    def _look_at_its_size(self):
        """A limit of the system holds for one process, this one for all that the kernel started."""
        try:
            kernel = psutil.Process(self.km.provisioner.pid)
            processes = [kernel, *kernel.children(recursive=True)]
        except psutil.NoSuchProcess:  # execute will see that it died
            return
        if len(processes) > MOST_PROCESSES:
            raise KernelLost("kernel died", f"it started more than {MOST_PROCESSES} processes")
        size = sum(map(_resident, processes))
        if size > self.memory:  # what they share counts many times in this sum
            size = sum(map(_unshared, processes))
        if size > self.memory:
            raise KernelLost("kernel died", f"it used more than {self.memory / 2**30:g} GiB of memory")
        try:
            sizes = [file.stat().st_size for file in self.folder.rglob("*") if file.is_file()]
        except (OSError, RecursionError):  # one was just removed, or the folders go too deep
            return
        if sum(sizes) > sandbox.SCRATCH:
            raise KernelLost("kernel died", f"it wrote more than {sandbox.SCRATCH >> 20} MiB of files")

    def stop(self):
        """Stop the kernel and remove its folder."""
        if hasattr(self, "kc"):
            self.kc.stop_channels()
        self.km.shutdown_kernel(now=True)
        self.context.destroy(linger=0)
        sandbox.remove(self.folder)


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
