"""Imports of customers: files, runs, and the way from upload to undo."""
