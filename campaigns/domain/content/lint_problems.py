"""What the check of a text may find."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaigns.domain.compliance.rules import RuleSeverity


class LintProblemCode(StrEnum):
    """What can be wrong with a text."""

    TEMPLATE_REFUSED = "template_refused"
    UNKNOWN_VARIABLE = "unknown_variable"
    EXAMPLE_FAILS = "example_fails"
    EMPTY = "empty"
    UNSUBSCRIBE_MISSING = "unsubscribe_missing"
    SENDER_MISSING = "sender_missing"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_IN_BODY = "signature_in_body"
    BANNED_WORD = "banned_word"
    RISKY_WORD = "risky_word"
    RATE_WITHOUT_APR = "rate_without_apr"
    VARIABLE_IN_LINK = "variable_in_link"
    LINK_NOT_COUNTED = "link_not_counted"
    IMAGE_ONLY = "image_only"
    MANY_PARTS = "many_parts"
    TOO_MANY_CHOICES = "too_many_choices"
    OFFER_IN_SERVICE = "offer_in_service"
    COST_NOT_SHOWN = "cost_not_shown"
    RATE_ABOVE_CAP = "rate_above_cap"
    COST_ABOVE_CAP = "cost_above_cap"
    COST_UNKNOWN = "cost_unknown"
    PARTNER_NOT_LISTED = "partner_not_listed"
    SIGNATURE_NOT_FILED = "signature_not_filed"
    TEMPLATE_NOT_FILED = "template_not_filed"
    TEMPLATE_MISMATCH = "template_mismatch"


@dataclass(frozen=True, slots=True)
class LintProblem:
    """One finding.

    Attributes:
        code: What is wrong.
        severity: Whether it stops an approval.
        where: `subject`, `text` or `html`.
        facts: Values for the message, such as the word or the line.
    """

    code: LintProblemCode
    severity: RuleSeverity
    where: str
    facts: dict[str, Any] = field(default_factory=dict)


# What rules of the law say; a worker asks for these once more, by the rules of its day.
RULE_CODES = frozenset(
    {
        LintProblemCode.BANNED_WORD,
        LintProblemCode.RATE_WITHOUT_APR,
        LintProblemCode.RATE_ABOVE_CAP,
        LintProblemCode.COST_ABOVE_CAP,
        LintProblemCode.COST_UNKNOWN,
        LintProblemCode.COST_NOT_SHOWN,
        LintProblemCode.PARTNER_NOT_LISTED,
        LintProblemCode.OFFER_IN_SERVICE,
        LintProblemCode.UNSUBSCRIBE_MISSING,
        LintProblemCode.SIGNATURE_MISSING,
        LintProblemCode.SENDER_MISSING,
    }
)
