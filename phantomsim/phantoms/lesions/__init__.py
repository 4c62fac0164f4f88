"""Lesions: what a recipe may ask for, the forms they take, and the search for a place inside an organ."""
