"""Telling people, and what they do with it."""
