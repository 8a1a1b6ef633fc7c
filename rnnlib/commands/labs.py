"""The commands release and grade."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rnnlib.commands.options import Jobs
from rnnlib.grading.settings import WALLS, Settings


def release(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if labs/ is not what would be released.")
    ] = False,
):
    """Write the student notebooks, labs/.

    They come from the solution notebooks, which are run. Works in the project's root folder,
    which holds labs_solutions/ and labs/.
    """
    from rnnlib.grading import release as labs

    solutions = sorted(Path("labs_solutions").glob("*.ipynb"))
    if not solutions:
        raise FileNotFoundError("no notebooks in labs_solutions/: run this in the project's root folder")
    problems = []
    for solution in solutions:
        student = Path("labs") / solution.name
        if check:
            problems += labs.check(solution, student)
        else:
            labs.release(solution, student)
            print(f"{solution} -> {student}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(1)
    if check:
        print(f"labs/ is up to date: {len(solutions)} checked")


def grade(
    submissions: Annotated[str, typer.Argument(help="Folder with <student>/<lab>.ipynb.")],
    out: Annotated[Path, typer.Option(help="CSV file for the grades.")] = Path("grades.csv"),
    feedback: Annotated[
        Path | None, typer.Option(help="Folder for the students' pages; beside --out if left out.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the checks' random inputs; a new one if left out.")
    ] = None,
    solutions: Annotated[
        Path | None, typer.Option(help="Folder with the solved labs, if it is not labs_solutions/.")
    ] = None,
    jobs: Jobs = None,
    dask: Annotated[
        str | None, typer.Option(help="Grade on the dask cluster with this address, such as tcp://host:8786.")
    ] = None,
    cell_timeout: Annotated[
        float, typer.Option(min=1, max=86400, help="Seconds that a cell may take.")
    ] = Settings.timeout,
    memory: Annotated[
        float, typer.Option(min=0.5, max=1024, help="GiB of memory that a notebook may use.")
    ] = Settings.memory,
    walls: Annotated[
        str,
        typer.Option("--sandbox", help="bubblewrap around students' code: auto (where it works), on or off."),
    ] = Settings.sandbox,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade everything anew, with a new seed.")] = False,
):
    """Grade a class.

    Each notebook is graded in a process of its own, with random inputs that no student has seen.
    Writes a row for each exercise into the CSV file, and a page for each student. What was graded
    before is kept where the notebook has not changed; a run that was stopped goes on. The exit
    status is 1 if something has to be graded again, since the grading itself failed.

    \b
    Examples:
      grade submissions --out grades.csv
      grade submissions --seed 7 --jobs 8
      grade submissions --dask tcp://10.0.0.5:8786
    """
    import signal

    import joblib

    from rnnlib.commands.grades import show_grades
    from rnnlib.grading import batch, report, sandbox
    from rnnlib.tools import whole_file as files

    if walls not in WALLS:
        raise ValueError(f"--sandbox must be auto, on or off, got {walls}")
    if walls == "on" and dask is None and sandbox.missing():
        raise ValueError(f"--sandbox on: {sandbox.missing()}")
    pages = pages_folder(submissions, out, feedback)
    files.ready(out.parent)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop it as Ctrl-C does: cleanly
    try:
        rows, hits, stray = batch.grade(
            submissions,
            out,
            solutions=solutions or sandbox.SOLUTIONS,
            seed=seed,
            jobs=jobs or joblib.cpu_count(),
            dask=dask,
            settings=Settings(cell_timeout, memory, walls),
            fresh=fresh,
        )
    except KeyboardInterrupt:
        print("\nWhat was graded is kept. The command goes on, if --fresh is left out.", file=sys.stderr)
        raise
    files.ready(pages)
    problems = report.write_feedback(rows, pages)
    show_grades(rows, hits, stray)
    for problem in problems:
        print(f"\nA page could not be written: {problem}")
    print(f"\ngrades:   {out}\nfeedback: {pages}")
    if any(row.verdict == "regrade" for row in rows):
        raise typer.Exit(1)


def pages_folder(submissions, out, feedback):
    """The folder for the students' pages.

    Raises:
        ValueError: one of the paths cannot be what it should be.
    """
    if not out.name:
        raise ValueError("--out must name a file, such as grades.csv")
    if not submissions.strip():
        raise ValueError("the folder with the submissions has no name")
    pages = feedback or out.with_name(f"{out.stem}_feedback")
    if pages.exists() and not pages.is_dir():
        raise ValueError(f"--feedback: {pages} is no folder")
    if pages.resolve().is_relative_to(Path(submissions).resolve()):
        raise ValueError(f"the pages in {pages} would lie among the submissions: choose another --feedback")
    return pages
