"""Labs as files: releasing them to students, and grading what comes back."""
