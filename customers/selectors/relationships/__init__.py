"""Reads about ties between people."""
