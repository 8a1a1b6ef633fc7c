"""The verdicts, and the failures that carry them."""

VERDICTS = (
    *("passed", "wrong", "unfilled", "crashed", "timed out", "kernel died", "unreadable"),
    "regrade",  # the grading itself failed
)


class Failed(Exception):
    """An exercise without its points: a verdict, and a message of one line.

    Attributes:
        review: why a person should see whether the student is to blame, or "".
        added: the cell that the student added, if it was that which came to no end; or None.
    """

    def __init__(self, verdict, message, review="", added=None):
        super().__init__(verdict, message, review)
        self.verdict, self.message, self.review, self.added = verdict, message, review, added

    def __str__(self):
        return f"{self.verdict}: {self.message}"


class LabFailed(Failed):
    """The lab's own code, or the solution's, stopped with an error."""

    def __init__(self, message):
        super().__init__("regrade", message)


def one_line(message, title=""):
    """A message for a table: one line, no control characters, without the title again."""
    line = "".join(c for c in " ".join(message.split()) if c.isprintable())
    return line.removeprefix(f"{title}: ")[:500]
