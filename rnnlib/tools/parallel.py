"""The same work for many arguments, spread over processes."""

import joblib
from joblib.externals.loky import get_reusable_executor
from tqdm.auto import tqdm


def in_parallel(work, calls, name, jobs=None, progress=True):
    """``work(*call)`` for each call; the results in order.

    Args:
        work: a function that a process can import.
        calls: list of tuples of arguments.
        name: for the progress bar.
        jobs: processes, 1 or more; one a core if None.
        progress: show the bar.

    Raises:
        ValueError: jobs is below 1, or there is nothing to do.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    if not calls:
        raise ValueError(f"{name}: there is nothing to do")
    jobs = min(jobs or joblib.cpu_count(), len(calls))
    tasks = (joblib.delayed(work)(*call) for call in calls)
    results = joblib.Parallel(n_jobs=jobs, return_as="generator")(tasks)
    try:
        return list(tqdm(results, desc=name, total=len(calls), unit="run", disable=not progress))
    except BaseException:
        get_reusable_executor().shutdown(kill_workers=True)  # or its warnings follow the error
        raise
