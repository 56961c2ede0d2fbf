"""What a system asks for leaves at once, however much of a campaign waits on the same channel."""

import random
import time
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.models import Chunk, Message
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from customers.domain.sources import SourceKind
from loancrm.kernel import clock
from tests.factories.campaigns import SMS, make_channel, make_launched
from tests.factories.people import make_people
from tests.factories.templates import make_template
from tests.partner_client import new_partner

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
# Everybody's turn would come after more than half an hour.
AUDIENCE = 2_000
CODE = "482913"


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=2)], ids=["new", "aged"])
def test_a_code_overtakes_a_campaign_of_thousands_at_one_a_second(age, actor, now, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: now)
    sms = make_channel("sms", rate_per_second=1)
    make_template(sms, now)
    people = make_people(AUDIENCE)
    make_launched(actor, now, channel="sms-memory", content=SMS)
    ticking.advance(now=now)
    Chunk.objects.update(due_at=now - age)
    system = new_partner("core", kind=SourceKind.OWN_SYSTEM)
    provider = registry.shared(name="sms-memory", backend="memory", options={})
    asked_at = []

    def ask(message):
        # In the middle of the campaign, while the worker has one of its chunks in hand.
        if len(provider.delivered) == 2 and not asked_at:
            call = {
                "template": "login-code",
                "priority": "urgent",
                "messages": [{"customer": str(people[-1].public_id), "variables": {"code": CODE}}],
            }
            assert system.post("messages", call, key="k1").status_code == 202
            asked_at.append((time.monotonic(), len(provider.delivered)))

    provider.answer = ask

    def has_left():
        return any(CODE in sent.payload.text for sent in provider.delivered)

    dispatch.drain(
        holder="w1",
        clock=lambda: now,
        rng=random.Random(1),
        slice_seconds=30,
        should_stop=has_left,
        advance=lambda: ticking.advance(now=now),
    )

    took = time.monotonic() - asked_at[0][0]
    texts = [sent.payload.text for sent in provider.delivered]
    (place,) = [at for at, text in enumerate(texts) if CODE in text]
    # The one that was on its way when the call came, and at most one whose slot was taken.
    assert place - asked_at[0][1] <= 2
    assert took < 10
    waiting = Message.objects.filter(dispatch__source="step", state="planned")
    assert waiting.count() > AUDIENCE - 10
