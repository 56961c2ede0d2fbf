"""Choosing whom to contact with what, under caps."""
