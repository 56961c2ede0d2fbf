"""Reads for choosing whom to contact with what."""
