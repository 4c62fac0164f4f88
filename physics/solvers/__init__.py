"""Iterative solvers of linear inverse problems, one method a file; they see operators and arrays alone."""
