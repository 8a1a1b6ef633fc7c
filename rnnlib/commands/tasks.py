"""The command tasks."""

from typing import Annotated

import typer

from rnnlib.commands.options import (
    BatchSize,
    HiddenSize,
    Jobs,
    KernelSize,
    Lr,
    StateSize,
    model_names,
    model_options,
)


def tasks(
    task: Annotated[str, typer.Argument(help="adding, copying, induction or sine.")] = "adding",
    models: Annotated[
        str, typer.Option(help="Names with commas between, or all.")
    ] = "lstm,gru,min_gru,mamba",
    length: Annotated[
        int | None, typer.Option(min=1, help="Steps T; the default depends on the task.")
    ] = None,
    hidden_size: HiddenSize = 64,
    num_layers: Annotated[
        int | None, typer.Option(min=1, help="Stacked layers; the default depends on the task.")
    ] = None,
    state_size: StateSize = None,
    kernel_size: KernelSize = None,
    lr: Lr = 0.004,
    batch_size: BatchSize = 32,
    steps: Annotated[
        int, typer.Option(min=1, help="At most this many training steps, in stretches of 50.")
    ] = 6000,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each model, from seed 0.")] = 3,
    jobs: Jobs = None,
):
    """Train models on a synthetic task.

    Each trains until it solves the task, or its steps are over; a table says who did. Takes
    one to some minutes on two cores, longer where a model does not solve the task.

    \b
    adding     the sum of two marked numbers among 100
    copying    repeat 4 tokens, skipping the blanks between them
    induction  what came after the special sign last time?
    sine       the next value of a wave
    """
    from rnnlib.commands.tables import show_tasks
    from rnnlib.training.tasks import TASKS, compare

    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}: choose one of {', '.join(TASKS)}")
    entry = TASKS[task]
    kinds = model_names(models)
    sizes = hidden_size, num_layers or entry.num_layers, state_size, kernel_size
    networks = {kind: model_options(kind, *sizes, among=kinds) for kind in kinds}
    settings = {"T": length or entry.T, "steps": steps, "batch_size": batch_size, "lr": lr}
    table = compare(task, networks, seeds, jobs, **settings)
    show_tasks(task, table, entry)
