"""Customers with known facts, written to the database and kept as profiles beside it.

The profiles are built from the same Python values as the rows, never read back from the database.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from customers.domain.segments.evaluate import CustomerFacts, EventFact, StandingConsent
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ConsentState,
    Customer,
    Event,
    EventType,
    Loan,
    Product,
    Score,
    Segment,
    SegmentMember,
)

NOW = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
# Companies' zones: NOW is another day in the west than in the east, and two of them change clocks.
ZONES = (
    ZONE,
    ZoneInfo("America/New_York"),
    ZoneInfo("Pacific/Auckland"),
    ZoneInfo("UTC"),
)
TODAY = date(2026, 4, 1)  # 16:30 UTC is half past midnight in Shanghai
SECOND = timedelta(seconds=1)

CITIES = ("", "上海", "上饶", "Ab", "ab", "a%b", "a_b", "é", "É")
BIRTH_DATES = (
    None,
    date(2008, 4, 1),
    date(2008, 4, 2),
    date(2008, 2, 29),
    date(1990, 3, 31),
    date(1961, 12, 1),
    date(2026, 4, 2),
)
STAGES = ("lead", "active", "dormant")
NUMBERS = (None, Decimal(-5), Decimal(0), Decimal("0.1"), Decimal("0.3"), Decimal(5))
PLANS = (None, "", "a", "B", "b")
DAYS = (
    None,
    TODAY,
    TODAY - timedelta(days=7),
    TODAY - timedelta(days=8),
    TODAY + timedelta(days=7),
    # Today, and seven days around it, where it is still the day before.
    TODAY - timedelta(days=1),
    TODAY + timedelta(days=6),
)
FLAGS = (None, True, False)
MODELS = ("propensity", "churn")
SCORES = (None, Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal("0.999999"))
AMOUNTS = (None, Decimal("0.10"), Decimal("0.20"), Decimal(-1), Decimal("99.99"))
CHANNELS = ("", "app", "web")
SUBJECTS = ("", "cash", "card")
EVENTS = ("app_login", "repayment_made")
SEGMENT_EVENTS = ("segment_entered", "segment_left")
AGES_OF_EVENTS = (
    timedelta(0),
    SECOND,
    timedelta(days=7) - SECOND,
    timedelta(days=7),
    timedelta(days=7) + SECOND,
    timedelta(days=30),
    timedelta(days=31),
    timedelta(days=200, microseconds=1),
    -SECOND,
)
CREATED = (
    datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 31, 16, 0, tzinfo=UTC),
    datetime(2026, 3, 24, 16, 0, tzinfo=UTC),
    datetime(2026, 3, 24, 15, 59, 59, 999999, tzinfo=UTC),
    datetime(2020, 1, 1, tzinfo=UTC),
    # Midnight in Auckland, New York and UTC, seven days before today there, and just before it.
    datetime(2026, 3, 24, 11, 0, tzinfo=UTC),
    datetime(2026, 3, 24, 10, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 24, 4, 0, tzinfo=UTC),
    datetime(2026, 3, 24, 3, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 24, 0, 0, tzinfo=UTC),
    datetime(2026, 3, 23, 23, 59, 59, tzinfo=UTC),
    # The hour that New York left out, seen from its midnight before and after.
    datetime(2026, 3, 8, 5, 0, tzinfo=UTC),
    datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC),
)
DISBURSED = (
    date(2026, 4, 1),
    date(2026, 3, 1),
    date(2026, 3, 2),
    date(2025, 4, 1),
    date(2024, 2, 29),
    date(2026, 5, 1),
)
PRODUCTS = (None, "cash", "card")
STATUSES = ("active", "overdue", "settled")
DPDS = (0, 1, 30, 31)
CONSENTS = (("sms", "marketing"), ("email", "marketing"))


@dataclass(frozen=True, slots=True)
class Fixed:
    """Rows that every customer shares."""

    definitions: dict[str, AttributeDefinition]
    types: dict[str, EventType]
    products: dict[str | None, Product | None]
    listed: Segment


def write_fixed() -> Fixed:
    types = {"number": "number", "plan": "text", "since": "day", "vip": "flag"}
    return Fixed(
        definitions={
            name: AttributeDefinition.objects.create(name=name, value_type=kind)
            for name, kind in types.items()
        },
        types={name: EventType.objects.create(name=name) for name in (*EVENTS, *SEGMENT_EVENTS)},
        products={None: None}
        | {code: Product.objects.create(code=code, name_zh=code) for code in PRODUCTS if code},
        listed=Segment.objects.create(slug="listed", name="名单", kind="static", created_at=NOW),
    )


def write_customer(
    *,
    columns: dict | None = None,
    attributes: dict | None = None,
    consents: dict | None = None,
    scores: dict | None = None,
    loans: list | None = None,
    events: list | None = None,
    is_listed: bool = False,
    fixed: Fixed,
) -> tuple[int, CustomerFacts]:
    """Write one customer and return its id and its profile."""
    stored = {"created_at": NOW, "updated_at": NOW, "language": "zh-hans"} | (columns or {})
    customer = Customer.objects.create(**stored)
    read = {
        name: stored.get(name, Customer._meta.get_field(name).get_default())
        for name in (
            *("birth_date", "gender", "province", "city", "occupation", "marital"),
            *("lifecycle_stage", "personalisation_allowed", "created_at", "updated_at"),
        )
    }
    read["id"] = customer.pk
    _write_attributes(customer, attributes or {}, fixed)
    for (channel, purpose), state in (consents or {}).items():
        ConsentState.objects.create(
            customer=customer,
            channel=channel,
            purpose=purpose,
            is_granted=state.is_granted,
            expires_at=state.expires_at,
            changed_at=NOW,
        )
    for model, value in (scores or {}).items():
        for version, number, is_latest in (("1", Decimal("0.5"), False), ("2", value, True)):
            Score.objects.create(
                customer=customer,
                model_name=model,
                version=version,
                value=number,
                scored_at=NOW,
                is_latest=is_latest,
            )
    for position, loan in enumerate(loans or []):
        _write_loan(customer, position, loan, fixed)
    for position, event in enumerate(events or []):
        _write_event(customer, position, event, fixed)
    if is_listed:
        SegmentMember.objects.create(segment=fixed.listed, customer=customer, entered_at=NOW)
    return customer.pk, CustomerFacts(
        columns=read,
        attributes={f"attribute.{name}": value for name, value in (attributes or {}).items()},
        consents=consents or {},
        scores=scores or {},
        loans=loans or [],
        events=events or [],
        segments=frozenset({"listed"} if is_listed else ()),
    )


_COLUMNS = {"number": "number", "plan": "text", "since": "day", "vip": "flag"}


def _write_attributes(customer: Customer, attributes: dict, fixed: Fixed) -> None:
    for name, value in attributes.items():
        AttributeValue.objects.create(
            customer=customer,
            definition=fixed.definitions[name],
            updated_at=NOW,
            **{_COLUMNS[name]: value},
        )


def _write_loan(customer: Customer, position: int, loan: dict, fixed: Fixed) -> None:
    stored = {key: value for key, value in loan.items() if key != "product__code"}
    Loan.objects.create(
        customer=customer,
        source="test",
        external_id=f"{customer.pk}/{position}",
        product=fixed.products[loan.get("product__code")],
        term_months=12,
        **stored,
    )


def _write_event(customer: Customer, position: int, event: EventFact, fixed: Fixed) -> None:
    Event.objects.create(
        customer=customer,
        type=fixed.types[event.name],
        occurred_at=event.occurred_at,
        received_at=NOW,
        source="test",
        dedup_key=f"{customer.pk}/{position}",
        **event.properties,
    )


def random_customer(rng: random.Random, fixed: Fixed) -> tuple[int, CustomerFacts]:
    """Write a customer of values that lie on and beside the edges which random rules ask about."""
    attributes = {"number": NUMBERS, "plan": PLANS, "since": DAYS, "vip": FLAGS}
    scores = {model: rng.choice(SCORES) for model in MODELS}
    expiries = (None, NOW, NOW + SECOND, NOW - SECOND)
    return write_customer(
        columns={
            "birth_date": rng.choice(BIRTH_DATES),
            "city": rng.choice(CITIES),
            "lifecycle_stage": rng.choice(STAGES),
            "personalisation_allowed": rng.random() < 0.5,
            "created_at": rng.choice(CREATED),
        },
        attributes={n: rng.choice(pool) for n, pool in attributes.items() if rng.random() < 0.6},
        consents={
            key: StandingConsent(rng.random() < 0.6, rng.choice(expiries))
            for key in CONSENTS
            if rng.random() < 0.7
        },
        scores={model: value for model, value in scores.items() if value is not None},
        loans=[_random_loan(rng) for _ in range(rng.choice((0, 0, 1, 2, 3)))],
        events=[_random_event(rng) for _ in range(rng.choice((0, 0, 1, 2, 5, 9)))],
        is_listed=rng.random() < 0.4,
        fixed=fixed,
    )


def _random_loan(rng: random.Random) -> dict:
    return {
        "status": rng.choice(STATUSES),
        "dpd_days": rng.choice(DPDS),
        "max_dpd_days": rng.choice(DPDS),
        "outstanding_amount": rng.choice((Decimal(0), Decimal("99.99"), Decimal(5000))),
        "principal_amount": Decimal(5000),
        "disbursed_on": rng.choice(DISBURSED),
        "product__code": rng.choice(PRODUCTS),
    }


def _random_event(rng: random.Random) -> EventFact:
    if rng.random() < 0.2:
        subject = {"subject": rng.choice(("listed", "ruled")), "channel": "", "amount": None}
        return EventFact(rng.choice(SEGMENT_EVENTS), NOW - rng.choice(AGES_OF_EVENTS), subject)
    return EventFact(
        rng.choice(EVENTS),
        NOW - rng.choice(AGES_OF_EVENTS),
        {
            "amount": rng.choice(AMOUNTS),
            "channel": rng.choice(CHANNELS),
            "subject": rng.choice(SUBJECTS),
        },
    )
