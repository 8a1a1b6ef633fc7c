"""What students handed in: which notebooks there are, whose each is, and which lab it is."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from rnnlib.grading import release
from rnnlib.grading.intake import layouts, left, tree
from rnnlib.grading.intake.files import look_into, without_solutions
from rnnlib.grading.intake.students import by_student, one_deeper, refuse_downloads, unwrapped
from rnnlib.grading.names import told_apart
from rnnlib.grading.report import SEVERAL

LATE = "handed in late"
NAMED = 3  # files that the row of a student without a notebook names,
LONGEST = 400  # and how many letters they may take


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, with all that is needed to grade it anywhere.

    Attributes:
        student: the name of the student.
        file: the notebook's path in the student's folder; "" if there is none.
        fingerprint: of what is read of the notebook.
        content: what is read of the notebook, as text.
        problem: why it cannot be graded, or "".
        verdict: on a submission with a problem, "unreadable" or "regrade".
        review: why a person should look at it, or "".
        lab: the lab's name; "" if it is none.
        solution: the lab's solution, as text.
        seed: the random seed of the checks.
        digest: changes with all that its rows depend on.
        modified: when it was handed in, or changed, in seconds; 0 where nobody knows.
    """

    student: str
    file: str = ""
    fingerprint: str = ""
    content: str = ""
    problem: str = ""
    verdict: str = "unreadable"
    review: str = ""
    lab: str = ""
    solution: str = ""
    seed: int = 0
    digest: str = ""
    modified: float = 0.0

    def origin(self, walls=""):
        """What all rows of the notebook say, for ``report.row_of``.

        Args:
            walls: what protects the grader, "bubblewrap" or "none"; "" if nothing runs.
        """
        names = ("student", "lab", "file", "review", "seed", "digest")
        return {"sandbox": walls} | {name: getattr(self, name) for name in names}


class Class(NamedTuple):
    """What a class handed in.

    Attributes:
        submissions: list of Submission; each student has one at least.
        left: list of ``left.Left``, each file and folder that is in no row.
        notes: lines that say how the folder was read.
    """

    submissions: list
    left: list
    notes: list


def find(folder, solutions, seed, *, solve=None):
    """What a class handed in, each notebook with its lab's solution, made anew with the seed.

    Args:
        folder: a folder of students' folders or zip files, or what a system has collected, as it comes
            (see ``layouts``); or a zip file of one.
        solve: function of a solved lab's path and the seed that makes the solution; ``release.with_seed``,
            which runs the lab, if None.

    Raises:
        ValueError: there are no students, or no solutions, or a solution is not in order.
    """
    if not any(solutions.glob("*.ipynb")):
        raise ValueError(f"there are no solved labs in {solutions}: name their folder with --solutions")
    root, notes = layouts.top(folder)
    files = []
    for entry in tree.entries(root):
        if not entry.names:
            raise ValueError(f"{folder}: {entry.problem}")
        owner = layouts.owner(entry.names[0]) if len(entry.names) == 1 else None
        files.append(look_into(entry, (owner and owner.file) or entry.names[-1], solutions))
    files = without_solutions(files)
    files = unwrapped(files, notes) if root.is_file() else files
    refuse_downloads(files, root)
    students, loose = by_student(files, root, {path.stem for path in solutions.glob("*.ipynb")}, notes)
    if not students:
        raise ValueError(
            f"{folder} holds no students' folders: it must hold <student>/<lab>.ipynb"
            + (f", and it holds {loose[0].path}" if loose else "")
        )
    solve = solve or release.with_seed
    solution = cache(lambda lab: solve(solutions / f"{lab}.ipynb", seed) if lab else "")
    submissions, rest = [], list(loose)
    for student, work in sorted(students.items()):
        mine, others = _of_student(student, work, seed)
        submissions += [replace(each, solution=solution(each.lab)) for each in mine]
        rest += others
    return Class(submissions, left.gathered(rest, files, loose), notes + one_deeper(students, root))


def _of_student(student, work, seed):
    """A student's submissions, one with a problem where there is no notebook; and files in none of them.

    Args:
        work: list of ``students.Work``.
    """
    notebooks = [each for each in work if each.file.is_notebook]
    rest = [each for each in work if not each.file.is_notebook]
    if not notebooks:
        problem, named = _why_nothing(rest)
        review = LATE if any(each.owner.late for each in rest) else ""
        submission = Submission(student, problem=problem, review=review, seed=seed)
        return [submission], [each.file for each in rest[named:]]
    paths = told_apart([each.path for each in notebooks])
    counts = Counter(each.file.lab for each in notebooks if each.file.lab)
    submissions = [
        Submission(student, path, file.fingerprint, file.content, file.problem, file.verdict, lab=file.lab)
        for path, (_, _, file) in zip(paths, notebooks, strict=True)
    ]
    for number, (submission, each) in enumerate(zip(submissions, notebooks, strict=True)):
        count = counts[submission.lab]
        reviews = [f"{count} {SEVERAL}"] * (count > 1) + [LATE] * each.owner.late
        reviews += [each.file.others] * bool(each.file.others)
        submissions[number] = replace(
            submission, review=". ".join(reviews), seed=seed, modified=each.modified
        )
    return sorted(submissions, key=lambda each: each.file), [each.file for each in rest]


def _why_nothing(rest):
    """Why a student has handed in no notebook, and how many files the sentence names.

    Args:
        rest: list of ``students.Work``, what there is instead.
    """
    if [each.path for each in rest] == [""]:
        return f"there is no notebook: this is {rest[0].file.problem}", 1
    files = [f"{each.path} ({each.file.problem})" for each in rest[:NAMED]]
    while len(", ".join(files)) > LONGEST:
        files.pop()
    count = len(rest) - len(files)
    more = [f"{count} more file{'s' * (count > 1)}"] if count else []
    return f"there is no notebook, but {', '.join(files + more)}", len(files)
