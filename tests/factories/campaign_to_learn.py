"""A campaign that is over and held a group out by chance; its effect is known: it was put in."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np

from campaigns.models import Dispatch, Message
from campaigns.services.campaigns import authoring, launch
from customers.models import AttributeDefinition, AttributeValue, Customer, Event, EventType
from tests.factories.campaigns import make_channel, spec, submit_and_approve

GOAL = "application_submitted"
WARMTH = "warmth"


def make_warm_people(count, *, now, seed=5, prefix="w"):
    """Create people with a number that was written down long ago; nobody can be reached."""
    rng = np.random.default_rng(seed)
    warmth = np.round(rng.normal(0, 1, count) * 3, 4)
    before = now - timedelta(days=400)
    people = [
        Customer(
            # PostgreSQL's sequences go on from test to test; who is held out follows from the key.
            pk=ord(prefix) * 1_000_000 + at,
            external_id=f"{prefix}{at}",
            gender="female" if at % 2 else "male",
            created_at=before,
            updated_at=before,
        )
        for at in range(count)
    ]
    Customer.objects.bulk_create(people)
    definition = AttributeDefinition.objects.get_or_create(
        name=WARMTH, value_type="number", label_zh="热度", label_en="warmth"
    )[0]
    AttributeValue.objects.bulk_create(
        AttributeValue(
            customer=person, definition=definition, number=Decimal(str(value)), updated_at=before
        )
        for person, value in zip(people, warmth.tolist(), strict=True)
    )
    return people, warmth


def make_campaign(people, warmth, *, actor, now, is_null=False, slug="trial", holdout=0.4, seed=9):
    """Launch a campaign to everybody a month ago, and let people reach its goal.

    The message raises the chance of the goal by 30 points for the warm and lowers it by 20 for the
    cold; or, where `is_null`, by 5 points for all. Half of those to be written to get no message.
    """
    launched = now - timedelta(days=30)
    if not Dispatch.objects.exists():
        make_channel()
    campaign = authoring.create_campaign(
        source=spec(slug=slug, holdout_share=holdout), actor=actor, now=launched
    )
    # The same people are held out in every run of a test.
    campaign.experiment_salt = UUID(int=seed)
    campaign.save(update_fields=["experiment_salt"])
    submit_and_approve(campaign, actor, launched)
    dispatch = launch.launch_campaign(campaign=campaign, actor=actor, now=launched)
    Message.objects.filter(dispatch=dispatch, is_control=True).update(state="held_out")
    rows = Message.objects.filter(dispatch=dispatch, is_control=False)
    rows.update(state="sent", sent_at=launched + timedelta(hours=1))
    unsent = rows.order_by("customer_id").values_list("pk", flat=True)[::2]
    Message.objects.filter(pk__in=unsent).update(state="failed", sent_at=None)
    held_out = dict(
        Message.objects.filter(dispatch=dispatch).values_list("customer_id", "is_control")
    )
    rng = np.random.default_rng(seed)
    uplift = np.full(len(people), 0.05) if is_null else 0.05 + 0.25 * np.tanh(warmth)
    treated = np.array([not held_out[person.pk] for person in people])
    reached = rng.random(len(people)) < 0.3 + uplift * treated
    kind = EventType.objects.get_or_create(name=GOAL)[0]
    Event.objects.bulk_create(
        Event(
            customer=person,
            type=kind,
            occurred_at=launched + timedelta(days=2),
            received_at=now,
            source="test",
            dedup_key=f"{slug}-{person.pk}",
        )
        for at, person in enumerate(people)
        if reached[at]
    )
    return campaign, uplift
