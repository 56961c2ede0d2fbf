"""Loans and their instalments, from files."""
