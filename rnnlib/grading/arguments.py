"""What ``pytest --nbval`` is called with: what cannot be graded so is refused in a line."""

import pytest

from rnnlib.grading import sandbox

COURSE = sandbox.SOLUTIONS.parent


def refuse_brackets(names, here):
    """Refuse files such as "01_rnn[1].ipynb"; pytest would speak of parametrization."""
    for name in names:
        if "[" in name and (here / name).exists():
            raise pytest.UsageError(
                f"{name}: pytest takes what begins with [ for a part of a test's name: "
                "rename the file, or use python -m rnnlib grade"
            )


def refuse_settings(settings, own, here):
    """Refuse settings that lie beside a student's notebook.

    Args:
        settings: pytest's file of settings, or None.
        own: the one that was named on the command line, or None.
        here: the current folder.
    """
    if settings and not own and settings.parent not in (here, *here.parents, COURSE):
        raise pytest.UsageError(
            f"the settings in {settings} would rule the grading: use python -m rnnlib grade, "
            "or give settings of your own with -c"
        )


def refuse_path(option, path, is_folder):
    """Refuse a path that cannot be written."""
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise pytest.UsageError(f"{option}: there is no folder {path.parent}")
    if path.exists() and path.is_dir() != is_folder:
        raise pytest.UsageError(f"{option}: {path} is {'a folder' if path.is_dir() else 'no folder'}")
