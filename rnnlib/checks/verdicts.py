"""How a check ends: a right answer is Passed, any other raises a failure, each with one line to read."""

import builtins

#: The values of a right answer travel beside the line, under this MIME type, for the grader.
VALUES_MIME = "application/vnd.rnnlib.values+json"


class Passed:
    """What a check returns for a right answer: a line to read, and the values to compare."""

    def __init__(self, title, values, remark=""):
        self.title, self.values, self.remark = title, values, remark

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), VALUES_MIME: self.values}

    def __repr__(self):
        return f"✓ {self.title}" + (f": {self.remark}" if self.remark else "")


class CheckFailed(AssertionError):
    """The base of all failures. Jupyter shows its one line and a link into the book, without a traceback.

    Attributes:
        section: the chapter's file name and the title of a section, or None.
    """

    section = None

    def _render_traceback_(self):
        if self.section is not None:
            _show_link(*self.section)
        return [f"✗ {self}"]


class WrongAnswer(CheckFailed):
    """The function was called, and something is wrong."""


class Crashed(WrongAnswer):
    """The function stopped with an exception."""


class TimedOut(WrongAnswer):
    """The function did not come to an end."""


class NotFilledIn(CheckFailed):
    """The gap still holds its NotImplementedError."""


def _shell():
    """The notebook's shell, None without a notebook."""
    return getattr(builtins, "get_ipython", lambda: None)()


def _show_link(chapter, title):
    """Show a link into the book below what the cell shows."""
    shell = _shell()
    if shell is None:
        return
    target = f"../book/{chapter}.md#{title.replace(' ', '-')}"  # JupyterLab's anchors keep capitals

    def show(*_):
        shell.events.unregister("post_run_cell", show)
        link = {"text/markdown": f"In the book: [{title}]({target})", "text/plain": f"In the book: {target}"}
        shell.display_pub.publish(link)

    shell.events.register("post_run_cell", show)


def explain_missing_names(exercises):
    """In a notebook, answer a NameError about an exercise's function in one line.

    The check ``checks.rnn_step(rnn_step)`` stops there before it begins, where the cell above has
    not been run, or its function has another name.

    Args:
        exercises: lab -> name -> exercise.
    """

    def explain(shell, kind, error, traceback, tb_offset=None):
        named = [lab[error.name] for lab in exercises.values() if error.name in lab]
        if not named:
            return shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
        line = f"✗ {named[0].title}: there is no {error.name} yet. Run its cell; it must define this name."
        return shell._showtraceback(kind, error, [line])

    if _shell() is not None:
        _shell().set_custom_exc((NameError,), explain)
