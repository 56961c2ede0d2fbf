"""The life of a filing: what may be changed, where it may go, and what ends it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from campaigns.domain.filing.filing import FILING_MOVES, FilingKind, FilingStatus
from campaigns.models import Filing
from campaigns.services.filing import filings
from campaigns.services.filing.filings import FiledValues, ProviderFilingRefused
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.campaigns import make_approver, make_channel

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TEMPLATE = FiledValues(
    name="开通", kind=FilingKind.TEMPLATE, text="您好${name}", variables={"name": "name"}
)


@pytest.fixture
def channel():
    return make_channel("sms", filing_demand="signature", filing_idle_days=180)


def save(channel, actor, now, values=FiledValues(name="【示例金融】"), filing=None):  # noqa: B008 - frozen
    return filings.save_filing(channel=channel, values=values, actor=actor, now=now, filing=filing)


def move(row, actor, now, *path, reason="why"):
    for to in path:
        row = filings.move_filing(filing=row, to=to, actor=actor, now=now, reason=reason)
    return row


def test_g15_a_filing_keeps_its_dates_reason_and_trail(actor, now, channel):
    row = save(channel, actor, now)
    assert row.name == "示例金融"
    row = move(row, actor, now, FilingStatus.SUBMITTED, FilingStatus.REFUSED, reason="no licence")
    assert (row.submitted_at, row.decided_at, row.refusal) == (now, now, "no licence")
    row = move(row, actor, now, FilingStatus.SUBMITTED, FilingStatus.APPROVED)
    assert row.refusal == ""
    entries = AuditEntry.objects.filter(object_id=str(row.pk)).order_by("pk")
    assert [entry.action for entry in entries] == [
        "filing.added", "filing.submitted", "filing.refused", "filing.submitted",
        "filing.approved",
    ]  # fmt: skip


@pytest.mark.parametrize("source", FilingStatus)
@pytest.mark.parametrize("target", FilingStatus)
def test_g15_only_the_moves_of_the_table_are_made(actor, now, channel, source, target):
    row = save(channel, actor, now)
    Filing.objects.filter(pk=row.pk).update(status=source, decided_at=now)
    if target in FILING_MOVES[source]:
        assert move(row, actor, now, target).status == target
        return
    with pytest.raises(ProviderFilingRefused):
        move(row, actor, now, target)
    row.refresh_from_db()
    assert row.status == source


def test_g15_a_refusal_says_why(actor, now, channel):
    row = move(save(channel, actor, now), actor, now, FilingStatus.SUBMITTED)
    with pytest.raises(ProviderFilingRefused):
        move(row, make_approver(), now, FilingStatus.REFUSED, reason=" ")


def test_g15_what_was_handed_in_is_not_changed(actor, now, channel):
    row = move(save(channel, actor, now), actor, now, FilingStatus.SUBMITTED)
    with pytest.raises(ProviderFilingRefused):
        save(channel, actor, now, FiledValues(name="另一个"), row)
    changed = save(channel, actor, now, FiledValues(name="示例金融", evidence="contract 7"), row)
    assert changed.evidence == "contract 7"


@pytest.mark.parametrize(
    "values",
    [
        FiledValues(name=""),
        FiledValues(name="开通", kind=FilingKind.TEMPLATE),
        FiledValues(name="开通", kind=FilingKind.TEMPLATE, text="您好${name}"),
        FiledValues(
            name="开通", kind=FilingKind.TEMPLATE, text="您好${a}", variables={"a": "__x__()"}
        ),
        FiledValues(name="开通", kind=FilingKind.TEMPLATE, text="您好", variables={"name": "name"}),
    ],
)
def test_g15_what_cannot_be_filed_is_refused(actor, now, channel, values):
    with pytest.raises(ProviderFilingRefused):
        save(channel, actor, now, values)
    assert not Filing.objects.exists()


def test_g15_one_signature_is_filed_once_with_a_channel(actor, now, channel):
    save(channel, actor, now)
    with pytest.raises(ProviderFilingRefused):
        save(channel, actor, now)


def test_g15_an_approved_template_has_its_number(actor, now, channel):
    row = move(save(channel, actor, now, TEMPLATE), actor, now, FilingStatus.SUBMITTED)
    with pytest.raises(ProviderFilingRefused):
        move(row, actor, now, FilingStatus.APPROVED)


def test_g15_only_who_may_changes_filings(now, channel):
    stranger = user_actor(User.objects.create(username="stranger"))
    with pytest.raises(PermissionRefused):
        save(channel, stranger, now)


@pytest.mark.parametrize(
    ("used_days", "expires_in", "days", "status"),
    [
        (None, None, 179, "approved"),
        (None, None, 180, "cleared"),
        (100, None, 279, "approved"),
        (100, None, 280, "cleared"),
        (170, 200, 200, "approved"),
        (170, 200, 201, "expired"),
    ],
)
def test_g15_what_is_unused_or_has_run_out_ends(
    actor, now, channel, used_days, expires_in, days, status
):
    row = move(save(channel, actor, now), actor, now, FilingStatus.SUBMITTED, FilingStatus.APPROVED)
    Filing.objects.filter(pk=row.pk).update(
        last_used_at=now + timedelta(days=used_days) if used_days else None,
        expires_on=now.date() + timedelta(days=expires_in) if expires_in else None,
    )
    filings.end_lapsed(actor=actor, now=now + timedelta(days=days))
    row.refresh_from_db()
    assert row.status == status
