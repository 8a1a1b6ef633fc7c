"""What lies in a class's folder, taken as it comes.

=================  ==========================================================================
``tree``           every file in the folder (an ``entry``), and in the zip files in it (``archive``)
``layouts``        whose it is, where a system such as Moodle gave it its name
``clones``         whose it is, where the folders are clones of git
``students``       whose it is anywhere; what each student is called
``files``          whether it is a notebook of a lab, or what it is instead
``reading``        of a notebook, what a grade needs and no more
``left``           what is not graded: each file is in a row or in a line
=================  ==========================================================================
"""
