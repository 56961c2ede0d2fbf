"""Reads about campaigns: where they stand and what was approved."""
