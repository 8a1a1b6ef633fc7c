"""What a student's kernel can see, reach and use."""

import os
import shutil
import site
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rnnlib.checks.verdicts import VALUES_MIME
from rnnlib.grading import sandbox
from rnnlib.grading.kernel import Kernel, KernelLost
from rnnlib.tests.grading.submissions import ROOT

needs_walls = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))


@pytest.fixture
def kernel(request, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    walls = getattr(request, "param", True)
    kernel = Kernel(sandbox.SOLUTIONS, walls, seed=3, memory=2 * 2**30)
    yield kernel
    kernel.stop()
    assert not kernel.folder.exists()


def run(kernel, source, seconds=60):
    """What the last line of a source gives, as text, or an error's name."""
    *lines, last = source.splitlines()
    shown = f"get_ipython().display_pub.publish({{{VALUES_MIME!r}: repr(({last}))}})"
    (output,) = kernel.execute("\n".join([*lines, shown]), time.monotonic() + seconds)
    return output["ename"] if output["output_type"] == "error" else output["data"][VALUES_MIME]


def private(folder, shown):
    """What lies in a folder and on the ways from it to what is shown, and is not shown itself."""
    if not os.access(folder, os.R_OK | os.X_OK) or str(folder) in ("/proc", "/dev"):
        return []
    paths = []
    for path in folder.iterdir():
        if any(path.is_relative_to(part) for part in shown):
            continue
        on_the_way = any(part.is_relative_to(path) for part in shown)
        paths += private(path, shown) if on_the_way else [str(path)]
    return paths


@needs_walls
def test_inside_there_is_a_read_only_system_and_nothing_else(kernel):
    """In any layout: the environment may lie in the clone, the clone in a home, in /tmp or in /usr."""
    prefixes = [
        Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    ]
    packages = [ROOT / "rnnlib", Path(site.getusersitepackages())]
    shown = {prefix / part for prefix in prefixes for part in sandbox.PYTHON}
    shown |= {*map(Path, sandbox.SYSTEM), *packages, kernel.folder}
    hidden = {path for folder in (ROOT, Path.home()) for path in private(folder, shown)}
    assert run(kernel, f"import os\n[path for path in {hidden!r} if os.path.exists(path)]") == "[]"
    for folder in map(str, (sandbox.SOLUTIONS, ROOT / ".git")):
        assert run(kernel, f"os.path.isdir({folder!r}) and os.listdir({folder!r})") in ("False", "[]")
    assert run(kernel, "os.listdir(os.path.expanduser('~'))") in ("[]", "['.ipython']")

    for folder in (*prefixes, *packages, ROOT, Path.home(), Path("/usr"), Path("/etc"), Path("/")):
        spoiled = str(folder / "spoiled")
        opened = run(kernel, f"open({spoiled!r}, 'w').name")
        assert opened in ("OSError", "PermissionError", "FileNotFoundError") or folder.is_relative_to("/tmp")
        assert not os.path.exists(spoiled)  # a folder in /tmp is memory of the kernel's own
    assert run(kernel, "open('mine', 'w').write('here')") == "4"
    assert run(kernel, "import socket\n[name for _, name in socket.if_nameindex()]") == "['lo']"
    assert run(kernel, "socket.create_connection(('1.1.1.1', 80), 1)") == "OSError"
    assert int(run(kernel, "sum(p.isdigit() for p in os.listdir('/proc'))")) <= 3
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as neighbour:
        assert run(kernel, f"os.kill({neighbour.pid}, 9)") == "ProcessLookupError"
        assert neighbour.poll() is None
        neighbour.kill()


@pytest.mark.slow
@needs_walls
def test_temporary_files_are_bounded(kernel):
    assert run(kernel, f"open('big', 'wb').write(bytes({2 * sandbox.SCRATCH}))") == "OSError"


@pytest.mark.parametrize("kernel", [False], indirect=True)
def test_limits_and_the_environment_hold_without_walls(kernel):
    assert run(kernel, "import os\n'SECRET_TOKEN' in os.environ") == "False"
    assert run(kernel, "os.environ['RNNLIB_SEED'], os.environ['OMP_NUM_THREADS']") == "('3', '1')"
    assert run(kernel, "os.path.expanduser('~') == os.getcwd(), os.listdir('.')") in (
        "(True, [])",
        "(True, ['.ipython'])",
    )
    if sandbox.limits(1) is not None:
        assert run(kernel, "len(bytearray(3 * 2**30))") == "MemoryError"


@needs_walls
def test_limits_and_the_environment_hold_inside(kernel):
    assert run(kernel, "import os\n'SECRET_TOKEN' in os.environ") == "False"
    assert run(kernel, "len(bytearray(3 * 2**30))") == "MemoryError"


@pytest.mark.slow
@pytest.mark.parametrize(
    "kernel", [False, pytest.param(True, marks=needs_walls)], indirect=True, ids=["without", "inside"]
)
def test_nothing_is_left_of_a_kernel_that_hangs(kernel):
    sleep = ["-c", "import time; time.sleep(543)", str(kernel.folder)]  # a name that no other test has
    source = f"import subprocess, sys\nsubprocess.Popen([sys.executable, *{sleep}])"
    kernel.execute(source, time.monotonic() + 60)
    with pytest.raises(KernelLost) as lost:
        kernel.execute("while True: pass", time.monotonic() + 1)
    assert lost.value.verdict == "timed out"
    kernel.stop()
    end = time.monotonic() + 30  # the last of them may take a moment to die
    while processes_that_name(kernel.folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert processes_that_name(kernel.folder) == []


def processes_that_name(folder):
    return [process for process in psutil.process_iter() if str(folder) in " ".join(_command(process))]


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.slow
@needs_walls
def test_many_files_are_bounded_too(kernel):
    sockets = f"os.path.dirname({str(kernel.folder / 'c')!r})"
    kernel.execute("import os, time", time.monotonic() + 60)
    source = f"[open({sockets} + f'/{{i}}', 'wb').write(bytes(90 * 2**20)) for i in range(4)]\ntime.sleep(99)"
    with pytest.raises(KernelLost, match="it wrote more than 256 MiB of files"):
        kernel.execute(source, time.monotonic() + 60)


def test_limits_that_a_system_refuses_are_left_out(monkeypatch):
    resource = pytest.importorskip("resource", reason="this system has no limits")

    def refuses(what, limit):
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuses)
    sandbox.limits(1)()


def test_without_the_program_it_is_told_in_a_few_words(monkeypatch):
    sandbox.missing.cache_clear()
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert sandbox.missing() == "bubblewrap is not installed"
    sandbox.missing.cache_clear()


def test_a_program_that_does_not_work_is_told_with_its_reason(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    sandbox.missing.cache_clear()
    assert sandbox.missing() == "bubblewrap does not work here: bwrap: No permissions to create new namespace"
    sandbox.missing.cache_clear()


@needs_walls
def test_solutions_inside_a_folder_that_is_shown_are_hidden(tmp_path, monkeypatch):
    """As when they lie beside the package in an environment; some lie nowhere."""
    shown = tmp_path / "share"
    (shown / "labs_solutions").mkdir(parents=True)
    (shown / "labs_solutions" / "01_rnn.ipynb").touch()
    (shown / "other").touch()
    monkeypatch.setattr(sandbox, "PYTHON", [*sandbox.PYTHON, str(shown)])
    command = [shutil.which("ls"), str(shown), str(shown / "labs_solutions")]
    hidden = (shown / "labs_solutions", shown / "nowhere", tmp_path / "elsewhere")
    run = subprocess.run(sandbox.inside(command, hidden=hidden), capture_output=True, text=True, check=True)
    assert "other" in run.stdout
    assert "01_rnn.ipynb" not in run.stdout
