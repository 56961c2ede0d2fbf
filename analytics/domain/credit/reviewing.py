"""States of policies and reviews: who may do what with them next."""

from enum import StrEnum


class PolicyState(StrEnum):
    """Where a version of the policy is in its life."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    ENDED = "ended"


class ReviewKind(StrEnum):
    """Why a person looks at a decision."""

    POLICY = "policy"
    CONTEST = "contest"
