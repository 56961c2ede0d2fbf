"""What the quality of a file is measured by."""

from enum import StrEnum


class QualityMeasure(StrEnum):
    """The five measures of a scorecard, in the order of pages."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    UNIQUENESS = "uniqueness"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"
