"""Closed vocabularies about a person."""

from enum import StrEnum


class Gender(StrEnum):
    """Gender as recorded."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class MarketingStatus(StrEnum):
    """Whether marketing may reach a customer at all; anything but OPEN bars it.

    AT_RISK: An early warning of the customer's credit is open; it comes and goes with that.
    """

    OPEN = "open"
    AT_RISK = "at_risk"
    RESTRICTED = "restricted"
    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    SELF_EXCLUDED = "self_excluded"
    DECEASED = "deceased"
