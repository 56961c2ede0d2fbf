"""Who is told of what, once each, in the admin and by e-mail."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.experiments.content_test import ContentTestState
from campaigns.domain.notices.kinds import MailState, NoticeKind
from campaigns.domain.sending.states import DispatchStatus, HoldReason
from campaigns.models import Campaign, ContentTest, Dispatch, Notice
from campaigns.selectors.notices import reading
from campaigns.services.campaigns import approval, authoring
from campaigns.services.notices import notifying, own
from loancrm.kernel import clock, roles
from loancrm.kernel.access import user_actor
from loancrm.kernel.database import leases
from loancrm.kernel.manifest import Role
from tests.factories.campaigns import make_channel, make_launched, spec
from tests.factories.tested import with_test

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _person(name: str, *of: Role) -> User:
    roles.ensure_roles()
    user = User.objects.create_user(name, f"{name}@lender.example", is_staff=True)
    user.groups.add(*Group.objects.filter(name__in=of))
    return User.objects.get(pk=user.pk)


def _tell() -> int:
    return notifying.notify_people(holder="test", now=clock.now())


def _told(kind: NoticeKind) -> list[str]:
    rows = Notice.objects.filter(kind=kind).order_by("reader__username")
    return list(rows.values_list("reader__username", flat=True))


@pytest.fixture
def mara() -> User:
    make_channel()
    return _person("mara", Role.MARKETER, Role.APPROVER)


@pytest.fixture
def bob(mara) -> User:
    return _person("bob", Role.APPROVER)


@pytest.fixture
def submitted(mara, bob) -> Campaign:
    campaign = authoring.create_campaign(source=spec(), actor=user_actor(mara), now=clock.now())
    return authoring.submit_for_review(campaign=campaign, actor=user_actor(mara), now=clock.now())


def test_approvers_are_told_once_but_not_who_wrote_it(submitted, bob):
    _person("ana", Role.ANALYST)
    gone = _person("gone", Role.APPROVER)
    User.objects.filter(pk=gone.pk).update(is_active=False)

    assert (_tell(), _tell()) == (1, 0)

    assert _told(NoticeKind.APPROVAL_WAITS) == ["bob"]
    (sent,) = mail.outbox
    assert sent.to == [bob.email]
    assert submitted.name in sent.subject
    assert reverse("admin:campaigns_campaign_change", args=[submitted.pk]) in sent.body


def test_what_is_decided_waits_for_nobody_and_what_is_submitted_again_does(submitted, mara, bob):
    actor = user_actor(bob)
    _tell()
    approval.reject_campaign(campaign=submitted, actor=actor, now=clock.now(), comment="利率不全")

    assert _tell() == 1
    assert reading.unread_count(bob) == 0
    (told,) = reading.notices_of(mara)
    assert (told.kind, told.comment) == (NoticeKind.REFUSED, "利率不全")
    assert "利率不全" in mail.outbox[-1].body

    authoring.submit_for_review(campaign=submitted, actor=user_actor(mara), now=clock.now())
    assert _tell() == 1
    assert reading.unread_count(bob) == 1


def test_an_author_is_told_of_a_hold_and_again_only_when_it_is_held_anew(mara):
    make_launched(user_actor(mara), clock.now())
    hold = {"status": DispatchStatus.HELD, "hold_reason": HoldReason.LATE}

    Dispatch.objects.update(**hold)
    assert (_tell(), _tell()) == (1, 0)
    Dispatch.objects.update(status=DispatchStatus.RUNNING, hold_reason="")
    assert _tell() == 0
    assert reading.unread_count(mara) == 0
    Dispatch.objects.update(**hold)

    assert _tell() == 1
    assert _told(NoticeKind.HELD) == ["mara", "mara"]
    assert len(mail.outbox) == 2


def test_a_held_run_is_shown_but_mailed_by_the_mail_that_tells_of_it_anyway(mara):
    make_launched(user_actor(mara), clock.now())
    Campaign.objects.update(run_hold_reason=HoldReason.RUN_FAILS)

    assert _tell() == 1
    assert reading.unread_count(mara) == 1
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (CampaignStatus.COMPLETED, NoticeKind.ENDED),
        (CampaignStatus.CANCELLED, NoticeKind.CANCELLED),
    ],
)
def test_an_author_is_told_of_the_end_within_a_week_of_it(mara, status, kind):
    make_launched(user_actor(mara), clock.now())
    Campaign.objects.update(status=status, updated_at=clock.now() - timedelta(days=8))
    assert _tell() == 0
    Campaign.objects.update(updated_at=clock.now())
    assert (_tell(), _tell()) == (1, 0)
    assert _told(kind) == ["mara"]


def test_nobody_is_mailed_about_what_they_do_not_want_mail_of(submitted, bob):
    own.choose_mails(reader=bob, choices={NoticeKind.APPROVAL_WAITS: False})
    _tell()
    assert mail.outbox == []
    assert reading.unread_count(bob) == 1
    own.choose_mails(reader=bob, choices={NoticeKind.APPROVAL_WAITS: True})
    _tell()
    assert mail.outbox == []


def test_a_mail_that_is_not_taken_is_tried_again_later_and_given_up(submitted, bob, monkeypatch):
    calls = []

    def refuse(*_args: object) -> int:
        calls.append(1)
        raise SMTPServerDisconnected("away")

    with monkeypatch.context() as patch:
        patch.setattr(notifying, "send_mail", refuse)
        _tell()
        _tell()
        # Not before its pause has passed.
        assert len(calls) == 1
        for _time in range(notifying.MOST_FAILURES):
            Notice.objects.update(mail_after=None)
            _tell()
    assert len(calls) == notifying.MOST_FAILURES
    assert Notice.objects.get().mail_state == MailState.GIVEN_UP
    _tell()
    assert mail.outbox == []


def test_two_workers_do_not_tell_at_once(submitted):
    assert leases.claim(name=notifying.LEASE, holder="other", seconds=60)
    assert _tell() == 0
    assert Notice.objects.count() == 0


def test_many_notices_of_one_reader_are_one_mail(submitted, mara, bob):
    second = authoring.create_campaign(
        source=spec(slug="second"), actor=user_actor(mara), now=clock.now()
    )
    authoring.submit_for_review(campaign=second, actor=user_actor(mara), now=clock.now())
    assert _tell() == 2
    assert len(mail.outbox) == 1
    assert set(Notice.objects.values_list("mail_state", flat=True)) == {MailState.SENT}


def test_telling_costs_as_many_queries_for_one_as_for_many(mara, bob):
    def cost(slugs: list[str]) -> int:
        for slug in slugs:
            made = authoring.create_campaign(
                source=spec(slug=slug), actor=user_actor(mara), now=clock.now()
            )
            authoring.submit_for_review(campaign=made, actor=user_actor(mara), now=clock.now())
        with CaptureQueriesContext(connection) as queries:
            assert _tell() == len(slugs)
        return len(queries)

    assert cost(["a1"]) == cost(["b1", "b2", "b3"])


def test_the_bell_counts_and_the_page_marks_only_ones_own(submitted, mara, bob):
    _tell()
    other = Notice.objects.create(
        reader=mara, kind=NoticeKind.ENDED, thing="x", campaign=submitted,
        at=clock.now(), mail_state=MailState.SENT,
    )  # fmt: skip
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(bob)
    page = client.get(reverse("admin:campaigns_notices"))
    (bell,) = page.context["bells"]
    assert (bell["badge"], bell["link"]) == (1, reverse("admin:campaigns_notices"))
    assert f"活动“{submitted.name}”等您审批。" in page.content.decode()

    for named in (str(other.pk), "no number"):
        client.post(reverse("admin:campaigns_notices_mark"), {"notice": named})
    assert (reading.unread_count(bob), reading.unread_count(mara)) == (1, 1)
    client.post(reverse("admin:campaigns_notices_mark"))
    assert (reading.unread_count(bob), reading.unread_count(mara)) == (0, 1)
    assert "badge" not in client.get(reverse("admin:campaigns_notices")).context["bells"][0]


def test_the_page_keeps_what_is_to_be_mailed(bob):
    client = Client()
    client.force_login(bob)
    client.post(reverse("admin:campaigns_notices_choose"), {"mail": ["held"]})
    chosen = reading.choices_of(bob)
    assert [kind for kind, is_mailed in chosen.items() if is_mailed] == [NoticeKind.HELD]


def test_whoever_wrote_a_campaign_is_told_that_a_person_chooses_its_text(mara):
    campaign = make_launched(user_actor(mara), clock.now(), **with_test()).campaign
    assert _told(NoticeKind.WINNER_ASKED) == []
    ContentTest.objects.update(state=ContentTestState.WAITING)

    assert (_tell(), _tell()) == (1, 0)
    assert _told(NoticeKind.WINNER_ASKED) == ["mara"]
    assert campaign.name in mail.outbox[-1].subject

    ContentTest.objects.update(state=ContentTestState.DECIDED)
    _tell()
    assert reading.unread_count(mara) == 0
