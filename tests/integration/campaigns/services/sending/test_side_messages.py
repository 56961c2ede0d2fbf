"""Reports about tests and confirmations: no false alarm, and no refusal lost."""

import pytest

from campaigns.channels import registry
from campaigns.domain.receipts.report import OPEN_PROBLEMS, DeliveryEvent, DeliveryKind
from campaigns.models import Channel, Receipt, SideMessage, Suppression
from campaigns.services.campaigns import authoring, previews
from campaigns.services.channels import testing
from campaigns.services.receipts import reports
from tests.factories.campaigns import make_channel, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def channel():
    return make_channel("sms")


def _reported(actor, now, channel, *, name="r1", kind=DeliveryKind.DELIVERED, **changes):
    values = {
        "provider_event_id": name,
        "kind": kind,
        "provider_message_id": "",
        "message_key": "",
        "occurred_at": now,
        **changes,
    }
    reports.apply_events(actor=actor, channel=channel, events=[DeliveryEvent(**values)], now=now)


def _waiting():
    return Receipt.objects.filter(problem__in=OPEN_PROBLEMS).count()


@pytest.mark.parametrize(
    "key",
    [
        "o17",
        "o17.a122f445bb1",
        "t0",
        "t" + "a1" * 16,
        "<o17@lender.example>",
        "<t5@lender.example>",
    ],
)
def test_u34_a_report_about_a_test_or_a_confirmation_is_no_alarm(actor, now, channel, key):
    _reported(actor, now, channel, message_key=key)
    assert _waiting() == 0
    assert Receipt.objects.get().is_applied


def test_u34_a_report_by_the_providers_id_alone_fits_a_channels_test(actor, now, channel):
    testing.test_channel(channel=channel, to="+8613800138000", actor=actor, now=now)
    known = SideMessage.objects.get().provider_message_id
    _reported(actor, now, channel, provider_message_id=known)
    assert _waiting() == 0


def test_u34_a_report_that_overtook_its_test_is_settled_by_the_next_try(actor, now):
    channel = make_channel()
    make_people(1)
    campaign = authoring.create_campaign(source=spec(), actor=actor, now=now)
    step = campaign.steps.get()
    (customer,) = previews.examples(campaign=campaign, step=step, now=now)
    _reported(actor, now, channel, provider_message_id="early")
    assert _waiting() == 1
    previews.send_test(
        campaign=campaign, step=step, variant=step.touchpoint.variants.first(), customer=customer,
        to="colleague@lender.example", actor=actor, now=now,
    )  # fmt: skip
    SideMessage.objects.update(provider_message_id="early")
    reports.retry_quarantined(actor=actor, channel=channel, now=now)
    assert _waiting() == 0


def test_u34_what_nobody_knows_still_waits(actor, now, channel):
    _reported(actor, now, channel, message_key="m999999")
    _reported(actor, now, channel, name="r2", provider_message_id="foreign")
    _reported(actor, now, channel, name="r3", message_key="other-system-7")
    assert _waiting() == 3


def test_u34_a_refusal_of_a_confirmation_is_never_taken_as_read(actor, now, channel):
    refusal = {"kind": DeliveryKind.REPLIED, "text": "TD", "message_key": "o17"}
    _reported(actor, now, channel, **refusal)
    assert _waiting() == 1
    _reported(actor, now, channel, name="r2", **refusal, address="13812345678")
    assert _waiting() == 1
    assert Suppression.objects.get().reason == "opted_out"
    assert Channel.objects.count() == 1
