"""The commands: ``python -m rnnlib --help``."""

import sys
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

# Options that several commands share.
Data = Annotated[str, typer.Option(help="stock, weather (temp_max) or traffic (vehicles an hour).")]
Symbol = Annotated[str | None, typer.Option(help="Stock symbol; if left out AAPL, or the CSV file's name.")]
Source = Annotated[
    str | None,
    typer.Option(help="Where prices come from: embedded (AAPL), yahoo, or the path of a CSV file."),
]
Start = Annotated[str | None, typer.Option(help="First day, such as 2005-01-01.")]
End = Annotated[str | None, typer.Option(help="Last day, included.")]
Features = Annotated[
    str | None,
    typer.Option(help="Columns to read, such as close,volume,high,low; the default depends on the data."),
]
Target = Annotated[
    str | None, typer.Option(help="What to forecast, for stocks: return (the log return; default) or price.")
]
SeqLen = Annotated[int, typer.Option(min=1, help="Days (or hours) in a window.")]
Epochs = Annotated[int, typer.Option(min=1, help="At most this many passes over the training part.")]
HiddenSize = Annotated[int, typer.Option(min=1, help="Width H of the layers.")]
NumLayers = Annotated[int, typer.Option(min=1, max=100, help="Stacked layers.")]
StateSize = Annotated[int | None, typer.Option(min=1, help="Mamba's state size N; 16 if left out.")]
KernelSize = Annotated[int | None, typer.Option(min=1, help="Mamba's convolution kernel K; 4 if left out.")]
Lr = Annotated[float, typer.Option(help="Learning rate, above 0.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Windows in a batch.")]
Loss = Annotated[str, typer.Option(help="mse or mae.")]
Patience = Annotated[int, typer.Option(min=1, help="Epochs without progress before training stops.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes at a time; one a core if left out.")]
File = Annotated[Path, typer.Argument(help="A file that train wrote: rnn_MODEL_best.safetensors.")]
Moved = Annotated[str | None, typer.Option(help="Where the same prices are now, if they have moved.")]
Out = Annotated[Path, typer.Option(help="Folder for the files that are written.")]


@app.callback(invoke_without_command=True)
def _commands(context: typer.Context):
    """Recurrent sequence models in NumPy: train and compare them, forecast; release labs, and grade them.

    Begin with: python -m rnnlib train --model gru
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def train(
    model: Annotated[str, typer.Option(help="rnn, lstm, gru, min_gru, mamba or optimized_lstm.")] = "rnn",
    data: Data = "stock",
    symbol: Symbol = None,
    source: Source = None,
    start: Start = None,
    end: End = None,
    features: Features = None,
    target: Target = None,
    seq_len: SeqLen = 30,
    epochs: Epochs = 10,
    hidden_size: HiddenSize = 32,
    num_layers: NumLayers = 1,
    state_size: StateSize = None,
    kernel_size: KernelSize = None,
    optimizer: Annotated[str, typer.Option(help="adam, rmsprop or sgd.")] = "adam",
    lr: Lr = 0.001,
    momentum: Annotated[float | None, typer.Option(help="For sgd; 0.9 if left out.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="For adam, decoupled; 0 if left out.")] = None,
    loss: Loss = "mse",
    batch_size: BatchSize = 32,
    clip: Annotated[float, typer.Option(help="Longer gradients are shortened to this length.")] = 1.0,
    patience: Patience = 5,
    seed: Annotated[int, typer.Option(min=0, help="Random seed: same seed, same result.")] = 0,
    online: Annotated[
        bool, typer.Option("--online", help="Also judge the model when it keeps learning in the test part.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was stopped; repeat its options.")
    ] = False,
    out: Out = Path(),
):
    """Train a model and judge its forecasts.

    They are one step ahead, on a test part that played no role in the training, and stand beside
    naive ones. Writes rnn_MODEL_best.safetensors (the best weights, for evaluate and forecast),
    rnn_MODEL_last.safetensors (for --resume) and rnn_MODEL_forecast.png.

    \b
    Examples:
      train --model lstm --epochs 20
      train --model mamba --hidden-size 128 --state-size 64 --kernel-size 4
      train --symbol MSFT --source yahoo --features close,volume,high,low
      train --model gru --data weather --epochs 40 --lr 0.003
    """
    from rnnlib.commands.tables import show_scores
    from rnnlib.forecasting import experiment
    from rnnlib.forecasting import figures as plots
    from rnnlib.forecasting import forecasts as forecast
    from rnnlib.training.fit import online as learn_online
    from rnnlib.training.optimizers import make_optimizer

    problem = _problem(data, symbol, source, start, end, features, target, seq_len)
    chosen = _optimizer(optimizer, lr, momentum, weight_decay)
    last = out / f"rnn_{model}_last.safetensors"
    there = last.exists()
    network, dataset, history = experiment.train(
        problem,
        model,
        options=_options(model, hidden_size, num_layers, state_size, kernel_size),
        optimizer=chosen,
        settings=_settings(epochs, batch_size, loss, clip, patience),
        seed=seed,
        out=out,
        resume=resume,
    )
    forecasts = {model: forecast.one_step(network, dataset)}
    if online:
        learner = make_optimizer(network.params, **chosen)
        outputs = learn_online(network, *dataset.test, loss=loss, optimizer=learner, max_norm=clip)
        forecasts[f"{model} online"] = dataset.to_level(outputs[:, 0].astype(float), dataset.before)
    scores = forecast.compare(forecasts, dataset)
    picture = out / f"rnn_{model}_forecast.png"
    _save(plots.forecast_figure(history, dataset, forecasts[model], name=model), picture)

    _describe(dataset)
    show_scores(scores, dataset)
    for name in forecasts:
        print(forecast.verdict(scores, name))
    best = out / f"rnn_{model}_best.safetensors"
    print(f"Best epoch: {history.best_epoch} of {len(history.train_loss)}. Wrote {best} and {picture}.")
    if resume and not there:
        print(f"There was no {last} to resume from: this training began with the first epoch.")
    elif there and not resume:
        print(f"They replace those of an earlier {model}; --out keeps trainings apart.")


@app.command()
def evaluate(
    file: File,
    steps: Annotated[
        int, typer.Option(min=1, help="Also judge recursive forecasts so many steps ahead.")
    ] = 1,
    source: Moved = None,
):
    """Judge a trained model beside naive forecasts.

    It is judged on the test part of the data that it was trained on, and on newer days if
    there are any.
    """
    from rnnlib.commands.tables import show_horizons, show_scores
    from rnnlib.forecasting import experiment
    from rnnlib.forecasting import forecasts as forecast

    network, dataset = experiment.load(file, source)
    name = network.config["kind"]
    scores = forecast.compare({name: forecast.one_step(network, dataset)}, dataset)
    horizons = forecast.compare_horizons(network, dataset, steps) if steps > 1 else None
    _describe(dataset)
    show_scores(scores, dataset)
    if horizons is not None:
        show_horizons(horizons, dataset)
    print(forecast.verdict(scores, name))


@app.command("forecast")
def forecast_days(
    file: File,
    days: Annotated[
        int, typer.Option(min=1, max=365, help="How many days to forecast after the data's end.")
    ] = 5,
    source: Moved = None,
    out: Out = Path(),
):
    """Forecast the days after the data's end.

    Each forecast is the input of the next. Beside it stand the limits between which 80% of the
    errors so many steps ahead lay on the test part. Writes rnn_MODEL_future.png.
    """
    from rnnlib.commands.tables import moment, number, show_future
    from rnnlib.data.calendar import steps_a_day
    from rnnlib.forecasting import experiment
    from rnnlib.forecasting import figures as plots
    from rnnlib.tools.whole_file import ready

    network, dataset = experiment.load(file, source)
    ready(out)
    name = network.config["kind"]
    table = experiment.future(network, dataset, days * steps_a_day(dataset.frame.index))
    picture = out / f"rnn_{name}_future.png"
    _save(plots.future_figure(dataset, table, name=name), picture)
    attrs = dataset.frame.attrs
    print(f"{attrs['name']} ({attrs['source']}), forecast by {name}")
    if "credit" in attrs:
        print(attrs["credit"])
    show_future(table, dataset)
    index = dataset.frame.index
    print(f"The last value is {number(dataset.level[-1])}, on {moment(index[-1], index)}.")
    if dataset.frozen_features:
        print(f"Nobody knows the future of {', '.join(dataset.frozen_features)}: kept at the last value.")
    if ((table["forecast"] < table["low"]) | (table["forecast"] > table["high"])).any():
        print("On the test part the forecasts were too low or too high throughout: do not trust these.")
    print(f"Wrote {picture}.")


@app.command()
def benchmark(
    models: Annotated[str, typer.Option(help="Names with commas between, or all.")] = "min_gru,mamba",
    data: Data = "stock",
    symbol: Symbol = None,
    source: Source = None,
    start: Start = None,
    end: End = None,
    features: Features = None,
    target: Target = None,
    seq_len: SeqLen = 30,
    epochs: Epochs = 10,
    hidden_size: HiddenSize = 128,
    num_layers: NumLayers = 1,
    state_size: StateSize = None,
    kernel_size: KernelSize = None,
    lr: Lr = 0.001,
    loss: Loss = "mse",
    batch_size: BatchSize = 32,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Stop early; if left out, all models train equally long.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each model, from seed 0.")] = 3,
    jobs: Jobs = None,
    out: Out = Path(),
):
    """Compare models on the same data.

    Each has the same epochs and seeds. Writes benchmark_results.csv, one row a model and seed,
    and mamba_vs_mingru_comparison.png (models_comparison.png if one of the two is left out).

    \b
    Examples:
      benchmark
      benchmark --models all --epochs 5 --seeds 2
      benchmark --data traffic --models gru,lstm --lr 0.003
    """
    from rnnlib.commands.tables import show_benchmark
    from rnnlib.forecasting import benchmark as compare
    from rnnlib.forecasting import figures as plots
    from rnnlib.forecasting import forecasts as forecast
    from rnnlib.tools.whole_file import ready, whole_file

    kinds = _kinds(models)
    sizes = hidden_size, num_layers, state_size, kernel_size
    networks = {kind: _options(kind, *sizes, among=kinds) for kind in kinds}
    dataset = _problem(data, symbol, source, start, end, features, target, seq_len).dataset()
    ready(out)
    settings = _settings(epochs, batch_size, loss, 1.0, patience or epochs) | {"lr": lr}
    table, histories = compare.benchmark(networks, seeds, dataset, settings, jobs)

    results = out / "benchmark_results.csv"
    both = {"mamba", "min_gru"} <= set(kinds)
    picture = out / ("mamba_vs_mingru_comparison.png" if both else "models_comparison.png")
    with whole_file(results) as temporary:
        table.to_csv(temporary, index=False)
    naive = forecast.compare({}, dataset)
    _save(plots.benchmark_figure(table, histories, naive, dataset), picture)
    _describe(dataset)
    show_benchmark(table, naive, dataset)
    print(f"Wrote {results} and {picture}.")


@app.command()
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
    from rnnlib.training import tasks as learning

    if task not in learning.TASKS:
        raise ValueError(f"unknown task {task!r}: choose one of {', '.join(learning.TASKS)}")
    chosen = learning.TASKS[task]
    kinds = _kinds(models)
    sizes = hidden_size, num_layers or chosen.num_layers, state_size, kernel_size
    networks = {kind: _options(kind, *sizes, among=kinds) for kind in kinds}
    settings = {"T": length or chosen.T, "steps": steps, "batch_size": batch_size, "lr": lr}
    table = learning.compare(task, networks, seeds, jobs, **settings)
    show_tasks(task, table, chosen)


@app.command("data")
def data_command(
    symbol: Annotated[str | None, typer.Argument(help="Stock symbol, such as MSFT.")] = None,
    start: Start = None,
    end: End = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch anew, whatever the cache holds.")] = False,
):
    """Fetch a stock's prices from Yahoo Finance.

    They are kept in a cache, from which train takes them with --source yahoo; the environment
    variable RNNLIB_CACHE names another folder for it. Without a symbol: show which data are at
    hand.
    """
    from importlib.resources import files

    from rnnlib.commands.tables import show_cache, show_prices
    from rnnlib.data import prices, yahoo

    if symbol is not None:
        show_prices(prices.load(symbol, start, end, source="yahoo", refresh=refresh))
        return
    print(
        f"Embedded: AAPL (2000 to 2013), weather, traffic, text. See {files('rnnlib.data') / 'SOURCES.md'}."
    )
    cached = yahoo.cached()
    print(f"The cache, {yahoo.cache_folder()}, holds {len(cached)} symbols.")
    if len(cached):
        show_cache(cached)


@app.command()
def release(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if labs/ is not what would be released.")
    ] = False,
):
    """Write the student notebooks, labs/.

    They come from the solution notebooks, which are run. Works in the project's root folder,
    which holds labs_solutions/ and labs/.
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
def grade(
    submissions: Annotated[str, typer.Argument(help="Folder with <student>/<lab>.ipynb.")],
    out: Annotated[Path, typer.Option(help="CSV file for the grades.")] = Path("grades.csv"),
    feedback: Annotated[
        Path | None, typer.Option(help="Folder for the students' pages; beside --out if left out.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the checks' random inputs; a new one if left out.")
    ] = None,
    solutions: Annotated[
        Path | None, typer.Option(help="Folder with the solved labs, if it is not labs_solutions/.")
    ] = None,
    jobs: Jobs = None,
    dask: Annotated[
        str | None, typer.Option(help="Grade on the dask cluster with this address, such as tcp://host:8786.")
    ] = None,
    cell_timeout: Annotated[float, typer.Option(min=1, max=86400, help="Seconds that a cell may take.")] = 30,
    memory: Annotated[
        float, typer.Option(min=0.5, max=1024, help="GiB of memory that a notebook may use.")
    ] = 4,
    sandboxed: Annotated[
        str,
        typer.Option("--sandbox", help="bubblewrap around students' code: auto (where it works), on or off."),
    ] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade everything anew, with a new seed.")] = False,
):
    """Grade a class.

    Each notebook is graded in a process of its own, with random inputs that no student has seen.
    Writes a row for each exercise into the CSV file, and a page for each student. What was graded
    before is kept where the notebook has not changed; a run that was stopped goes on. The exit
    status is 1 if something has to be graded again, since the grading itself failed.

    \b
    Examples:
      grade submissions --out grades.csv
      grade submissions --seed 7 --jobs 8
      grade submissions --dask tcp://10.0.0.5:8786
    """
    import signal

    import joblib

    from rnnlib.commands import tables
    from rnnlib.grading import batch, process, report, sandbox
    from rnnlib.tools import whole_file as files

    if sandboxed not in ("auto", "on", "off"):
        raise ValueError(f"--sandbox must be auto, on or off, got {sandboxed}")
    if sandboxed == "on" and dask is None and sandbox.missing():
        raise ValueError(f"--sandbox on: {sandbox.missing()}")
    if not out.name:
        raise ValueError("--out must name a file, such as grades.csv")
    if not submissions.strip():
        raise ValueError("the folder with the submissions has no name")
    feedback = feedback or out.with_name(f"{out.stem}_feedback")
    if feedback.exists() and not feedback.is_dir():
        raise ValueError(f"--feedback: {feedback} is no folder")
    if feedback.resolve().is_relative_to(Path(submissions).resolve()):
        raise ValueError(
            f"the pages in {feedback} would lie among the submissions: choose another --feedback"
        )
    files.ready(out.parent)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop it as Ctrl-C does: cleanly
    try:
        rows, kept, stray = batch.grade(
            submissions,
            out,
            solutions=solutions or sandbox.SOLUTIONS,
            seed=seed,
            jobs=jobs or joblib.cpu_count(),
            dask=dask,
            settings=process.Settings(cell_timeout, memory, sandboxed),
            fresh=fresh,
        )
    except KeyboardInterrupt:
        print("\nWhat was graded is kept. The command goes on, if --fresh is left out.", file=sys.stderr)
        raise
    files.ready(feedback)
    problems = report.write_feedback(rows, feedback)
    tables.show_grades(rows, kept)
    if stray:
        names = ", ".join(path.name for path in stray[:5])
        names += f" and {len(stray) - 5} more" if len(stray) > 5 else ""
        print(f"\nNot graded, in no student's folder: {names}")
    for problem in problems:
        print(f"\nA page could not be written: {problem}")
    print(f"\ngrades:   {out}\nfeedback: {feedback}")
    if any(row.verdict == "regrade" for row in rows):
        raise typer.Exit(1)


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
    """Time a training step of every model.

    PyTorch's stands beside it where that is installed. Takes some minutes; with --quick, or
    for one --model, about one.
    """
    from rich.console import Console

    from rnnlib.training.speed.comparison import NAMES, compare, table

    rows, notes = compare(model or list(NAMES), quick=quick, repeats=repeats, kernels=blas_kernels)
    Console(file=sys.stdout, color_system=None, highlight=False).print(table(rows))
    print(*notes, sep="\n")


def _problem(data, symbol, source, start, end, features, target, seq_len):
    from rnnlib.forecasting.problem import Problem

    predict = {None: None, "return": "return", "price": "value"}
    if target not in predict:
        raise ValueError(f"unknown target {target!r}: choose return or price")
    if target is not None and data != "stock":
        raise ValueError(f"--target belongs to stocks, not to {data}")
    names = None if features is None else [name.strip() for name in features.split(",") if name.strip()]
    return Problem(data, symbol, source, start, end, names, predict=predict[target], length=seq_len)


def _options(model, hidden_size, num_layers, state_size, kernel_size, among=None):
    """Arguments of a SequenceModel; the state and kernel sizes are for Mamba among the models."""
    options = {"hidden_size": hidden_size, "num_layers": num_layers}
    for name, key, value in (("state", "d_state", state_size), ("kernel", "d_conv", kernel_size)):
        if value is not None and model == "mamba":
            options[key] = value
        elif value is not None and "mamba" not in (among or []):
            raise ValueError(f"--{name}-size belongs to mamba, not to {model}")
    return options


def _optimizer(kind, lr, momentum, weight_decay):
    """Arguments of ``make_optimizer``."""
    chosen = {"kind": kind, "lr": lr}
    for name, value, owner in (("momentum", momentum, "sgd"), ("weight_decay", weight_decay, "adam")):
        if value is not None and kind != owner:
            raise ValueError(f"--{name.replace('_', '-')} belongs to {owner}, not to {kind}")
        if value is not None:
            chosen[name] = value
    return chosen


def _settings(epochs, batch_size, loss, clip, patience):
    if loss not in ("mse", "mae"):
        raise ValueError(f"unknown loss {loss!r}: choose mse or mae")
    if not clip > 0:
        raise ValueError(f"--clip must be above 0, got {clip}")
    return {"epochs": epochs, "batch_size": batch_size, "loss": loss, "max_norm": clip, "patience": patience}


def _kinds(models):
    """The models' names in "rnn,lstm" or "all"; those that cannot run here are told."""
    from importlib.util import find_spec

    from rnnlib.models.sequence_model import KINDS

    if models.strip() == "all":
        if find_spec("torch"):
            return list(KINDS)
        print("optimized_lstm is left out: it needs PyTorch (pip install torch).", file=sys.stderr)
        return [kind for kind in KINDS if kind != "optimized_lstm"]
    kinds = list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"unknown model {kind!r}: choose from {', '.join(KINDS)}, or all")
    if not kinds:
        raise ValueError("no model is named: give names with commas between, or all")
    return kinds


def _describe(dataset):
    """One line on what is forecast, from where, and when."""
    attrs, dates = dataset.frame.attrs, dataset.dates
    print(
        f"\n{attrs['name']} ({attrs['source']}), one step ahead: "
        f"{len(dates)} test steps, {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
    )
    gaps = int(dataset.frame.attrs.get("gaps", 0))
    if gaps:
        print(f"{gaps} steps without a measurement: the last value stands in the inputs, none is scored.")
    if "credit" in attrs:
        print(attrs["credit"])


def _save(figure, path):
    """Write a figure, all or nothing."""
    from rnnlib.tools.whole_file import whole_file

    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


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
