"""``python -m rnnlib`` runs the commands of :mod:`rnnlib.commands.main`."""

from rnnlib.commands.main import main

main()
