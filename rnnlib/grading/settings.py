"""How notebooks are graded if nobody says otherwise: the defaults of the command grade and of pytest."""

from dataclasses import dataclass

COUNTING = ("best", "last")  # which of a student's notebooks of one lab counts
WALLS = ("auto", "on", "off")  # bubblewrap around students' code: where it works, always, or never


@dataclass(frozen=True)
class Settings:
    """How notebooks are graded.

    Attributes:
        timeout: seconds for a cell.
        memory: GiB for a kernel and all that it starts.
        sandbox: one of ``WALLS``.
    """

    timeout: float = 30
    memory: float = 4
    sandbox: str = "auto"
