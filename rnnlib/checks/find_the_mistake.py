"""The exercise *find the mistake*: programs with one wrong line each, and what is said of an answer."""

import inspect
import textwrap


def listing(function):
    """A function's source with its lines counted from the one below the def, which is line 1."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    return "\n".join([lines[0], *(f"{number:2} {line}" for number, line in enumerate(lines[1:], start=1))])


def about(answers, look):
    """An exercise's ``accept``: what leads on, and does not give the answer away.

    Args:
        answers: version -> (line, letter of what it does), the right ones.
        look: a question about the results, for whoever names another line.

    Returns:
        A function of line and letter of each version in turn that says what is wrong with the first
        wrong pair, or "".
    """

    def accept(*found):
        if all(line == right[0] - 1 for right, line in zip(answers.values(), found[::2], strict=True)):
            return "Each of your lines is one too small: the number printed in front of it counts."
        for (version, right), line, why in zip(answers.items(), found[::2], found[1::2], strict=True):
            if line != right[0]:
                return f"{version}: line {line} is as it should be. {look}"
            if len(why.strip()) > 1:
                return f"{version}: of what it does, the letter in front is asked for."
            if why.strip().lower() != right[1]:
                return f"{version}: the line is found. What would the right one do that it does not?"
        return ""

    return accept
