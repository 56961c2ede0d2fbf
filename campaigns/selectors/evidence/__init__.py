"""Reads of what a person was sent, and why."""
