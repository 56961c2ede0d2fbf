import pytest

from loancrm.kernel.auditing import audit
from loancrm.kernel.models import AuditEntry, AuditHead

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def write(actor, now, count=4):
    for number in range(count):
        audit.record(
            actor=actor,
            action="thing.done",
            object_type="thing",
            object_id=number,
            now=now,
            facts={"名称": "春季", "count": number},
        )


def test_an_untouched_chain_is_intact(actor, now):
    write(actor, now)
    assert audit.verify() == audit.ChainVerification(
        entries=4, first_bad_id=None, is_truncated=False
    )


@pytest.mark.parametrize(
    "change",
    [{"reason": "x"}, {"actor_label": "somebody"}, {"facts": {}}, {"object_id": "9"}],
)
def test_an_edited_entry_is_named(actor, now, change):
    write(actor, now)
    second = AuditEntry.objects.order_by("pk")[1]
    AuditEntry.objects.filter(pk=second.pk).update(**change)
    assert audit.verify().first_bad_id == second.pk


def test_a_removed_entry_is_named_by_the_one_after_it(actor, now):
    write(actor, now)
    first, second, third, _fourth = AuditEntry.objects.order_by("pk")
    second.delete()
    assert audit.verify().first_bad_id == third.pk
    assert first.pk < third.pk


def test_a_cut_tail_is_noticed(actor, now):
    write(actor, now)
    AuditEntry.objects.order_by("pk").last().delete()
    verification = audit.verify()
    assert verification.is_truncated
    assert not verification.is_intact


def test_the_head_counts_entries(actor, now):
    write(actor, now, count=3)
    assert AuditHead.objects.get().entry_count == 3
