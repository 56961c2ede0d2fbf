"""Reads about imports and mappings."""
