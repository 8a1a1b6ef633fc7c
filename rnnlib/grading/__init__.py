"""Labs released, answers judged, outside the student's kernel.

May import checks, models and tools; knows no training.
"""
