"""The commands: ``python -m rnnlib --help``."""

import sys

import typer

from rnnlib.commands import data, forecasting, labs, speed, tasks, text
from rnnlib.tools.names import one_line

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
    """Recurrent sequence models in NumPy: train and compare them, forecast; release labs, and grade them.

    Begin with: python -m rnnlib train --model gru
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command()(forecasting.train)
app.command()(forecasting.evaluate)
app.command("forecast")(forecasting.forecast_days)
app.command()(forecasting.benchmark)
app.command()(tasks.tasks)
app.command()(text.text)
app.command("data")(data.data_command)
app.command()(labs.release)
app.command()(labs.grade)
app.command()(speed.speed)


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
    print(f"rnnlib: {one_line(message)}", file=sys.stderr)
    sys.exit(2)
