"""Labs released, answers judged, outside the student's kernel.

May import checks, models and tools; knows no training.

What happens to a notebook between its file and its row:

==========  ============================  =====================================================
collected   ``submission.find``           in a class: each file in the folder and its zip files is a
                                          student's (``intake``), or is named as left out
read        ``intake.reading.loads``      code, texts and ids, of any version, in any Unicode
                                          encoding, and no more; or it is "unreadable"
recognised  ``notebook.solution_for``     the solved lab that it is graded by
renewed     ``release.with_seed``         in a class: that lab run with a seed that nobody knows
matched     ``matching.exercises``        the student's answers in the gaps of the solution
marked      ``review.to_review``          what a person should look at
run         ``session.Session``           an exercise's cells and its check, in a ``kernel``
compared    ``comparison.compare``        the values that the check displayed, and the stored
explained   ``surroundings.difference``   after a crash: what the grader lacks and the student had
judged      ``attempts.ATTEMPTS``         how often an exercise is tried, and after what; two more
                                          attempts (``judge``) see whether the grading itself failed
kept        ``earlier.compared``          in a class: for the next run, until the notebook, the lab,
                                          the library or the settings change
reported    ``report.row_of``             the verdict as a row; then lines, a table and pages
==========  ============================  =====================================================

``plugin`` does this for ``pytest --nbval``; ``process`` runs it once for each notebook of a
class, ``batch`` for all of them. ``release`` makes the labs. Of these files, ``shell`` alone is
loaded where a student's code runs.
"""

import sys

# nbformat imports jsonschema, and that a parser of IRIs, for three seconds. No notebook's schema asks for it.
sys.modules.setdefault("rfc3987_syntax", None)
