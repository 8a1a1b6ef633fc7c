"""The comparison as a table for the terminal."""

from rich import box
from rich.table import Table

from rnnlib.training.speed.cases import NAMES, size_text


def table(rows):
    """The rows of ``comparison.compare`` as a rich Table, 80 columns wide at most."""
    two_ratios = any("torch kept" in results for _, _, results in rows)
    headings = ["rnnlib\nms", "torch\nms", "\nratio", "ratio\nkept", "rnnlib\nMiB", "torch\nMiB"]
    # No colours and plain rules: the table survives a file, a pipe and an old console.
    result = Table("\nmodel", "\nsize", box=box.ASCII2)
    for heading in headings:
        if two_ratios or heading != "ratio\nkept":
            result.add_column(heading, justify="right")
    for i, (model, size, results) in enumerate(rows):
        for title, numbers in _lines(size, results):
            name = NAMES[model] if title == size_text(size) else ""
            result.add_row(name, title, *(numbers if two_ratios else [*numbers[:3], *numbers[4:]]))
        if i + 1 < len(rows) and rows[i + 1][0] != model:
            result.add_section()
    return result


def _lines(size, results):
    """Yield (title, six cells) for each set of kernels, and for the loop that is tuned by hand."""

    def ratios(contender, ms):
        names = contender, f"{contender} kept"
        return [f"{results[name][0] / ms:.2f}" if name in results else "" for name in names]

    title = size_text(size)
    torch_ms, torch_memory = map(_digits, results.get("torch", ("", "")))
    for name in [name for name in results if not name.startswith("torch")]:
        ms, memory = results[name]
        if title is None:  # not the first: PyTorch's numbers stand in the row above
            title, torch_ms, torch_memory = f"  {name}", "", ""
        yield title, [_digits(ms), torch_ms, *ratios("torch", ms), _digits(memory), torch_memory]
        title = None
    if "torch tuned" in results:
        tuned_ms, memory = results["torch tuned"]
        yield "  tuned loop", ["", _digits(tuned_ms), *ratios("torch tuned", ms), "", _digits(memory)]


def _digits(value):
    """A number with three digits; "" stays."""
    return value if value == "" else f"{value:.3g}" if value < 99.95 else f"{value:.0f}"
