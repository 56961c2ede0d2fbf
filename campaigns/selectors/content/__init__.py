"""Reads about the texts of campaigns."""
