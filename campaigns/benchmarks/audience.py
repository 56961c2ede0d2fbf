"""People, a channel and an approved campaign for the benchmarks of sending."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User

from campaigns.benchmarks import texts
from campaigns.channels import registry
from campaigns.domain.sending.channel_finding import ChannelFinding
from campaigns.models import Campaign, Channel, FrequencyRule
from campaigns.services.campaigns import approval, authoring
from campaigns.services.channels import testing
from customers.models import ConsentState, ContactPoint, Customer, Product
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor, user_actor
from loancrm.kernel.database import bulk
from loancrm.kernel.security import crypto

BATCH = 2000
CHANNEL = "relay"
_CONTENT = {
    "email": {"subject": texts.SUBJECT, "text": texts.TEXT, "html": texts.HTML},
    "sms": {"text": texts.SMS},
}
_KINDS = {"email": ("email", texts.address), "sms": ("phone", texts.mobile)}


def make_people(count: int, *channels: str) -> None:
    """Write customers who may be reached through kinds of channels, and the products on offer."""
    Product.objects.bulk_create(
        Product(
            code=f"product-{number}",
            name_zh=product.name,
            annual_rate=product.annual_rate,
            max_amount=product.max_amount,
            term_months=product.term_months,
        )
        for number, product in enumerate(texts.PRODUCTS)
    )
    at = datetime(2025, 1, 1, tzinfo=UTC)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        people = [_person(number, at) for number in numbers]
        Customer.objects.bulk_create(people, batch_size=500)
        ContactPoint.objects.bulk_create(
            [
                _point(person, number, channel, at)
                for number, person in zip(numbers, people, strict=True)
                for channel in channels
            ],
            batch_size=500,
        )
        ConsentState.objects.bulk_create(
            [
                ConsentState(
                    customer=person,
                    channel=channel,
                    purpose="marketing",
                    is_granted=True,
                    changed_at=at,
                )
                for person in people
                for channel in channels
            ],
            batch_size=500,
        )
    for model in (Customer, ContactPoint, ConsentState):
        bulk.refresh_statistics(model)


def _person(number: int, at: datetime) -> Customer:
    context = texts.person(number)
    person = Customer(
        external_id=f"bench{number}",
        gender="female" if number % 2 else "male",
        city=context["city"],
        birth_date=date(1985, 1, 1),
        created_at=at,
        updated_at=at,
    )
    person.name_sealed = crypto.vault().seal(
        Customer.NAME_COLUMN, person.public_id, context["name"]
    )
    return person


def _point(person: Customer, number: int, channel: str, at: datetime) -> ContactPoint:
    kind, value_of = _KINDS[channel]
    point = ContactPoint(row_key=uuid4(), customer=person, kind=kind, created_at=at)
    vault, value = crypto.vault(), value_of(number)
    point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, value)
    point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, value)
    return point


def make_channel(*, kind: str, backend: str, options: dict[str, Any], slug: str = CHANNEL) -> None:
    """Add a channel that campaigns use."""
    sender = texts.SENDER if kind == "email" else texts.LENDER["brand"]
    Channel.objects.create(
        slug=slug, name=slug, kind=kind, backend=backend, options=options, sender=sender
    )


def show_keys(*, slug: str = CHANNEL) -> None:
    """Test a channel whose provider is said to remember keys, as an operator does before use.

    Raises:
        RuntimeError: The test did not show it.
    """
    tested = testing.test_channel(
        channel=Channel.objects.get(slug=slug),
        to=texts.mobile(99_999_999),
        actor=system_actor("bench"),
        now=clock.now(),
    )
    registry.close_all()
    if tested.finding is not ChannelFinding.KEYS_SHOWN:
        raise RuntimeError(tested)


def make_rule() -> None:
    """Add a frequency rule that has to be checked and stops nobody."""
    FrequencyRule.objects.create(window_hours=24, max_count=1000)


def make_approved(number: int, *, kind: str, **changes: Any) -> Campaign:
    """Return an approved campaign to everybody.

    Args:
        changes: Further parts of its description.
    """
    actor = system_actor("bench")
    now = clock.now()
    campaign = authoring.create_campaign(
        source={
            "slug": f"bench-{number}",
            "name": "bench",
            "goal": {"event": "application_submitted", "window_days": 7},
            "segment": {"rule": {"combinator": "and", "rules": []}},
            "channel": CHANNEL,
            "content": {"zh-hans": _CONTENT[kind]},
            **changes,
        },
        actor=actor,
        now=now,
    )
    approver, _created = User.objects.get_or_create(username="bench", is_superuser=True)
    authoring.submit_for_review(campaign=campaign, actor=actor, now=now)
    approval.approve_campaign(
        campaign=campaign,
        seen_digest=approval.campaign_digest(campaign),
        actor=user_actor(approver),
        now=now,
    )
    campaign.refresh_from_db()
    return campaign
