"""The commands release and grade."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from rnnlib.commands.options import Jobs
from rnnlib.grading.settings import COUNTING, WALLS, Settings
from rnnlib.tools import whole_file as files

SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")


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
    submissions: Annotated[
        str, typer.Argument(help="Folder with <student>/<lab>.ipynb, or a download of an LMS.")
    ],
    out: Annotated[Path, typer.Option(help="CSV file for the grades.")] = Path("grades.csv"),
    feedback: Annotated[
        Path | None, typer.Option(help="Folder for the students' pages; beside --out if left out.")
    ] = None,
    totals: Annotated[
        Path | None, typer.Option(help="CSV file for the totals: a row a student, a column a lab.")
    ] = None,
    attempt: Annotated[
        str, typer.Option(help=f"Which of a student's notebooks of a lab counts: {' or '.join(COUNTING)}.")
    ] = COUNTING[0],
    report: Annotated[
        Path | None,
        typer.Option(help="Page on what the class knows, and where it is stuck; beside --out if left out."),
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be graded; run and write nothing.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade everything anew, with a new seed.")] = False,
):
    """Grade a class.

    Each notebook is graded in a process of its own, with random inputs that no student has seen.
    Writes a row for each exercise into the CSV file, a page for each student, a page on what the
    class knows and where it is stuck, and a list of what lies there and is not graded. Downloads of
    Moodle, Canvas, Blackboard, Brightspace, nbgrader and GitHub Classroom are taken as they come, and
    zip files too. What was graded before is kept where the notebook, the lab and the library have not
    changed; a run that was stopped goes on. The exit
    status is 1 if something has to be graded again, since the grading itself failed.

    \b
    Examples:
      grade submissions --out grades.csv
      grade submissions --totals totals.csv --attempt last
      grade submissions --dry-run
      grade submissions --seed 7 --jobs 8
      grade submissions --dask tcp://10.0.0.5:8786
    """
    import signal

    import joblib

    from rnnlib.commands.grades import show_grades, show_plan, show_several
    from rnnlib.grading import batch, sandbox
    from rnnlib.grading.class_report import write_class_report
    from rnnlib.grading.feedback import old_pages, write_feedback
    from rnnlib.grading.totals import write_totals

    if walls not in WALLS:
        raise ValueError(f"--sandbox must be auto, on or off, got {walls}")
    if attempt not in COUNTING:
        raise ValueError(f"--attempt must be {' or '.join(COUNTING)}, got {attempt}")
    if walls == "on" and dask is None and sandbox.missing():
        raise ValueError(f"--sandbox on: {sandbox.missing()}")
    settings = Settings(cell_timeout, memory, walls)
    solutions = solutions or sandbox.SOLUTIONS
    if not submissions.strip():
        raise ValueError("the folder with the submissions has no name")
    if dry_run:
        handed_in, hits, refusal = batch.plan(
            submissions, out, solutions=solutions, seed=seed, settings=settings, fresh=fresh
        )
        show_plan(handed_in, hits)
        pages_folder(submissions, out, feedback)  # refuses what the run would refuse
        if refusal:
            raise refusal
        return
    for option, path in {"--out": out, "--totals": totals}.items():
        if path and path.suffix.lower() in SPREADSHEETS:
            raise ValueError(f"{option}: a CSV file is written: name it {path.with_suffix('.csv').name}")
    pages = pages_folder(submissions, out, feedback)
    report = report or out.with_name(f"{out.stem}_report.md")
    places = {"--report": report} | ({"--totals": totals} if totals else {})
    for option, path in places.items():
        check_place(option, path, submissions, out)
    if totals and totals.resolve() == report.resolve():
        raise ValueError(f"--totals: {totals} is the page of --report: choose another file")
    files.ready(out.parent)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop it as Ctrl-C does: cleanly
    try:
        rows, hits, handed_in = batch.grade(
            submissions,
            out,
            solutions=solutions,
            seed=seed,
            jobs=jobs or joblib.cpu_count(),
            dask=dask,
            settings=settings,
            fresh=fresh,
        )
    except KeyboardInterrupt:
        print("\nWhat was graded is kept. The command goes on, if --fresh is left out.", file=sys.stderr)
        raise
    files.ready(pages)
    problems = write_feedback(rows, pages)
    modified = {(each.student, each.file): each.modified for each in handed_in.submissions}
    write_class_report(rows, report, attempt, modified)
    if totals:
        write_totals(rows, totals, attempt, modified)
    show_grades(rows, hits, handed_in)
    show_several(rows, attempt, modified)
    left = write_left(handed_in.left, out)
    for problem in problems:
        print(f"\nA page could not be written: {problem}")
    old = old_pages(rows, pages)
    if old:
        print(f"\nPages of notebooks that are no longer there, in {pages}: {', '.join(old)}")
    written = {"grades": out, "feedback": pages, "report": report, "totals": totals, "left out": left}
    print()
    for name, path in written.items():
        if path is not None:
            print(f"{f'{name}:':9} {path}")
    if any(row.verdict == "regrade" for row in rows):
        raise typer.Exit(1)


def check_place(option, path, submissions, out):
    """Raise a ValueError if a file that is to be written would take another's place."""
    if path.is_dir() or not path.name:
        raise ValueError(f"{option}: {path} is a folder: name a file")
    if path.resolve() == out.resolve():
        raise ValueError(f"{option}: {path} is the table of --out: choose another file")
    if path.resolve().is_relative_to(Path(submissions).resolve()):
        raise ValueError(f"{option}: {path} would lie among the submissions: choose another file")
    files.ready(path.parent)


def write_left(left, out):
    """Write the list of what is not graded beside the grades; return its path, or None where all is."""
    path = out.with_name(f"{out.stem}_not_graded.txt")
    if not left:
        path.unlink(missing_ok=True)
        return None
    with files.whole_file(path) as temporary:
        text = "".join(f"{name}: {why}\n" for name, why in left)
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def pages_folder(submissions, out, feedback):
    """The folder for the students' pages.

    Raises:
        ValueError: one of the paths cannot be what it should be.
    """
    if not out.name:
        raise ValueError("--out must name a file, such as grades.csv")
    pages = feedback or out.with_name(f"{out.stem}_feedback")
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise ValueError(f"--out: {out} is a device or a pipe: name a file")
    if pages.resolve() == out.resolve():
        raise ValueError(f"--feedback: {pages} is the table of --out: choose another folder")
    if pages.exists() and not pages.is_dir():
        raise ValueError(f"--feedback: {pages} is no folder")
    if pages.resolve().is_relative_to(Path(submissions).resolve()):
        raise ValueError(
            f"the pages in {pages} would lie among the submissions: choose another --out or --feedback, "
            "or type this in another folder"
        )
    return pages
