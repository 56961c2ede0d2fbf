"""Lifecycle stages of a customer."""

from enum import StrEnum


class LifecycleStage(StrEnum):
    """Where a customer stands with the lender."""

    LEAD = "lead"
    APPLICANT = "applicant"
    APPROVED = "approved"
    ACTIVE = "active"
    REPAID = "repaid"
    DORMANT = "dormant"
    CHURNED = "churned"
    WON_BACK = "won_back"
