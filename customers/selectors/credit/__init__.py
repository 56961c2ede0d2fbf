"""Reads of credit elsewhere, income and bought values."""
