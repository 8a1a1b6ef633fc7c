"""Labs released, answers judged, outside the student's kernel.

May import checks, models and tools; knows no training.

What happens to a notebook between its file and its row:

==========  ============================  =====================================================
measured    ``submission.find``           in a class: what is a link, or too large, ends here
read        ``notebook.loads``            of any version, as version 4; or it is "unreadable"
recognised  ``notebook.solution_for``     the solved lab that it is graded by
renewed     ``release.with_seed``         in a class: that lab run with a seed that nobody knows
matched     ``matching.exercises``        the student's answers in the gaps of the solution
marked      ``sources.to_review``         what a person should look at
run         ``session.Session``           an exercise's cells and its check, in a ``kernel``
compared    ``comparison.compare``        the values that the check displayed, and the stored
judged      ``judge.ATTEMPTS``            how often an exercise is tried, and after what; two more
                                          attempts see whether the grading itself failed
reported    ``report.row_of``             the verdict as a row; then lines, a table and pages
==========  ============================  =====================================================

``plugin`` does this for ``pytest --nbval``; ``process`` runs it once for each notebook of a
class, ``batch`` for all of them. ``release`` makes the labs.
"""

import sys

# nbformat imports jsonschema, and that a parser of IRIs, for three seconds. No notebook's schema asks for it.
sys.modules.setdefault("rfc3987_syntax", None)
