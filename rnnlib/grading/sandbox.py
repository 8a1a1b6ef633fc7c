"""What a student's kernel runs in: bubblewrap where it works, limits, a bare environment.

Inside bubblewrap there are a read-only system, Python with its packages, and an empty home.
There is no network, no solution, and no process but the kernel's own.
"""

import os
import shutil
import site
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

SYSTEM = """/usr /bin /sbin /lib /lib32 /lib64 /nix/store
/etc/alternatives /etc/fonts /etc/ld.so.cache /etc/localtime""".split()
PYTHON = ["bin", "lib", "lib64", "include", "share", "pyvenv.cfg"]  # of each prefix
HOME = "/student"  # inside
SCRATCH = 256 * 2**20  # bytes that fit into each temporary folder inside
FILE_SIZE = 256 * 2**20  # bytes that fit into one file

# What is left of the environment: no token, no key and no password goes along.
KEPT = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH"}
KEPT |= {"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "PATHEXT", "COMSPEC", "TEMP", "TMP"}  # Windows

# A notebook's first cell may install what is there already. Without a network each try costs seconds,
# and with one it would change the grader's own packages.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_RETRIES": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
OFFLINE |= {"UV_OFFLINE": "1", "CONDA_OFFLINE": "true", "GIT_TERMINAL_PROMPT": "0", "HF_HUB_OFFLINE": "1"}
TEXTS = {"PYTHONIOENCODING": "utf-8:backslashreplace"}  # what is printed goes nowhere, and may be any text

SOLUTIONS = Path(__file__).parents[2] / "labs_solutions"
HISTORY = SOLUTIONS.with_name(".git")  # it holds the solutions, too


@cache
def missing():
    """Why kernels cannot run inside bubblewrap here, in a few words; None if they can."""
    if sys.platform != "linux":
        return "bubblewrap needs Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    python = [sys.executable, "-c", "import ipykernel, rnnlib"]
    trial = subprocess.run(
        inside(python), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if trial.returncode == 0:
        return None
    reason = (trial.stderr.splitlines() or [f"status {trial.returncode}"])[-1]
    return f"bubblewrap does not work here: {reason}"


def inside(command, folder=None, hidden=(SOLUTIONS,)):
    """A command line that runs ``command`` inside bubblewrap.

    Args:
        command: list of strings.
        folder: the one folder that can be written into, and outlives the command.
        hidden: folders that are empty inside, wherever they lie.
    """
    prefixes = dict.fromkeys([sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix])
    packages = [Path(prefix) / part for prefix in prefixes for part in PYTHON]
    packages += [Path(site.getusersitepackages()), Path(__file__).parents[1]]
    scratch = ["--size", str(SCRATCH), "--tmpfs"]

    walls = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
    walls += ["--new-session", "--die-with-parent", "--unsetenv", "JPY_PARENT_PID"]
    for path in SYSTEM:
        walls += ["--ro-bind-try", path, path]
    walls += ["--dev", "/dev", *scratch, "/dev/shm", "--proc", "/proc", *scratch, "/tmp", *scratch, HOME]
    for path in map(str, packages):
        walls += ["--ro-bind-try", path, path]
    for path in (Path(path).resolve() for path in (*hidden, HISTORY)):
        if path.is_dir() and any(path.is_relative_to(place) for place in [*SYSTEM, *packages]):
            walls += ["--tmpfs", str(path)]
    if folder is not None:
        walls += ["--bind", str(folder), str(folder)]
    walls += ["--remount-ro", "/", "--chdir", HOME, "--setenv", "HOME", HOME]
    return [*walls, "--", *command]


def remove(folder):
    """Remove a folder, whatever a student has made in it."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders in folders in folders
        subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL)


def environment(**more):
    """What a kernel's environment holds: what Python needs, one thread for each kernel, and no downloads."""
    rest = {name: value for name, value in os.environ.items() if name.upper() in KEPT}
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return rest | threads | OFFLINE | TEXTS | more


def limits(memory):
    """A function that bounds the process that calls it; None where there is no such bound.

    Args:
        memory: bytes that each process may ask for.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None

    def set_limits():
        for what, limit in (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_FSIZE, FILE_SIZE),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(what)[1]
            if hard != resource.RLIM_INFINITY:
                limit = min(limit, hard)
            with suppress(ValueError, OSError):  # macOS knows some of them by name alone
                resource.setrlimit(what, (limit, limit))

    return set_limits
