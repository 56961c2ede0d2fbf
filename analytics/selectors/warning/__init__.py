"""Reads for early warning."""
