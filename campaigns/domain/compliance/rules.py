"""A rule of the law or of a supervisor as data, and which rules are in force on a day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class LenderType(StrEnum):
    """What kind of company lends or arranges the loans: rules differ."""

    BANK = "bank"
    CONSUMER_FINANCE = "consumer_finance"
    MICRO_LENDER = "micro_lender"
    LOAN_ASSISTING = "loan_assisting"


class RuleSeverity(StrEnum):
    """Whether a breach stops a text or an offer, or only asks for attention."""

    BLOCK = "block"
    WARN = "warn"


class RuleCheck(StrEnum):
    """How a rule is checked; each has a place in the program that asks for it."""

    BANNED_WORDS = "banned_words"
    ANNUAL_RATE_SHOWN = "annual_rate_shown"
    ALL_IN_COST_SHOWN = "all_in_cost_shown"
    COST_CAP = "cost_cap"
    COST_KNOWN = "cost_known"
    PARTNER_LISTED = "partner_listed"
    OPT_OUT = "opt_out"
    SIGNATURE = "signature"
    SENDER_NAMED = "sender_named"
    NO_OFFER_IN_SERVICE = "no_offer_in_service"
    MINIMUM_AGE = "minimum_age"
    STUDENTS = "students"
    COLLECTION_HOURS = "collection_hours"
    COLLECTION_TRIES = "collection_tries"
    COLLECTION_THIRD_PARTIES = "collection_third_parties"


@dataclass(frozen=True, slots=True)
class ComplianceRule:
    """One rule over one span of days.

    Attributes:
        rule_id: Stable name; a rule that changes ends, and another of its own name begins.
        source: Title and number of what it comes from.
        url: Where that can be read; empty where no public text was found.
        since: First day in force, by the company's calendar.
        until: Last day in force; None while no end is known.
        lenders: Whom it binds; empty for all.
        words: For BANNED_WORDS.
        limit: A share a year for COST_CAP (0.24 is 24 %), years for MINIMUM_AGE, tries a day.
        lpr_multiple: For COST_CAP instead of `limit`: so many times the one-year loan prime rate.
    """

    rule_id: str
    check: RuleCheck
    severity: RuleSeverity
    text_zh: str
    text_en: str
    source: str
    since: date
    until: date | None = None
    url: str = ""
    lenders: frozenset[LenderType] = frozenset()
    words: tuple[str, ...] = ()
    limit: Decimal | None = None
    lpr_multiple: Decimal | None = None

    def is_in_force(self, day: date, lender: LenderType) -> bool:
        """Return whether the rule binds a lender of this kind on a day."""
        is_dated = self.since <= day and (self.until is None or day <= self.until)
        return is_dated and (not self.lenders or lender in self.lenders)

    def text(self, *, is_chinese: bool) -> str:
        """Return the rule in a reader's language."""
        return self.text_zh if is_chinese else self.text_en


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The rules that bind one kind of lender on one day."""

    day: date
    lender: LenderType
    rules: tuple[ComplianceRule, ...]
    lpr: Decimal

    def of(self, check: RuleCheck) -> Iterator[ComplianceRule]:
        """Yield the rules of one kind, the blocking ones first."""
        found = [rule for rule in self.rules if rule.check is check]
        yield from sorted(found, key=lambda rule: rule.severity is not RuleSeverity.BLOCK)

    def severity_of(self, check: RuleCheck) -> RuleSeverity | None:
        """Return how strict the strictest rule of a kind is; None where none is in force."""
        rule = next(self.of(check), None)
        return rule.severity if rule else None

    def banned_words(self) -> Mapping[str, RuleSeverity]:
        """Return the listed words, each with the strictest severity that it has."""
        words: dict[str, RuleSeverity] = {}
        for rule in self.of(RuleCheck.BANNED_WORDS):
            for word in rule.words:
                words.setdefault(word, rule.severity)
        return words

    def cost_caps(self) -> Iterator[tuple[ComplianceRule, Decimal]]:
        """Yield each cap on the all-in cost with its share a year."""
        for rule in self.of(RuleCheck.COST_CAP):
            share = rule.limit if rule.lpr_multiple is None else rule.lpr_multiple * self.lpr
            if share is not None:
                yield rule, share


def in_force(
    rules: Iterable[ComplianceRule],
    *,
    day: date,
    lender: LenderType,
    prime_rates: Iterable[tuple[date, Decimal]],
) -> RulesInForce:
    """Return the rules that bind a lender of this kind on a day.

    Args:
        prime_rates: (first day, share a year) of the one-year loan prime rate, oldest first.
    """
    rates = [rate for since, rate in prime_rates if since <= day]
    return RulesInForce(
        day=day,
        lender=lender,
        rules=tuple(rule for rule in rules if rule.is_in_force(day, lender)),
        lpr=rates[-1] if rates else Decimal(0),
    )
