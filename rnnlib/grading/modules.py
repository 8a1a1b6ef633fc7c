"""Modules that an answer may import without a reason to look at it."""

#: Of os, what cells of Kaggle and others use to look into folders. The rest changes much, or runs programs.
OF_OS = set("path walk listdir getcwd sep linesep cpu_count".split())

#: Modules that an answer may well import. Others are ways to somewhere else, some of them.
MODULES = {f"os.{name}" for name in OF_OS} | set(
    """__future__ abc bisect cmath collections contextlib copy csv dataclasses datetime decimal enum fractions
    functools heapq itertools math numbers operator pprint random re statistics string sys textwrap
    time typing warnings logging numpy scipy pandas matplotlib sklearn seaborn sympy tqdm torch jax
    tensorflow cupy numba einops plotly
    ipywidgets IPython.display google.colab rnnlib.data""".split()
)
