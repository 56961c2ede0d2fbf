"""Segments in the database: the compiler of rules, previews, changes, history."""
