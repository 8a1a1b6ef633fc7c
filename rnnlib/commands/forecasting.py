"""The commands train, evaluate, forecast and benchmark."""

import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from rnnlib.commands.options import (
    FIT,
    MODEL,
    OPTIONS,
    PROBLEM,
    BatchSize,
    Clip,
    Data,
    Dates,
    End,
    Epochs,
    Features,
    File,
    HiddenSize,
    Jobs,
    KernelSize,
    Loss,
    Lr,
    Momentum,
    NewSource,
    NumLayers,
    OptimizerName,
    Out,
    Patience,
    Predict,
    Relative,
    SeqLen,
    Source,
    Start,
    StateSize,
    Symbol,
    WeightDecay,
    fit_settings,
    model_names,
    model_options,
    one_of,
    optimizer_options,
    problem_of,
)
from rnnlib.models.registry import MODELS
from rnnlib.tools.names import one_line


def train(
    model: Annotated[str, typer.Option(help=f"{one_of(MODELS)}.")] = "rnn",
    data: Data = "stock",
    symbol: Symbol = None,
    source: Source = None,
    dates: Dates = None,
    start: Start = None,
    end: End = None,
    features: Features = None,
    predict: Predict = None,
    relative: Relative = None,
    seq_len: SeqLen = PROBLEM["length"],
    epochs: Epochs = FIT["epochs"],
    hidden_size: HiddenSize = 32,
    num_layers: NumLayers = MODEL["num_layers"],
    state_size: StateSize = None,
    kernel_size: KernelSize = None,
    optimizer: OptimizerName = FIT["optimizer"],
    lr: Lr = FIT["lr"],
    momentum: Momentum = None,
    weight_decay: WeightDecay = None,
    loss: Loss = FIT["loss"],
    batch_size: BatchSize = FIT["batch_size"],
    clip: Clip = FIT["max_norm"],
    patience: Patience = FIT["patience"],
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
      train --model min_gru --target volatility --epochs 20
    """
    from rnnlib.commands.tables import show_scores
    from rnnlib.forecasting import experiment, figures
    from rnnlib.forecasting.forecasts import one_step, past_steps
    from rnnlib.forecasting.judging import compare, verdict
    from rnnlib.training import fit
    from rnnlib.training.optimizers import make_optimizer

    problem = problem_of(data, symbol, source, start, end, features, predict, seq_len, relative, dates)
    optimizer_settings = optimizer_options(optimizer, lr, momentum, weight_decay)
    last = out / f"rnn_{model}_last.safetensors"
    is_old = last.exists()
    try:
        network, dataset, history = experiment.train(
            problem,
            model,
            options=model_options(model, hidden_size, num_layers, state_size, kernel_size),
            optimizer=optimizer_settings,
            settings=fit_settings(epochs, batch_size, loss, clip, patience),
            seed=seed,
            out=out,
            resume=resume,
        )
    except experiment.OtherSetting as error:
        error.name = OPTIONS.get(error.name, error.name)
        raise
    best = out / f"rnn_{model}_best.safetensors"
    forecasts = {model: one_step(network, dataset)}
    past = past_steps(network, dataset) if dataset.has_variance else None
    if online:
        learner = make_optimizer(network.params, **optimizer_settings)
        outputs = fit.online(network, *dataset.test, loss=loss, optimizer=learner, max_norm=clip)
        forecasts[f"{model} online"] = dataset.to_level(
            outputs[:, 0].astype(float), dataset.before, dataset.centre(dataset.rows)
        )
    scores = compare(forecasts, dataset, dict.fromkeys(forecasts, past))
    _describe(dataset)
    show_scores(scores, dataset)
    for name in forecasts:
        print(verdict(scores, name, dataset))
    print(f"Best epoch: {history.best_epoch} of {len(history.train_loss)}. Wrote {best}.")
    if resume and not is_old:
        print(f"There was no {last} to resume from: this training began with the first epoch.")
    elif is_old and not resume:
        print(f"The files replace those of an earlier {model}; --out keeps trainings apart.")
    picture = out / f"rnn_{model}_forecast.png"
    _draw(picture, figures.forecast_figure, history, dataset, forecasts[model], name=model)


def evaluate(
    file: File,
    steps: Annotated[
        int, typer.Option(min=1, help="Also judge recursive forecasts so many steps ahead.")
    ] = 1,
    source: NewSource = None,
    dates: Dates = None,
):
    """Judge a trained model beside naive forecasts.

    It is judged on the test part of the data that it was trained on, and on newer days if
    there are any.
    """
    from rnnlib.commands.tables import show_horizons, show_scores
    from rnnlib.forecasting.forecasts import one_step, past_steps
    from rnnlib.forecasting.judging import compare, compare_horizons, verdict

    network, dataset = _load(file, source, dates)
    name = network.config["kind"]
    past = past_steps(network, dataset) if dataset.has_variance else None
    scores = compare({name: one_step(network, dataset)}, dataset, {name: past})
    horizons = compare_horizons(network, dataset, steps) if steps > 1 else None
    _describe(dataset)
    show_scores(scores, dataset)
    if horizons is not None:
        show_horizons(horizons, dataset)
    print(verdict(scores, name, dataset))


def forecast_days(
    file: File,
    days: Annotated[
        int, typer.Option(min=1, max=365, help="How many days to forecast after the data's end.")
    ] = 5,
    source: NewSource = None,
    dates: Dates = None,
    out: Out = Path(),
):
    """Forecast the days after the data's end.

    Each forecast is the input of the next. Beside it stand the limits between which 80% of the
    errors so many steps ahead lay on the test part. Writes rnn_MODEL_future.png.
    """
    from rnnlib.commands.tables import moment, number, show_future
    from rnnlib.data.calendar import steps_a_day
    from rnnlib.forecasting import experiment, figures
    from rnnlib.tools.whole_file import ready

    network, dataset = _load(file, source, dates)
    ready(out)
    name = network.config["kind"]
    table = experiment.future(network, dataset, days * steps_a_day(dataset.frame.index))
    origin = dataset.origin
    print(f"{one_line(origin.name)} ({one_line(origin.source)}), forecast by {name}")
    for line in (*origin.notes, *filter(None, [origin.credit])):
        print(line)
    show_future(table, dataset)
    index = dataset.frame.index
    print(f"The last value is {number(dataset.level[-1])}, on {moment(index[-1], index)}.")
    if dataset.frozen_features:
        print(f"Nobody knows the future of {', '.join(dataset.frozen_features)}: kept at the last value.")
    if ((table["forecast"] < table["low"]) | (table["forecast"] > table["high"])).any():
        print("On the test part the forecasts were too low or too high throughout: do not trust these.")
    picture = out / f"rnn_{name}_future.png"
    _draw(picture, figures.future_figure, dataset, table, name=name)


def benchmark(
    models: Annotated[str, typer.Option(help="Names with commas between, or all.")] = "min_gru,mamba",
    data: Data = "stock",
    symbol: Symbol = None,
    source: Source = None,
    dates: Dates = None,
    start: Start = None,
    end: End = None,
    features: Features = None,
    predict: Predict = None,
    relative: Relative = None,
    seq_len: SeqLen = PROBLEM["length"],
    epochs: Epochs = FIT["epochs"],
    hidden_size: HiddenSize = 128,
    num_layers: NumLayers = MODEL["num_layers"],
    state_size: StateSize = None,
    kernel_size: KernelSize = None,
    lr: Lr = FIT["lr"],
    loss: Loss = FIT["loss"],
    batch_size: BatchSize = FIT["batch_size"],
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
    from rnnlib.forecasting import figures
    from rnnlib.forecasting.benchmark import benchmark
    from rnnlib.forecasting.judging import compare
    from rnnlib.tools.whole_file import ready, whole_file

    kinds = model_names(models)
    sizes = hidden_size, num_layers, state_size, kernel_size
    networks = {kind: model_options(kind, *sizes, among=kinds) for kind in kinds}
    problem = problem_of(data, symbol, source, start, end, features, predict, seq_len, relative, dates)
    dataset = problem.dataset()
    ready(out)
    settings = fit_settings(epochs, batch_size, loss, FIT["max_norm"], patience or epochs) | {"lr": lr}
    table, histories = benchmark(networks, seeds, dataset, settings, jobs)

    results, failure = out / "benchmark_results.csv", None
    try:
        with whole_file(results) as temporary:
            table.to_csv(temporary, index=False)
    except OSError as error:
        failure = error  # once the tables are shown
    naive = compare({}, dataset)
    _describe(dataset)
    show_benchmark(table, naive, dataset)
    if failure:
        raise failure
    print(f"Wrote {results}.")
    both = {"mamba", "min_gru"} <= set(kinds)
    picture = out / ("mamba_vs_mingru_comparison.png" if both else "models_comparison.png")
    _draw(picture, figures.benchmark_figure, table, histories, naive, dataset)


def _describe(dataset):
    """What is forecast, from where, and when; and what the reader should know of the data, a line each."""
    origin, dates = dataset.origin, dataset.dates
    print(
        f"\n{one_line(origin.name)} ({one_line(origin.source)}), one step ahead: "
        f"{len(dates)} test steps, {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
    )
    if gaps := dataset.gaps:
        print(f"{gaps} steps without a measurement: the last value stands in the inputs, none is scored.")
    if dataset.has_variance:
        before, test = dataset.level[dataset.past_rows].mean(), dataset.actual.mean()
        print(f"Mean log variance: {before:.2f} before the test part, {test:.2f} in it.")
    for line in (*origin.notes, *filter(None, [origin.credit])):
        print(line)


def _load(file, source, dates):
    """The model and the Dataset of a file; what is to be told of them, in a line each."""
    from rnnlib.forecasting import experiment

    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always", experiment.OtherData)
        model, data = experiment.load(file, source, dates)
    for note in notes:
        print(f"Note: {note.message}.", file=sys.stderr)
    return model, data


def _draw(path, make, *arguments, **options):
    """Write the figure that ``make`` makes, all or nothing. All else has been printed and written before."""
    from rnnlib.forecasting.drawing import write
    from rnnlib.tools.whole_file import whole_file

    try:
        with whole_file(path) as temporary:
            write(make(*arguments, **options), temporary)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # matplotlib has many kinds
        raise ValueError(f"{path} could not be drawn: {one_line(error) or type(error).__name__}") from error
    print(f"Wrote {path}.")
