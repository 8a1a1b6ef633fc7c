"""A grading kernel: what its shell takes, what it tells of a cell, and where the time went."""

import os
import subprocess
import sys
import time

import pytest

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import kernel, sandbox, usage
from rnnlib.grading.kernel import Kernel, KernelLost
from rnnlib.grading.usage import TooMuch, Usage


def started():
    return Kernel(sandbox.SOLUTIONS, False, memory=2**32)


@pytest.fixture(scope="module")
def running():
    one = started()
    yield one
    one.stop()


def outputs(running, source):
    return running.execute(source, time.monotonic() + 60)


@pytest.mark.parametrize(
    "source",
    [
        "%pip install no_such_package",
        "%conda install no_such_package",
        "!pip install no_such_package\n!python -m pip install x\n!conda install x\n!sudo apt-get install x",
        "import sys\n!{sys.executable} -m pip install no_such_package",
        "assert not get_ipython().getoutput('pip install no_such_package')",
        "assert get_ipython().getoutput('echo here') == ['here']",
        "%matplotlib widget\n%matplotlib qt\n%matplotlib tk\n%matplotlib\n%gui qt",
        "import matplotlib\nassert 'inline' in matplotlib.get_backend()",
        "exit()\nquit()\nimport time\ntime.sleep(0.3)",
        "print('x' * 34_000_000)",
        "print('\\ud83d', '✓')",
        "import os, sys\nsys.stderr.write('x')\nos.write(1, b'x')\nsys.stdout.flush()",
        "display('x' * 34_000_000)",
        "'x' * 34_000_000",
    ],
)
def test_what_is_right_elsewhere_stops_no_cell(running, source):
    assert outputs(running, source) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("%matplotlb", "UsageError"),
        ("%%tiem\nx = 1", "UsageError"),
        ("x = [1", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit", "SystemExit"),
        ("assert False, 'x' * 40_000_000", "AssertionError"),
        ("raise ValueError('x' * 40_000_000)", "ValueError"),
        ("get_ipython().showtraceback = lambda *a, **k: None\n1 / 0", "ZeroDivisionError"),
    ],
)
def test_how_a_cell_stopped_is_known(running, source, name):
    (output,) = outputs(running, source)
    assert (output["output_type"], output["ename"]) == ("error", name)


def test_a_display_that_cannot_be_received_is_told_at_once(monkeypatch):
    monkeypatch.setattr(kernel, "PATIENCE", 2)
    one, begin = started(), time.monotonic()
    try:
        with pytest.raises(KernelLost, match="it displayed more than 32 MiB at once") as lost:
            outputs(one, "p = get_ipython().display_pub\ntype(p).publish(p, {'a': 'x' * 2**26})")
        assert lost.value.verdict == "kernel died"
        assert time.monotonic() - begin < 50
    finally:
        one.stop()


def test_a_display_that_no_kernel_makes_is_no_failure_of_the_graders():
    one = started()
    try:
        send = "k.session.send(k.iopub_socket, 'display_data', content={'data': 5}, parent=k.get_parent())"
        with pytest.raises(KernelLost, match="the Python kernel sent nonsense") as lost:
            outputs(one, f"k = get_ipython().kernel\n{send}")
        assert lost.value.verdict == "kernel died"
    finally:
        one.stop()


def test_what_ends_another_request_ends_no_cell(running):
    idle = "content={'execution_state': 'idle'}, parent={'header': {'msg_id': 'another'}}"
    send = f"k = get_ipython().kernel\nk.session.send(k.iopub_socket, 'status', {idle})"
    (output,) = outputs(running, f"{send}\nget_ipython().display_pub.publish({{{VALUES_MIME!r}: [1]}})")
    assert output["data"] == {VALUES_MIME: [1]}


def test_nothing_is_downloaded():
    environment = sandbox.environment()
    assert environment["PIP_NO_INDEX"] == "1"
    assert environment["PIP_RETRIES"] == "0"


@pytest.mark.parametrize(
    ("computed", "idle", "who"),
    [(9, 5, "computing"), (3, 0.5, "machine"), (3, 9, "waiting"), (0.1, 0, "waiting")],
)
def test_where_the_time_went(tmp_path, computed, idle, who):
    usage = Usage(os.getpid(), tmp_path, 2**40)
    usage.look()
    usage.begin()
    assert usage.where_the_time_went() == ("computing", None)
    usage.first, usage.latest = (0, 0, 0), (10, computed, idle)
    assert usage.where_the_time_went() == (who, computed / 10)


@pytest.fixture
def process():
    """A process that does nothing, and has started none."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as one:
        yield one
        one.kill()


def test_what_takes_too_much_is_told(tmp_path, monkeypatch, process):
    """What processes share counts once."""
    watch = Usage(process.pid, tmp_path, 2**30)
    monkeypatch.setattr(usage, "_resident", lambda process: 3 * 2**30)
    monkeypatch.setattr(usage, "_unshared", lambda process: 2**30)
    watch.look()
    monkeypatch.setattr(usage, "_unshared", lambda process: 2**30 + 1)
    with pytest.raises(TooMuch, match="it used more than 1 GiB of memory"):
        watch.look()
    monkeypatch.setattr(usage, "_unshared", lambda process: 0)
    (tmp_path / "a").write_bytes(bytes(2000))
    monkeypatch.setattr(sandbox, "SCRATCH", 1999)
    with pytest.raises(TooMuch, match="of files"):
        watch.look()
    monkeypatch.setattr(usage, "MOST_PROCESSES", 0)
    with pytest.raises(TooMuch, match="it started more than 0 processes"):
        watch.look()


def test_code_that_waits_is_told_from_a_loop(running):
    with pytest.raises(KernelLost) as lost:
        running.execute("import time\ntime.sleep(1000)", time.monotonic() + 4)
    assert "does it wait for something?" in str(lost.value)
