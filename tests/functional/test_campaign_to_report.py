"""A campaign is launched, sent through the memory channel, and reported to the last person."""

import random
from datetime import timedelta

import pytest

from analytics.services import reports
from campaigns.channels import registry
from campaigns.models import Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.domain.events.event import ReportedEvent
from customers.models import ConsentState
from customers.services.events import log
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def test_the_report_of_a_campaign_run_here_adds_up_to_its_messages(actor, now):
    make_channel()
    people = make_people(120)
    ConsentState.objects.filter(customer__in=people[:20]).delete()
    launched = make_launched(actor, now, holdout_share=0.4)
    ticking.advance(now=now)
    dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=now)
    treated = list(launched.messages.filter(is_control=False).values_list("customer_id", flat=True))
    refused = {person.pk for person in people[:20]}
    sent = sorted(set(treated) - refused)
    control = sorted({person.pk for person in people} - set(treated) - refused)
    later = now + timedelta(days=1)
    log.append_events(
        events=[
            ReportedEvent(
                source="app",
                external_id="",
                customer_id=customer_id,
                name="application_submitted",
                occurred_at=later,
                dedup_key=str(customer_id),
            )
            for customer_id in [*sent[:30], *control[:3], *sorted(refused)[:5]]
        ],
        now=later,
    )

    young = reports.report_campaign(actor=actor, slug="spring", now=later)
    ripe = reports.report_campaign(actor=actor, slug="spring", now=now + timedelta(days=8))

    assert (young.figures["conversion_rate"].value, young.counts.converted) == (None, 30)
    assert young.figures["conversion_rate"].excluded_count == len(sent)
    assert Message.objects.filter(state="skipped").count() == 20
    counts = ripe.counts
    assert (counts.audience, counts.held_out) == (120, 120 - len(treated))
    assert (counts.eligible, counts.sent, counts.converted) == (len(sent), len(sent), 30)
    rate, base = ripe.figures["conversion_rate"], ripe.figures["control_conversion_rate"]
    assert (rate.numerator, rate.denominator) == (30, len(sent))
    assert (base.numerator, base.denominator) == (3, len(control))
    assert ripe.figures["lift"].value == pytest.approx(30 / len(sent) - 3 / len(control))
    assert not ripe.allocation["holdout"].is_off
