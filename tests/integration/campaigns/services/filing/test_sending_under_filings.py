"""Nothing goes out under a signature or a template that the provider has not approved just now."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from campaigns.channels import registry
from campaigns.domain.filing.filing import FilingKind, FilingStatus
from campaigns.models import Channel, Dispatch, Filing, Message, StandIn
from campaigns.selectors.content import faults
from campaigns.services.campaigns import approval, authoring, previews, ticking
from campaigns.services.filing import filings
from campaigns.services.filing.filings import FiledValues
from campaigns.services.sending import dispatch, settling
from tests.factories.campaigns import make_approved, make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TEXT = {"zh-hans": {"text": "尊敬的{{ name }}{{ title }}，您的专属服务已开通。"}}


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def channel():
    return make_channel("sms", filing_demand="signature")


def file(channel, actor, now, *, to=FilingStatus.APPROVED, **values):
    row = filings.save_filing(
        channel=channel, values=FiledValues(**{"name": "示例金融", **values}), actor=actor, now=now
    )
    filings.move_filing(filing=row, to=FilingStatus.SUBMITTED, actor=actor, now=now)
    if to is not FilingStatus.SUBMITTED:
        row = filings.move_filing(filing=row, to=to, actor=actor, now=now, reason="why")
    return row


def template(
    channel, actor, now, *, text="尊敬的${name}${t}，您的专属服务已开通。拒收请回复R", **changes
):
    values = {
        "kind": FilingKind.TEMPLATE, "name": "开通", "text": text, "provider_code": "SMS_1",
        "variables": {"name": "name", "t": "title"},
    }  # fmt: skip
    return file(channel, actor, now, **{**values, **changes})


def launched(actor, now, count=3, **changes):
    make_people(count)
    return make_launched(actor, now, channel="sms-memory", content=TEXT, **changes)


def drain(at, holder="w1"):
    ticking.advance(now=at)
    dispatch.drain(holder=holder, clock=lambda: at, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=at)


def fates():
    return Counter(Message.objects.values_list("state", "reason"))


def sent(channel):
    return registry.shared(name=channel.slug, backend="memory", options={}).delivered


def held():
    row = Dispatch.objects.get()
    return row.status, row.hold_reason


def test_g15_what_is_approved_goes_out_and_its_use_is_noted(actor, now, channel):
    row = file(channel, actor, now)
    launched(actor, now)
    drain(now)
    assert fates() == {("sent", ""): 3}
    row.refresh_from_db()
    assert row.last_used_at == now


@pytest.mark.parametrize("to", [FilingStatus.REFUSED, FilingStatus.CLEARED, FilingStatus.EXPIRED])
def test_g15_a_cleared_signature_stops_its_channel_and_others_go_on(actor, now, channel, to):
    row = file(channel, actor, now)
    other = make_channel("sms", slug="other", filing_demand="signature")
    file(other, actor, now)
    launched(actor, now)
    going = make_launched(actor, now, slug="autumn", channel="other", content=TEXT)
    filings.move_filing(filing=row, to=to, actor=actor, now=now, reason="idle")
    drain(now)
    stopped = Dispatch.objects.exclude(pk=going.pk).get()
    going.refresh_from_db()
    assert (stopped.status, stopped.hold_reason) == ("held", "signature_not_filed")
    assert going.status == "completed"
    assert (len(sent(channel)), len(sent(other))) == (0, 3)
    # Nobody is failed for it.
    assert set(stopped.messages.values_list("state", flat=True)) == {"planned"}


def test_g15_an_approval_that_has_run_out_counts_no_more(actor, now, channel):
    file(channel, actor, now, expires_on=now.date())
    launched(actor, now)
    drain(now + timedelta(hours=20))
    assert held() == ("held", "signature_not_filed")


def test_g15_a_signature_cleared_between_deciding_and_marking_stops_the_mark(
    actor, now, channel, monkeypatch
):
    row = file(channel, actor, now)
    launched(actor, now)
    step = settling.step

    def clear_first(**given):
        Filing.objects.filter(pk=row.pk).update(status=FilingStatus.CLEARED)
        return step(**given)

    monkeypatch.setattr(settling, "step", clear_first)
    drain(now)
    assert sent(channel) == []
    assert held() == ("held", "signature_not_filed")
    assert fates() == {("planned", ""): 3}


@pytest.fixture
def filed(actor, now):
    """A channel whose provider wants every template approved, with its signature."""
    channel = make_channel("sms", filing_demand="template")
    file(channel, actor, now)
    return channel


def test_g15_a_filed_template_goes_out_as_its_number_and_values(actor, now, filed):
    template(filed, actor, now)
    launched(actor, now)
    drain(now)
    assert fates() == {("sent", ""): 3}
    payload = sent(filed)[0].payload
    assert payload.filed.code == "SMS_1"
    assert payload.filed.values == {"name": "客户1", "t": "女士"}
    assert payload.text == "【示例金融】尊敬的客户1女士，您的专属服务已开通。拒收请回复R"


def test_g15_a_finished_text_that_is_no_filed_template_is_blocked(actor, now, filed):
    template(filed, actor, now)
    launched(actor, now)
    Filing.objects.filter(kind="template").update(text="尊敬的${name}${t}，您的服务已开通。")
    drain(now)
    assert fates() == {("skipped", "template_mismatch"): 3}
    assert sent(filed) == []


def test_g15_a_template_that_is_not_approved_now_holds_the_dispatch(actor, now, filed):
    row = template(filed, actor, now)
    template(filed, actor, now, name="另一", text="另一${name}${t}", provider_code="SMS_2")
    launched(actor, now)
    filings.move_filing(filing=row, to=FilingStatus.CLEARED, actor=actor, now=now, reason="why")
    drain(now)
    assert held() == ("held", "template_not_filed")
    assert fates() == {("planned", ""): 3}


def codes(actor, now, **changes):
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=TEXT, **changes), actor=actor, now=now
    )
    found = [item for item in faults.findings_of(campaign, now=now) if item.is_blocking]
    assert all(item.place.part == "text" for item in found)
    return [item.problem.code.value for item in found]


@pytest.mark.parametrize("to", [FilingStatus.SUBMITTED, FilingStatus.REFUSED, None])
def test_f6_an_unfiled_signature_is_a_finding_at_the_approval(actor, now, channel, to):
    if to is not None:
        file(channel, actor, now, to=to)
    assert codes(actor, now) == ["signature_not_filed"]


def test_f6_a_filed_signature_is_none(actor, now, channel):
    file(channel, actor, now)
    assert codes(actor, now) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"to": FilingStatus.REFUSED}, ["template_not_filed"]),
        ({"text": "尊敬的${name}${t}，服务已开通。"}, ["template_mismatch"]),
        # The values of two variables the wrong way round.
        ({"variables": {"name": "title", "t": "name"}}, ["template_mismatch"]),
    ],
)
def test_f6_a_text_that_is_no_approved_template_is_a_finding(actor, now, filed, changes, found):
    template(filed, actor, now, **changes)
    assert codes(actor, now) == found


def test_g15_a_channel_that_stands_in_sends_under_its_own_signature(actor, now, channel):
    file(channel, actor, now)
    other = make_channel("sms", slug="other", filing_demand="signature", sender="另一金融")
    StandIn.objects.create(channel=channel, other=other, position=1)
    launched(actor, now)
    Channel.objects.filter(pk=channel.pk).update(blocked_at=now, blocked_reason="login")
    drain(now)
    # It has none that is approved, so it does not stand in.
    assert fates() == {("planned", ""): 3}
    file(other, actor, now, name="另一金融")
    drain(now)
    assert fates() == {("sent", ""): 3}
    assert sent(other)[0].payload.text.startswith("【另一金融】")


def send_test(actor, now):
    campaign = authoring.create_campaign(
        source=spec(channel="sms-memory", content=TEXT), actor=actor, now=now
    )
    step = campaign.steps.get()
    (customer,) = make_people(1)
    previews.send_test(
        campaign=campaign, step=step, variant=step.touchpoint.variants.get(), customer=customer,
        to="13800138000", actor=actor, now=now,
    )  # fmt: skip


def test_g15_a_test_goes_out_as_its_number_and_values_too(actor, now, filed):
    template(filed, actor, now)
    send_test(actor, now)
    (message,) = sent(filed)
    assert message.payload.filed.code == "SMS_1"
    assert message.payload.filed.values == {"name": "客户1", "t": "女士"}


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("${name}${t}的服务已开通。", FilingStatus.APPROVED),
        (None, FilingStatus.CLEARED),
        (None, None),
    ],
)
def test_g15_a_test_that_the_provider_would_drop_is_not_sent(actor, now, filed, text, to):
    if to is not None:
        row = template(filed, actor, now, **({"text": text} if text else {}))
        template(filed, actor, now, name="另一", text="另一${name}${t}", provider_code="SMS_2")
        Filing.objects.filter(pk=row.pk).update(status=to)
    else:
        Filing.objects.filter(kind="signature").update(status=FilingStatus.CLEARED)
    with pytest.raises(previews.TestSendRefused):
        send_test(actor, now)
    assert sent(filed) == []


@pytest.mark.parametrize("is_cleared", [False, True])
def test_g5_nobody_is_skipped_for_the_templates_of_a_channel_that_stands_in(
    actor, now, channel, is_cleared
):
    file(channel, actor, now)
    other = make_channel("sms", slug="other", filing_demand="template")
    file(other, actor, now)
    StandIn.objects.create(channel=channel, other=other, position=1)
    launched(actor, now)
    Channel.objects.filter(pk=channel.pk).update(blocked_at=now, blocked_reason="login")
    drain(now)
    # It has no template at all, so it does not stand in.
    assert fates() == {("planned", ""): 3}
    assert held() == ("running", "")
    template(other, actor, now, text="另一${name}${t}")
    if is_cleared:
        row = template(other, actor, now, name="那个", provider_code="SMS_2")
        Filing.objects.filter(pk=row.pk).update(status=FilingStatus.CLEARED)
    drain(now)
    # The text is none that it may send: the own channel is waited for.
    assert fates() == {("planned", "template_mismatch"): 3}
    assert held() == ("running", "")
    Channel.objects.filter(pk=channel.pk).update(blocked_at=None, blocked_reason="")
    drain(now + timedelta(minutes=1))
    assert fates() == {("sent", ""): 3}
    assert (len(sent(channel)), len(sent(other))) == (3, 0)


@pytest.mark.parametrize(
    ("sender", "state", "standing"),
    [
        ("别家金融", "planned", ("held", "changed_stand_ins")),
        # Nobody reads anything that the approver has not read.
        ("示例金融", "sent", ("completed", "")),
    ],
)
def test_c1_nothing_goes_out_under_a_signature_that_the_approver_never_saw(
    actor, now, sender, state, standing
):
    own = make_channel("sms")
    launched(actor, now)
    other = make_channel("sms", slug="other", sender=sender)
    StandIn.objects.create(channel=own, other=other, position=1)
    Channel.objects.filter(pk=own.pk).update(blocked_at=now, blocked_reason="login")
    drain(now)
    assert fates() == {(state, ""): 3}
    assert held() == standing


def test_c1_the_signature_of_a_channel_that_stands_in_is_part_of_the_approval(actor, now):
    own = make_channel("sms")
    campaign = make_approved(actor, now, channel="sms-memory", content=TEXT)
    other = make_channel("sms", slug="other", sender="示例金融")
    StandIn.objects.create(channel=own, other=other, position=1)
    assert approval.is_approved(campaign)
    Channel.objects.filter(pk=other.pk).update(sender="别家金融")
    assert not approval.is_approved(campaign)
