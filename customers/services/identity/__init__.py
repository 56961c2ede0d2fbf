"""Duplicates are found, merged and parted again."""
