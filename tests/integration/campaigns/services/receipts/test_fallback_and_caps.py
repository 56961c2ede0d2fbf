"""The lender's own cap counts who was reached, not what was tried."""

from datetime import timedelta

import pytest

from campaigns.domain.receipts.report import DeliveryKind
from campaigns.models import Dispatch, FrequencyRule
from campaigns.services.receipts import reports
from tests.factories.campaigns import SMS, make_channel, make_launched, spec
from tests.factories.people import make_people
from tests.integration.campaigns.services.consents.test_refusals import _reply, drain

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.mark.parametrize("kind", [DeliveryKind.BOUNCED_HARD, DeliveryKind.FAILED])
def test_d_a_fallback_after_a_bounce_is_not_stopped_by_the_lenders_own_cap(actor, now, kind):
    channel, _email = make_channel("sms"), make_channel()
    bounced, delivered = make_people(2)
    FrequencyRule.objects.create(window_hours=24, max_count=1)
    launched = make_launched(
        actor,
        now,
        channel="sms-memory",
        content=SMS,
        fallback_channel="email-memory",
        fallback_content=spec()["content"],
        fallback_after_minutes=30,
    )
    drain(now)
    kinds = {bounced.pk: kind, delivered.pk: DeliveryKind.DELIVERED}
    for message in launched.messages.all():
        event = _reply(
            f"r{message.pk}",
            now,
            kind=kinds[message.customer_id],
            text="",
            message_key=f"m{message.pk}",
        )
        reports.apply_events(actor=actor, channel=channel, events=[event], now=now)
    drain(now + timedelta(minutes=31))
    fallback = Dispatch.objects.exclude(pk=launched.pk).get()
    assert list(fallback.messages.values_list("customer_id", "state")) == [(bounced.pk, "sent")]
