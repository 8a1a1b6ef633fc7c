"""The comparison as a table for the terminal."""

from rich import box
from rich.table import Table

from rnnlib.training.speed.cases import NAMES, size_text


def table(rows):
    """The rows of ``comparison.compare`` as a rich Table, 80 columns wide at most."""
    # No colours and plain rules: the table survives a file, a pipe and an old console.
    result = Table(box=box.ASCII2)
    for name in ("\nmodel", "\nsize"):
        result.add_column(name)
    for name in ("rnnlib\nms", "torch\nms", "torch /\nrnnlib", "rnnlib\nMiB", "torch\nMiB"):
        result.add_column(name, justify="right")
    for i, (model, size, results) in enumerate(rows):
        torch = results.get("torch")
        names = [name for name in results if not name.startswith("torch")]
        for name in names:
            ms, memory = results[name]
            first = name == names[0]
            result.add_row(
                NAMES[model] if first else f"  {name}",
                size_text(size) if first else "",
                _digits(ms),
                _digits(torch[0]) if torch and first else "",
                f"{torch[0] / ms:.2f}" if torch else "",
                _digits(memory),
                _digits(torch[1]) if torch and first else "",
            )
        if tuned := results.get("torch tuned"):
            ratio = f"{tuned[0] / ms:.2f}"
            result.add_row("  tuned loop", "", "", _digits(tuned[0]), ratio, "", _digits(tuned[1]))
        if i + 1 < len(rows) and rows[i + 1][0] != model:
            result.add_section()
    return result


def _digits(value):
    return f"{value:.3g}" if value < 99.95 else f"{value:.0f}"
