"""The commands train, evaluate, forecast and benchmark."""

from pathlib import Path
from typing import Annotated

import typer

from rnnlib.commands.options import (
    BatchSize,
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
    Moved,
    NumLayers,
    Out,
    Patience,
    SeqLen,
    Source,
    Start,
    StateSize,
    Symbol,
    Target,
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

    problem = problem_of(data, symbol, source, start, end, features, target, seq_len)
    chosen = optimizer_options(optimizer, lr, momentum, weight_decay)
    last = out / f"rnn_{model}_last.safetensors"
    there = last.exists()
    network, dataset, history = experiment.train(
        problem,
        model,
        options=model_options(model, hidden_size, num_layers, state_size, kernel_size),
        optimizer=chosen,
        settings=fit_settings(epochs, batch_size, loss, clip, patience),
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

    kinds = model_names(models)
    sizes = hidden_size, num_layers, state_size, kernel_size
    networks = {kind: model_options(kind, *sizes, among=kinds) for kind in kinds}
    dataset = problem_of(data, symbol, source, start, end, features, target, seq_len).dataset()
    ready(out)
    settings = fit_settings(epochs, batch_size, loss, 1.0, patience or epochs) | {"lr": lr}
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
