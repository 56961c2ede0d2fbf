"""Kinds of segments, and how far the list of their people is made."""

from enum import StrEnum


class SegmentKind(StrEnum):
    """How a segment gets its members."""

    DYNAMIC = "dynamic"
    STATIC = "static"


class BuildState(StrEnum):
    """How the last build of a segment's members went."""

    WAITING = "waiting"
    BUILT = "built"
    FAILED = "failed"
