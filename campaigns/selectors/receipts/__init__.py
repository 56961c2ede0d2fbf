"""Reads about answers, and about messages whose fate is not known."""
