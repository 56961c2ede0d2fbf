"""Keeping and showing what a person was sent."""
