"""Measurements of this app against hand-written SQL in the same run."""
