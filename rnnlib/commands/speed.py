"""The command speed."""

import sys
from typing import Annotated

import typer

from rnnlib.commands.options import one_of
from rnnlib.models.registry import numpy_models


def speed(
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"{one_of(numpy_models())}; may be repeated.", show_default="all"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only the first size of each model.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Processes a measurement; the median counts.")] = 3,
    blas_kernels: Annotated[
        str | None, typer.Option(help="OpenBLAS kernels for rnnlib, such as SkylakeX or Haswell.")
    ] = None,
):
    """Time a training step of every model.

    PyTorch's stands beside it where that is installed. Takes some minutes; with --quick, or
    for one --model, one or two.
    """
    from rich.console import Console

    from rnnlib.training.speed.cases import NAMES
    from rnnlib.training.speed.comparison import compare
    from rnnlib.training.speed.table import table

    rows, notes = compare(model or list(NAMES), quick=quick, repeats=repeats, kernels=blas_kernels)
    Console(file=sys.stdout, color_system=None, highlight=False).print(table(rows))
    print(*notes, sep="\n")
