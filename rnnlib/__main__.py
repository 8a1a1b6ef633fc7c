"""``python -m rnnlib`` runs the commands of :mod:`rnnlib.cli`."""

from rnnlib.cli import main

main()
