"""Choosing whom to contact with what, from its description to lists of people."""
