"""The command line, ``python -m rnnlib``. May import every room; no room imports this one."""
