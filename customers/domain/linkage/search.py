"""A search for duplicates as people watch it."""

from enum import StrEnum


class SearchStep(StrEnum):
    """What a search for duplicates is at."""

    READ = "read"
    COMPARE = "compare"
