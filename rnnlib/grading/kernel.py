"""The kernel that runs a student's code: nbval's, in a sandbox, and with a deadline for each cell."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty

import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import sandbox
from rnnlib.grading.usage import TooMuch, Usage

MESSAGE_SIZE = 32 * 2**20  # bytes; a longer message is not received
MOST_OUTPUTS = 20  # that are kept of a cell
PATIENCE = 20  # half seconds that a cell's outputs may come after its reply
BUSY = "The machine was busy"
OPTIONS = ["--HistoryManager.enabled=False", "--ext=rnnlib.grading.shell"]
OPTIONS += ["--IPKernelApp.outstream_class=None"]  # what is printed, however much, is not even sent


class KernelLost(Exception):
    """The kernel is gone.

    Attributes:
        verdict: "timed out" or "kernel died".
        added: the cell that the student added, if it was that which ran; or None.
    """

    added = None

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
        self.folder = Path(tempfile.mkdtemp(prefix="k"))  # sockets must have short names
        home = self.folder / "home"
        home.mkdir()
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *OPTIONS]
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
            self.usage = Usage(self.km.provisioner.pid, self.folder, memory)
            self.kc = self.km.client(context=self.context)
            self.kc.start_channels()
            self.kc.wait_for_ready(timeout=startup_timeout)
        except Exception:
            self.stop()
            raise

    def execute(self, source, deadline):
        """Run code and return its outputs, as far as they matter: errors, and displays with values.

        An error that the kernel tells in its reply alone, such as an unknown magic, is among them.

        Args:
            source: the code.
            deadline: on the clock of ``time.monotonic``.

        Raises:
            KernelLost: the kernel died, or did not finish in time.
        """
        outputs, reply, silence = [], {}, 0
        request = self.execute_cell_input(source, allow_stdin=False)
        self.usage.begin()
        next_look = time.monotonic() + 1
        while True:
            now = time.monotonic()
            if now > deadline:
                raise KernelLost("timed out", self.lateness())
            if now > next_look:
                self._look_at_its_size()
                next_look = now + 1
            message = self._next_message()
            if message is None:
                reply = reply or self._reply_to(request, wait=0)
                silence += bool(reply)
                if silence > PATIENCE:  # it has ended, and its last words could not be received
                    raise KernelLost(
                        "kernel died", f"it displayed more than {MESSAGE_SIZE >> 20} MiB at once"
                    )
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "status" and content.get("execution_state") == "idle":
                if not any(output["output_type"] == "error" for output in outputs):
                    outputs += _error_of(reply or self._reply_to(request))
                return outputs
            data = content.get("data") or {}
            if not isinstance(data, dict):
                raise KernelLost("kernel died", "the Python kernel sent nonsense: a display of no kind")
            matters = message["msg_type"] == "error" or VALUES_MIME in data
            if matters and len(outputs) < MOST_OUTPUTS:
                outputs.append({"output_type": message["msg_type"], **content})

    def _reply_to(self, request, wait=2):
        """The reply to a request, if it comes within so many seconds; else {}."""
        end = time.monotonic() + wait
        while True:
            try:
                message = self.kc.get_shell_msg(timeout=max(0, end - time.monotonic()))
            except Empty:
                return {}
            except Exception:  # no kernel sends what cannot be read; what it did tell counts
                return {}
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def lateness(self):
        """Who else had the time of a cell that came to no end, in a sentence; "" if nobody."""
        who, share = self.usage.where_the_time_went()
        if who == "waiting":
            return f"It computed for {share:.0%} of that time: does it wait for something?"
        if who == "machine":
            return f"{BUSY}, and gave it {share:.0%} of a processor."
        return ""

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
        try:
            self.usage.look()
        except TooMuch as error:
            raise KernelLost("kernel died", str(error)) from None

    def stop(self):
        """Stop the kernel and remove its folder."""
        if hasattr(self, "kc"):
            self.kc.stop_channels()
        self.km.shutdown_kernel(now=True)
        self.context.destroy(linger=0)
        sandbox.remove(self.folder)


def _error_of(reply):
    """The error that a reply tells, as a list of outputs."""
    if reply.get("status") != "error":
        return []
    return [{"output_type": "error", "ename": reply.get("ename"), "evalue": reply.get("evalue")}]
