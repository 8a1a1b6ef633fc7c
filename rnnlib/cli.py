"""The commands: ``python -m rnnlib --help``."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

# Typer carries its own copy of click; the base of its errors has no public name.
UsageProblem = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

INTERRUPTED = 130  # the exit status after Ctrl-C

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _commands(context: typer.Context):
    """Recurrent sequence models in NumPy: train them, time them, and release the labs."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def train(
    model: Annotated[str, typer.Option(help="rnn, lstm, gru, min_gru, mamba or optimized_lstm.")] = "rnn",
    epochs: Annotated[int, typer.Option(min=1, help="Most passes over the training days.")] = 10,
    hidden_size: Annotated[int, typer.Option(min=1, help="Width H of the layer.")] = 32,
    num_layers: Annotated[int, typer.Option(min=1, help="Stacked layers.")] = 1,
    lr: Annotated[float, typer.Option(help="Adam's learning rate, above 0.")] = 0.001,
    seq_len: Annotated[int, typer.Option(min=1, help="Days in a window.")] = 30,
    batch_size: Annotated[int, typer.Option(min=1, help="Windows in a batch.")] = 32,
    symbol: Annotated[str, typer.Option(help="Stock symbol; only AAPL is embedded.")] = "AAPL",
    start: Annotated[str | None, typer.Option(help="First day, such as 2005-01-01.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, included.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed: same seed, same result.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the files that are written.")] = Path(),
):
    """Train a model on daily returns and compare it with the last-value forecast.

    Writes rnn_MODEL_best.safetensors (the best weights) and rnn_MODEL_forecast.png.
    """
    from threadpoolctl import threadpool_limits

    from rnnlib import checkpoint, forecast, plots
    from rnnlib.data import prices
    from rnnlib.files import whole_file
    from rnnlib.model import SequenceModel
    from rnnlib.train import fit

    network = SequenceModel(model, 1, hidden_size, 1, num_layers=num_layers, rng=seed)
    quotes = prices.load(symbol, start, end)
    data = forecast.returns_dataset(quotes["close"], seq_len)
    _check_folder(out)

    settings = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "rng": seed}
    with threadpool_limits(1):  # for products this small a second thread costs more than it gives
        history = fit(network, data.train, data.validation, **settings)
    predicted = forecast.predict_returns(network, data)

    weights = out / f"rnn_{model}_best.safetensors"
    checkpoint.save(weights, network, symbol=symbol.upper(), seq_len=seq_len, mean=data.mean, std=data.std)
    source = quotes.attrs["source"]
    title = f"{symbol.upper()}, one day ahead ({source})"
    figure = plots.forecast_figure(history, data, predicted, name=model, title=title)
    picture = out / f"rnn_{model}_forecast.png"
    with whole_file(picture) as temporary:
        figure.savefig(temporary, format="png", dpi=150)

    print(f"\n{title}: {len(data.dates)} test days, {data.dates[0]:%Y-%m-%d} to {data.dates[-1]:%Y-%m-%d}")
    _print_scores(forecast.compare(predicted, data, model))
    print(f"Best epoch: {history.best_epoch} of {len(history.train_loss)}. Wrote {weights} and {picture}.")


@app.command()
def release(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if labs/ is not what would be released.")
    ] = False,
):
    """Run the solution notebooks and write the student notebooks, labs/.

    Works in the project's root folder, which holds labs_solutions/ and labs/.
    """
    from rnnlib.grading import release as labs

    solutions = sorted(Path("labs_solutions").glob("*.ipynb"))
    if not solutions:
        raise FileNotFoundError("no notebooks in labs_solutions/: run this in the project's root folder")
    problems = []
    for solution in solutions:
        student = Path("labs") / solution.name
        if check:
            problems += labs.check(solution, student)
        else:
            labs.release(solution, student)
            print(f"{solution} -> {student}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(1)
    if check:
        print(f"labs/ is up to date: {len(solutions)} checked")


@app.command()
def speed(
    model: Annotated[
        list[str] | None,
        typer.Option(help="rnn, lstm, gru, min_gru or mamba; may be repeated.", show_default="all"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only the first size of each model.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Processes a measurement; the median counts.")] = 3,
    blas_kernels: Annotated[
        str | None, typer.Option(help="OpenBLAS kernels for rnnlib, such as SkylakeX or Haswell.")
    ] = None,
):
    """Time a training step of every model, beside PyTorch's where that is installed.

    Takes some minutes; with --quick, or for one --model, about one.
    """
    from rich.console import Console

    from rnnlib.speed import NAMES, compare, table

    rows, notes = compare(model or list(NAMES), quick=quick, repeats=repeats, kernels=blas_kernels)
    Console(file=sys.stdout, color_system=None, highlight=False).print(table(rows))
    print(*notes, sep="\n")


def _check_folder(out):
    """Make the folder, and see before the training that files can be written into it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise OSError(f"cannot write into the folder {out}: {error.strerror}") from error


def _print_scores(scores):
    """Print the table of ``forecast.compare``: prices, then returns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    # No colours and plain rules: the table survives a file, a pipe and an old console.
    table = Table(box=box.ASCII2, title_justify="left")
    table.add_column("forecast")
    table.add_column("of")
    for metric in scores["prices"].columns:
        table.add_column(metric, justify="right")
    for of in ("prices", "returns"):
        for name, row in scores[of].iterrows():
            table.add_row(name, of, *(f"{value:.4g}" for value in row))
        table.add_section()
    Console(file=sys.stdout, color_system=None, highlight=False).print(table)


def main():
    """Run the command line. Bad input ends with one line and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may lack a letter
    try:
        status = app(standalone_mode=False)
        if status == INTERRUPTED:  # as Typer reports Ctrl-C
            raise KeyboardInterrupt
        sys.exit(status)
    except UsageProblem as error:
        message = error.format_message()
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except (ValueError, FloatingPointError, ImportError) as error:
        message = str(error)
    except MemoryError as error:
        message = f"not enough memory: {error}"
    except (typer.Abort, KeyboardInterrupt):
        print("\nStopped.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    print(f"rnnlib: {message}", file=sys.stderr)
    sys.exit(2)
