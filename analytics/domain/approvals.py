"""What waits for a second person, whatever part of the product it belongs to."""

from enum import StrEnum


class ApprovalKind(StrEnum):
    """What can wait for a second person."""

    CAMPAIGN = "campaign"
    FAIRNESS = "fairness"
    EXPORT = "export"
    MODEL = "model"
    POLICY = "policy"
