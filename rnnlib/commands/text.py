"""The command text."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rnnlib.commands.options import Jobs, Out, model_names


def text(
    models: Annotated[str, typer.Option(help="Names with commas between, or all.")] = "all",
    jobs: Jobs = None,
    out: Out = Path("."),
):
    """Train small models to guess a novel's next letter.

    One layer of each kind, with some 42,000 weights, reads Pride and Prejudice. A table compares
    their bits a letter, in the novel's last 5 percent, with counting. Each takes one or two
    minutes of CPU time and is written to text_MODEL.safetensors; the book shows what the five
    that come with rnnlib remember.
    """
    from rnnlib.commands.tables import show_text
    from rnnlib.tools.parallel import in_parallel
    from rnnlib.tools.whole_file import ready
    from rnnlib.training.text import MODELS, bits_by_counting, train_and_save

    kinds = list(MODELS) if models.strip() == "all" else model_names(models)
    for kind in kinds:
        if kind not in MODELS:
            raise ValueError(f"{kind} cannot be trained on text: choose from {', '.join(MODELS)}, or all")
    ready(out)
    results = in_parallel(partial(train_and_save, out), [(kind,) for kind in kinds], "text", jobs)
    rows, failures = zip(*results, strict=True)
    show_text(dict(zip(kinds, rows, strict=True)), [bits_by_counting(context) for context in range(4)])
    for failure in filter(None, failures):
        raise failure
