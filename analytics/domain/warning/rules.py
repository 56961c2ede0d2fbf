"""Rules of early warning: what is looked for, how grave it is, what is done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analytics.domain.warning.signals import Signal, SignalLimits


class Severity(StrEnum):
    """How grave an alert is, from light to grave."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class WarningAction(StrEnum):
    """What is to be done about an alert."""

    WATCH = "watch"
    REMIND = "remind"
    STOP_MARKETING = "stop_marketing"
    OFFER_HELP = "offer_help"
    LOWER_LIMIT = "lower_limit"
    COLLECT = "collect"


# From this severity on nothing that advertises credit reaches the person while the alert is open.
STOPS_MARKETING_FROM = Severity.HIGH
SEVERITIES: Sequence[Severity] = tuple(Severity)


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """One rule.

    Attributes:
        cool_down_days: After an alert has ended, so many days without a new one of the same rule
            about the same person.
        answer_hours: Within so many hours somebody has to have looked at the case.
    """

    name: str
    signal: Signal
    limits: SignalLimits
    severity: Severity
    action: WarningAction
    cool_down_days: int = 30
    answer_hours: int = 72

    @property
    def stops_marketing(self) -> bool:
        """Return whether an open alert bars credit marketing to the person."""
        is_grave = SEVERITIES.index(self.severity) >= SEVERITIES.index(STOPS_MARKETING_FROM)
        return is_grave or self.action is WarningAction.STOP_MARKETING


# What every installation starts with. Source: docs/early_warning.md.
DEFAULT_RULES: Sequence[RuleTerms] = (
    RuleTerms(
        "first-payment-missed",
        Signal.FIRST_PAYMENT_MISSED,
        SignalLimits(days=3),
        Severity.HIGH,
        WarningAction.REMIND,
        answer_hours=24,
    ),
    RuleTerms(
        "bucket-up",
        Signal.BUCKET_UP,
        SignalLimits(days=5, window_days=30),
        Severity.HIGH,
        WarningAction.REMIND,
        answer_hours=48,
    ),
    RuleTerms(
        "two-partial-payments",
        Signal.PARTIAL_PAYMENTS,
        SignalLimits(count=2, window_days=45),
        Severity.MEDIUM,
        WarningAction.OFFER_HELP,
    ),
    RuleTerms(
        "utilisation-high",
        Signal.UTILISATION_HIGH,
        SignalLimits(level=Decimal("0.9"), rise=Decimal("0.3"), window_days=90),
        Severity.MEDIUM,
        WarningAction.LOWER_LIMIT,
    ),
    RuleTerms(
        "inquiries-many",
        Signal.INQUIRIES_MANY,
        SignalLimits(count=3, window_days=30),
        Severity.MEDIUM,
        WarningAction.WATCH,
    ),
    RuleTerms(
        "contact-changed-silent",
        Signal.CONTACT_CHANGED,
        SignalLimits(days=21, window_days=60),
        Severity.MEDIUM,
        WarningAction.WATCH,
    ),
    RuleTerms(
        "salary-stopped",
        Signal.SALARY_STOPPED,
        SignalLimits(days=45, window_days=120),
        Severity.HIGH,
        WarningAction.OFFER_HELP,
    ),
    RuleTerms(
        "score-dropped",
        Signal.SCORE_DROPPED,
        SignalLimits(count=1, window_days=90),
        Severity.MEDIUM,
        WarningAction.WATCH,
    ),
    RuleTerms(
        "partner-first-payment-default",
        Signal.PARTNER_FIRST_DEFAULT,
        SignalLimits(days=30, window_days=180, level=Decimal("0.005"), rate=Decimal("0.03")),
        Severity.CRITICAL,
        WarningAction.WATCH,
    ),
    RuleTerms(
        "segment-arrears",
        Signal.SEGMENT_ARREARS,
        SignalLimits(days=30, count=50, level=Decimal("0.005")),
        Severity.HIGH,
        WarningAction.WATCH,
    ),
    RuleTerms(
        "segment-drift",
        Signal.SEGMENT_DRIFT,
        SignalLimits(level=Decimal("0.25"), window_days=30, count=200),
        Severity.MEDIUM,
        WarningAction.WATCH,
    ),
)
