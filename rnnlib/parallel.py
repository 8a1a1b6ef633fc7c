"""The same work for many arguments, spread over processes."""

import joblib
from tqdm.auto import tqdm


def in_parallel(work, calls, name, jobs=None):
    """``work(*call)`` for each call; the results in order.

    Args:
        work: a function that a process can import.
        calls: list of tuples of arguments.
        name: for the progress bar.
        jobs: processes; one a core if None.
    """
    tasks = (joblib.delayed(work)(*call) for call in calls)
    found = joblib.Parallel(n_jobs=jobs or joblib.cpu_count(), return_as="generator")(tasks)
    return list(tqdm(found, desc=name, total=len(calls), unit="run"))
