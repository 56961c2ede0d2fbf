"""Reads that tell who is the same person."""
