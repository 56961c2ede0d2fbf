"""Signing in: tries are counted before passwords are looked at, and leave traces."""
