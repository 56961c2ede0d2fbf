"""What the values of a lender's own attributes are."""

from enum import StrEnum


class AttributeType(StrEnum):
    """Which column of an attribute's value holds it."""

    NUMBER = "number"
    TEXT = "text"
    DAY = "day"
    FLAG = "flag"
