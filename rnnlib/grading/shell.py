"""What a grading kernel's shell takes as other notebooks' do: an IPython extension, loaded before any cell.

The code in the kernel is a stranger's and may undo all this: it makes nothing safer. It keeps
a line that is right elsewhere, in Colab or on a desktop, from failing here.
"""

import re
import sys
from contextlib import suppress

LARGEST = 8 * 2**20  # characters of one display; beyond, it could not be sent
INSTALLERS = "pip conda mamba micromamba uv".split()
PYTHON = r"(\S*python[\d.]*|\"?\{sys\.executable\}\"?) -m "
INSTALLS = re.compile(rf"\s*({PYTHON})?({'|'.join(INSTALLERS)}|pip3|(sudo )?apt(-get)?)\s")


def load_ipython_extension(shell):
    """Called by IPython."""

    def nothing(line):
        """Install nothing while notebooks are graded: what is missing is told where it is imported."""

    def run(line, cell):
        """Run a cell without the profiler around it, which takes time, and by chance all of it."""
        exec(compile(shell.transform_cell(cell), "<prun>", "exec"), shell.user_ns)

    shell.register_magic_function(run, magic_kind="cell", magic_name="prun")
    for name in INSTALLERS:
        shell.register_magic_function(nothing, magic_name=name)
    shell.system = _unless_it_installs(shell.system)
    shell.getoutput = _unless_it_installs(shell.getoutput)
    draw = shell.enable_matplotlib
    shell.enable_matplotlib = lambda gui=None: draw("inline")  # whatever window or widget was asked for
    shell.enable_gui = lambda gui=None: None
    shell.ask_exit = lambda: None  # "exit()" in a cell would end the kernel a little later, in another one
    shell.display_pub.publish = _if_it_fits(shell.display_pub.publish)
    shell.showtraceback = _shortened(shell.showtraceback)
    shell.displayhook.write_format_data = _if_it_fits(shell.displayhook.write_format_data)


def _unless_it_installs(run):
    """A function that runs a command, or does nothing: "!pip install" waits long for a network."""

    def bounded(command, *arguments, **options):
        return "" if INSTALLS.match(command) else run(command, *arguments, **options)

    return bounded


def _if_it_fits(show):
    """A function that shows what can be sent: no such display decides a grade, and a giant cuts the line."""

    def bounded(data, *arguments, **options):
        texts = [value for value in data.values() if isinstance(value, str | bytes)]
        if sum(map(len, texts)) <= LARGEST:
            return show(data, *arguments, **options)

    return bounded


def _shortened(show):
    """A function that shows an error, its text cut where that could not be sent."""

    def bounded(*arguments, **options):
        error = sys.exc_info()[1]
        with suppress(Exception):  # some errors cannot even say what they are
            text = str(error)
            if len(text) > LARGEST:
                error.args = (text[:1000],)
        return show(*arguments, **options)

    return bounded
