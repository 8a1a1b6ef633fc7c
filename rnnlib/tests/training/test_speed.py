"""The speed command: its table, its peers and its measurements. How fast it is, is not tested."""

import io
import os
import platform
import re
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from rich.console import Console

import rnnlib
from rnnlib.commands import main as cli
from rnnlib.tools import memory
from rnnlib.training.speed import comparison
from rnnlib.training.speed.cases import NAMES, SIZES
from rnnlib.training.speed.measurement import blas_kernels
from rnnlib.training.speed.table import table

NO_TORCH = "torch is not installed: pip install torch"
TINY = {"T": 3, "B": 2, "D": 4}


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command on tiny sizes; return its exit status, stdout and stderr."""
    sizes = {model: [TINY | ({"N": 5} if model == "mamba" else {"H": 6})] for model in NAMES}
    monkeypatch.setattr(comparison, "SIZES", sizes)
    monkeypatch.setattr(comparison, "SECONDS", 0.0)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["rnnlib", "speed", "--repeats", "1", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return stopped.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def shim(tmp_path, monkeypatch):
    """Put a file before the real torch of all new processes."""

    def shim(text):
        (tmp_path / "torch.py").write_text(text, encoding="utf-8")
        paths = [str(tmp_path), os.environ.get("PYTHONPATH")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))

    return shim


@pytest.mark.parametrize(("B", "T"), [(1, 1), (3, 2), (2, 40)])
@pytest.mark.parametrize("model", ["min_gru", "mamba", "mamba tuned"])
def test_the_loops_in_pytorch_equal_rnnlib(model, B, T):
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    from rnnlib.training.speed.torch_peers import LOOPS

    rng = np.random.default_rng(B + T)
    if model == "min_gru":
        layer, width = rnnlib.MinGRU(3, 5, rng=rng, dtype=np.float64), 5
    else:
        layer, width = rnnlib.Mamba(3, d_state=6, dt_rank=2, rng=rng, dtype=np.float64), 3
    for parameter in layer.params.values():  # biases and skips, too
        parameter += 0.1 * rng.standard_normal(parameter.shape)
    x, dy = rng.standard_normal((B, T, 3)), rng.standard_normal((B, T, width))
    y, _ = layer.forward(x)
    dx, _ = layer.backward(dy)

    arrays = {name: torch.tensor(a, requires_grad=True) for name, a in layer.params.items()}
    x = torch.tensor(x, requires_grad=True)
    peer = LOOPS[model](x, **arrays)
    peer.backward(torch.tensor(dy))
    np.testing.assert_allclose(peer.detach(), y, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(x.grad, dx, rtol=1e-10, atol=1e-12)
    for name, a in arrays.items():
        np.testing.assert_allclose(a.grad, layer.grads[name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("glibc", [True, False])
def test_beside_pytorch_every_cell_is_filled(run, monkeypatch, glibc):
    pytest.importorskip("torch", reason=NO_TORCH)
    monkeypatch.setattr(comparison.platform, "libc_ver", lambda: ("glibc" if glibc else "", "2.36"))
    status, output, _ = run("--model", "gru", "--model", "mamba", "--blas-kernels", blas_kernels())
    assert status == 0
    rows = [line.split("|")[1:-1] for line in output.splitlines() if line.startswith("| ")][2:]
    assert [[cell.strip() for cell in row[:2]] for row in rows] == [
        ["GRU", "T3 B2 D4 H6"],
        ["Mamba", "T3 B2 D4 N5"],
        ["", "tuned loop"],
    ]
    second_ratios = [row.pop(5) for row in rows] if glibc else []
    assert all(float(ratio) > 0 for ratio in second_ratios)
    tuned = rows.pop()
    assert [bool(cell.strip()) for cell in tuned[2:]] == [False, True, True, False, True]
    assert float(tuned[4]) == pytest.approx(float(tuned[3]) / float(rows[1][2]), rel=0.02, abs=0.01)
    for row in rows:
        ms, torch_ms, ratio, *memory = map(float, row[2:])
        assert ms > 0
        assert ratio == pytest.approx(torch_ms / ms, rel=0.02, abs=0.01)
        assert min(memory) >= 0
    assert f"PyTorch {__import__('torch').__version__}" in output
    assert ("Ratio kept: PyTorch's malloc keeps" in output) == glibc
    assert ("Without glibc nobody can say" in output) != glibc
    assert max(map(len, output.splitlines())) <= 80


def test_without_pytorch_its_columns_are_empty(run, shim):
    shim("raise ImportError('not today')")
    status, output, _ = run()
    assert status == 0
    for name in NAMES.values():
        row = re.search(rf"\| {name} +\|(.*)\|", output)[1].split("|")
        assert [bool(cell.strip()) for cell in row] == [True, True, False, False, True, False]
    assert 'No PyTorch here (not today): pip install "rnnlib[torch]"' in output
    assert max(map(len, output.splitlines())) <= 80
    output.encode("cp1252")


def test_the_widest_table_has_80_columns():
    widest = {"Haswell": (1234.4, 1234.4), "SkylakeX": (0.583, 0.012), "torch": (12.34, 1234)}
    widest |= {name: (5.83, 66.6) for name in ("torch kept", "torch tuned", "torch tuned kept")}
    rows = [(model, sizes[-1], widest) for model, sizes in SIZES.items()]
    with io.StringIO() as file:
        Console(file=file, color_system=None, width=200).print(table(rows))
        lines = file.getvalue().splitlines()
    assert {len(line) for line in lines} == {80}
    assert (
        sum("SkylakeX" in line for line in lines) == sum("tuned loop" in line for line in lines) == len(rows)
    )
    assert not any("Haswell" in line for line in lines)  # the kernels that the note names


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tells glibc's malloc to keep memory")
def test_memory_that_is_kept_costs_no_page_faults():
    code = (
        "import numpy as np, resource\n"
        "def faults():\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20):\n"
        "    before = faults(); np.ones(2**24); after = faults()\n"  # 128 MiB, above every threshold
        "print(after - before)"
    )
    usual, tuned = (int(comparison._python("-c", code, **extra).stdout) for extra in ({}, comparison.KEEP))
    assert tuned < 0.1 * usual


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "transformer"], "unknown model 'transformer': choose one of rnn, lstm"),
        (["--repeats", "0"], "Invalid value for '--repeats'"),
        (["--model", "rnn", "--blas-kernels", "Pentium"], "no BLAS kernels 'Pentium' here: NumPy took "),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, shim, arguments, message):
    shim("raise ImportError")
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert message in errors
    assert errors.startswith("rnnlib: ")
    assert len(errors.splitlines()) == 1


def test_a_measurement_that_fails_is_one_line_and_no_table(run, shim):
    shim("__version__ = '2.0'")
    status, output, errors = run("--model", "lstm")
    assert (status, output) == (2, "")
    assert errors.startswith("rnnlib: torch failed for LSTM T3 B2 D4 H6: ModuleNotFoundError: ")
    assert len(errors.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a signal to one process does not exist on Windows")
def test_an_interrupt_leaves_no_process_behind(ctrl_c):
    parent = subprocess.Popen(
        [sys.executable, "-m", "rnnlib", "speed"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        children = []
        for _ in range(6000):
            children = psutil.Process(parent.pid).children(recursive=True)
            if children:
                break
            time.sleep(0.05)
        assert children
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=120)
    finally:
        parent.kill()
    assert parent.returncode == 130
    assert errors.endswith(b"Stopped.\n")
    assert b"Traceback" not in errors
    assert not psutil.wait_procs(children, timeout=60)[1]


@pytest.mark.parametrize("measure", [memory.peak_memory, memory._sampled_peak])
def test_peak_memory_is_that_of_the_work(measure):
    def work():
        a = np.ones(2**23)  # 64 MiB: smaller arrays may take memory that this process has freed, and kept
        for _ in range(50):  # as often may another thread look
            time.sleep(0.002)
        del a

        return 7

    memory._give_back()
    result, peak = measure(work)
    assert result == 7
    assert 0.9 * 2**26 < peak < 1.3 * 2**26
