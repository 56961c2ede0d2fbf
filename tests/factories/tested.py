"""Campaigns whose texts are tested, and people who do something about them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from campaigns.models import Campaign, Dispatch, LinkVisit, Message, TrackedLink
from customers.models import Event, EventType
from tests.factories.campaigns import EMAIL

# Wide enough that two opt-outs of the fewest people whom chance puts in an arm are borne.
MARGINS = {"opted_out": "0.3", "complained": "0.3"}


def variants(count: int = 2) -> list[dict[str, Any]]:
    """Return variants of one weight, A first."""
    return [{"key": key, "weight": 1, "content": EMAIL} for key in "ABC"[:count]]


def with_test(share: str | None = "0.5", arms: int = 2, **changes: Any) -> dict[str, Any]:
    """Return what a campaign whose texts are tested says of its message."""
    plan = {"test_share": share, "margins": MARGINS, **changes}
    return {"variants": variants(arms), "content": None, "experiment": plan}


def send(run: Dispatch, at: datetime) -> None:
    """Let a run be over, with everybody written to who is no control."""
    left = run.messages.filter(state="planned")
    left.filter(is_control=True).update(state="held_out", reason="holdout", closed_at=at)
    left.filter(is_control=False).update(state="sent", sent_at=at, attempted_at=at)
    run.chunks.update(state="done")
    Dispatch.objects.filter(pk=run.pk).update(status="completed", completed_at=at)


def let_click(campaign: Campaign, rates: dict[str, float], at: datetime) -> None:
    """Let shares of the test's people click, by variant; the first ones of each."""
    run = Dispatch.objects.get(campaign=campaign, run_number=1, position=1)
    link = TrackedLink.objects.create(dispatch=run, target="https://example.com/offer")
    for key, rate in rates.items():
        mine = list(run.messages.filter(variant__key=key, state="sent").order_by("pk"))
        LinkVisit.objects.bulk_create(
            LinkVisit(link=link, message=message, at=at)
            for message in mine[: round(rate * len(mine))]
        )


def did(campaign: Campaign, event: str, key: str, count: int, at: datetime) -> None:
    """Let some people of a variant do something."""
    kind, _new = EventType.objects.get_or_create(name=event)
    mine = Message.objects.filter(dispatch__campaign=campaign, variant__key=key, state="sent")
    Event.objects.bulk_create(
        Event(
            customer_id=customer,
            type=kind,
            occurred_at=at,
            received_at=at,
            source="test",
            dedup_key=f"{event}:{customer}",
        )
        for customer in mine.order_by("pk").values_list("customer_id", flat=True)[:count]
    )


def converted(customers: Iterable[int], at: datetime) -> None:
    """Let people reach the usual goal."""
    kind, _new = EventType.objects.get_or_create(name="application_submitted")
    Event.objects.bulk_create(
        Event(
            customer_id=pk,
            type=kind,
            occurred_at=at,
            received_at=at,
            source="test",
            dedup_key=f"applied:{pk}",
        )
        for pk in customers
    )
