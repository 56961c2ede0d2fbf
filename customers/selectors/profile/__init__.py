"""Reads for the page of a customer and its timeline."""
