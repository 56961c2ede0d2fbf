"""Loans, applications and instalments."""
