"""What a message is about, and whether the products that it lists may be offered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from campaigns.domain.compliance.rules import RuleCheck, RuleSeverity, RulesInForce
from customers.domain.consents.consent import Purpose


class ProductKind(StrEnum):
    """What a message is about: an offer of credit, or a service that people have already."""

    CREDIT_OFFER = "credit_offer"
    SERVICE = "service"


def product_kind_for(purpose: str, kind: str) -> str:
    """Return the kind that a message has; marketing offers credit unless it is said otherwise."""
    is_marketing = purpose == Purpose.MARKETING
    return kind or (ProductKind.CREDIT_OFFER if is_marketing else ProductKind.SERVICE).value


def is_offer_under_service(purpose: str, kind: str) -> bool:
    """Return whether credit would be offered under a consent that is for services only."""
    return purpose != Purpose.MARKETING and kind == ProductKind.CREDIT_OFFER


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product as a text lists it.

    Attributes:
        cost: All-in cost a year; None where rate, term or fees are not known.
        partners: (name, first day, last day or None) on the list of partners, of who charges.
    """

    name: str
    cost: Decimal | None
    partners: tuple[tuple[str, date, date | None], ...] = ()


class OfferFaultCode(StrEnum):
    """Why a product may not be offered."""

    COST_ABOVE_CAP = "cost_above_cap"
    COST_UNKNOWN = "cost_unknown"
    PARTNER_NOT_LISTED = "partner_not_listed"


@dataclass(frozen=True, slots=True)
class OfferFault:
    """What is wrong with a listed product, with values for the words."""

    code: OfferFaultCode
    severity: RuleSeverity
    facts: Mapping[str, str]


# Costs are told and judged in hundredths of a percent: 24.00 % keeps the line, 24.01 % does not.
_HUNDREDTH = Decimal("0.0001")


def offer_faults(products: Iterable[ListedProduct], rules: RulesInForce) -> list[OfferFault]:
    """Return what is wrong with the products that a text lists, by the rules of the day."""
    found: list[OfferFault] = []
    for product in products:
        found += _cost_faults(product, rules)
        found += _partner_faults(product, rules)
    return found


def _cost_faults(product: ListedProduct, rules: RulesInForce) -> list[OfferFault]:
    if product.cost is None:
        severity = rules.severity_of(RuleCheck.COST_KNOWN)
        if severity is None:
            return []
        facts = {"product": product.name}
        return [OfferFault(OfferFaultCode.COST_UNKNOWN, severity, facts)]
    cost = product.cost.quantize(_HUNDREDTH)
    return [
        OfferFault(
            OfferFaultCode.COST_ABOVE_CAP,
            rule.severity,
            {"product": product.name, "cost": f"{cost * 100:.2f}", "cap": f"{cap * 100:.2f}"},
        )
        for rule, cap in rules.cost_caps()
        if cost > cap
    ][:1]


def _partner_faults(product: ListedProduct, rules: RulesInForce) -> list[OfferFault]:
    severity = rules.severity_of(RuleCheck.PARTNER_LISTED)
    if severity is None:
        return []
    return [
        OfferFault(
            OfferFaultCode.PARTNER_NOT_LISTED, severity, {"product": product.name, "partner": name}
        )
        for name, since, until in product.partners
        if since > rules.day or (until is not None and until < rules.day)
    ]
