"""The commands train, evaluate, forecast and benchmark."""

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


def train(
    model: Annotated[str, typer.Option(help=f"{one_of(MODELS)}.")] = "rnn",
    data: Data = "stock",
    symbol: Symbol = None,
    source: Source = None,
    start: Start = None,
    end: End = None,
    features: Features = None,
    predict: Predict = None,
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
    """
    from rnnlib.commands.tables import show_scores
    from rnnlib.forecasting import experiment, figures
    from rnnlib.forecasting.forecasts import one_step
    from rnnlib.forecasting.judging import compare, verdict
    from rnnlib.training import fit
    from rnnlib.training.optimizers import make_optimizer

    problem = problem_of(data, symbol, source, start, end, features, predict, seq_len)
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
    forecasts = {model: one_step(network, dataset)}
    if online:
        learner = make_optimizer(network.params, **optimizer_settings)
        outputs = fit.online(network, *dataset.test, loss=loss, optimizer=learner, max_norm=clip)
        forecasts[f"{model} online"] = dataset.to_level(outputs[:, 0].astype(float), dataset.before)
    scores = compare(forecasts, dataset)
    _describe(dataset)
    show_scores(scores, dataset)
    for name in forecasts:
        print(verdict(scores, name, dataset))
    picture = out / f"rnn_{model}_forecast.png"
    _save(figures.forecast_figure(history, dataset, forecasts[model], name=model), picture)
    best = out / f"rnn_{model}_best.safetensors"
    print(f"Best epoch: {history.best_epoch} of {len(history.train_loss)}. Wrote {best} and {picture}.")
    if resume and not is_old:
        print(f"There was no {last} to resume from: this training began with the first epoch.")
    elif is_old and not resume:
        print(f"They replace those of an earlier {model}; --out keeps trainings apart.")


def evaluate(
    file: File,
    steps: Annotated[
        int, typer.Option(min=1, help="Also judge recursive forecasts so many steps ahead.")
    ] = 1,
    source: NewSource = None,
):
    """Judge a trained model beside naive forecasts.

    It is judged on the test part of the data that it was trained on, and on newer days if
    there are any.
    """
    from rnnlib.commands.tables import show_horizons, show_scores
    from rnnlib.forecasting import experiment
    from rnnlib.forecasting.forecasts import one_step
    from rnnlib.forecasting.judging import compare, compare_horizons, verdict

    network, dataset = experiment.load(file, source)
    name = network.config["kind"]
    scores = compare({name: one_step(network, dataset)}, dataset)
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

    network, dataset = experiment.load(file, source)
    ready(out)
    name = network.config["kind"]
    table = experiment.future(network, dataset, days * steps_a_day(dataset.frame.index))
    origin = dataset.origin
    print(f"{origin.name} ({origin.source}), forecast by {name}")
    if origin.credit:
        print(origin.credit)
    show_future(table, dataset)
    index = dataset.frame.index
    print(f"The last value is {number(dataset.level[-1])}, on {moment(index[-1], index)}.")
    if dataset.frozen_features:
        print(f"Nobody knows the future of {', '.join(dataset.frozen_features)}: kept at the last value.")
    if ((table["forecast"] < table["low"]) | (table["forecast"] > table["high"])).any():
        print("On the test part the forecasts were too low or too high throughout: do not trust these.")
    picture = out / f"rnn_{name}_future.png"
    _save(figures.future_figure(dataset, table, name=name), picture)
    print(f"Wrote {picture}.")


def benchmark(
    models: Annotated[str, typer.Option(help="Names with commas between, or all.")] = "min_gru,mamba",
    data: Data = "stock",
    symbol: Symbol = None,
    source: Source = None,
    start: Start = None,
    end: End = None,
    features: Features = None,
    predict: Predict = None,
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
    dataset = problem_of(data, symbol, source, start, end, features, predict, seq_len).dataset()
    ready(out)
    settings = fit_settings(epochs, batch_size, loss, FIT["max_norm"], patience or epochs) | {"lr": lr}
    table, histories = benchmark(networks, seeds, dataset, settings, jobs)

    results = out / "benchmark_results.csv"
    with whole_file(results) as temporary:
        table.to_csv(temporary, index=False)
    naive = compare({}, dataset)
    _describe(dataset)
    show_benchmark(table, naive, dataset)
    both = {"mamba", "min_gru"} <= set(kinds)
    picture = out / ("mamba_vs_mingru_comparison.png" if both else "models_comparison.png")
    _save(figures.benchmark_figure(table, histories, naive, dataset), picture)
    print(f"Wrote {results} and {picture}.")


def _describe(dataset):
    """One line on what is forecast, from where, and when."""
    origin, dates = dataset.origin, dataset.dates
    print(
        f"\n{origin.name} ({origin.source}), one step ahead: "
        f"{len(dates)} test steps, {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
    )
    if gaps := dataset.gaps:
        print(f"{gaps} steps without a measurement: the last value stands in the inputs, none is scored.")
    if origin.credit:
        print(origin.credit)


def _save(figure, path):
    """Write a figure, all or nothing."""
    from rnnlib.tools.whole_file import whole_file

    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
