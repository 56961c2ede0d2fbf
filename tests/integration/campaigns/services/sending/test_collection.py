"""Collection as it is sent: who may write it, whom it reaches, how often a day (d23)."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User

from campaigns.models import Campaign, Dispatch, Message
from campaigns.selectors.sending import contact_facts, message_plan
from campaigns.services.campaigns import authoring
from campaigns.services.sending import dispatch
from campaigns.services.sending.chunks import claim
from campaigns.services.sending.deciding import decide_and_write
from campaigns.services.sending.flights import HandOver
from campaigns.services.sending.lane import Lane
from customers.models import ContactPoint
from loancrm.kernel.access import PermissionRefused, user_actor
from tests.factories.campaigns import make_channel, make_launched, spec
from tests.factories.loans import make_loan
from tests.factories.people import make_people
from tests.integration.campaigns.services.consents.test_refusals import drain

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TEXT = {"zh-hans": {"text": "尊敬的{{ name }}，您的贷款已逾期，请尽快还款。"}}
COLLECTION = {
    "channel": "sms-memory",
    "content": TEXT,
    "purpose": "service",
    "service_kind": "collection",
}


def _debtors(count, dpd_days=1):
    people = make_people(count)
    for number, person in enumerate(people):
        make_loan(person, f"l{number}", date(2026, 1, 1), dpd_days=dpd_days)
    return people


def _collect(actor, now, slug):
    return make_launched(actor, now, slug=slug, **COLLECTION)


def test_d23_only_who_is_overdue_is_written_to(actor, now):
    make_channel("sms")
    _debtors(1)
    make_people(1, prefix="q")
    _collect(actor, now, "c")
    drain(now)
    found = Message.objects.order_by("customer__external_id").values_list("state", "reason")
    assert list(found) == [("sent", ""), ("skipped", "not_overdue")]


def test_d23_nobody_elses_address_is_written_to(actor, now):
    make_channel("sms")
    debtor, other = _debtors(1)[0], make_people(1, prefix="q")[0]
    shared = debtor.contact_points.get(kind="phone").value_index
    # Somebody else gave the same number beside her own.
    ContactPoint.objects.filter(customer=other, kind="phone").update(
        value_index=shared, is_primary=False
    )
    _collect(actor, now, "c")
    drain(now)
    assert Message.objects.get(customer=debtor).reason == "third_party"
    other.merged_into = debtor
    other.save()
    run = _collect(actor, now, "again")
    drain(now)
    assert Message.objects.get(dispatch=run, customer=debtor).state == "sent"


def test_d23_the_seventh_try_of_a_day_is_refused_over_all_channels(actor, now):
    make_channel("sms")
    make_channel("email")
    _debtors(1)
    mail = {"zh-hans": {"subject": "还款", "text": "尊敬的{{ name }}，请尽快还款。"}}
    for number in range(7):
        at = now + timedelta(minutes=number)
        if number % 2:
            make_launched(
                actor,
                at,
                slug=f"c{number}",
                **{**COLLECTION, "channel": "email-memory", "content": mail},
            )
        else:
            _collect(actor, at, f"c{number}")
        drain(at)
    found = Message.objects.order_by("dispatch_id").values_list("state", "reason")
    assert list(found) == [("sent", "")] * 6 + [("skipped", "collection_tries")]
    tomorrow = now + timedelta(days=1)
    run = _collect(actor, tomorrow, "next")
    drain(tomorrow)
    assert Message.objects.get(dispatch=run).state == "sent"


def test_d23_the_tries_are_counted_once_more_when_a_message_is_marked(actor, now):
    """Two dispatches decided at the same moment: the sixth try goes out, the seventh does not."""
    make_channel("sms")
    _debtors(1)
    for number in range(5):
        _collect(actor, now, f"c{number}")
        drain(now)
    runs = [_collect(actor, now, slug) for slug in ("sixth", "seventh")]
    Dispatch.objects.filter(pk__in=[run.pk for run in runs]).update(status="running")
    lane = Lane(holder="w1", clock=lambda: now, rng=random.Random(1))
    works = [dispatch._prepare(claim(holder="w1", now=now), lane) for _run in runs]
    decided = [decide_and_write(work, lane, ids=None, now=now)[0] for work in works]
    assert [len(composed) for composed in decided] == [1, 1]
    for work, composed in zip(works, decided, strict=True):
        HandOver(work, lane, now).run(composed)
    found = Message.objects.filter(dispatch__in=runs).order_by("state")
    assert sorted((m.state, m.reason) for m in found)[1] == ("skipped", "collection_tries")
    assert {m.state for m in found} & {"sent", "sending"}


def test_d23_at_22_00_it_waits_for_08_00(actor):
    make_channel("sms")
    _debtors(2)
    late = datetime(2026, 3, 4, 13, 59, 59, tzinfo=UTC)
    _collect(actor, late, "late")
    drain(late)
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    closed = late + timedelta(seconds=1)
    run = _collect(actor, closed, "closed")
    drain(closed)
    waiting = Message.objects.filter(dispatch=run)
    assert set(waiting.values_list("state", "due_at")) == {
        ("planned", datetime(2026, 3, 5, 0, tzinfo=UTC))
    }


def test_d23_writing_it_is_a_right_of_its_own(now):
    make_channel("sms")
    user = User.objects.create_user("m")
    rights = ("author_campaign", "send_service_messages", "add_segment")
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    source = spec(**COLLECTION)
    with pytest.raises(PermissionRefused):
        authoring.create_campaign(
            source=source, actor=user_actor(User.objects.get(pk=user.pk)), now=now
        )
    assert not Campaign.objects.exists()
    user.user_permissions.add(Permission.objects.get(codename="send_collection_messages"))
    authoring.create_campaign(
        source=source, actor=user_actor(User.objects.get(pk=user.pk)), now=now
    )
    assert Campaign.objects.get().service_kind == "collection"


def test_d23_collection_reads_its_facts_in_few_queries(actor, now, django_assert_max_num_queries):
    make_channel("sms")
    people = _debtors(3)
    run = _collect(actor, now, "c")
    plan = message_plan.plan_of(run, now=now)
    with django_assert_max_num_queries(14):
        contact_facts.load_prospects(
            customer_ids=[person.pk for person in people], plan=plan, now=now
        )
