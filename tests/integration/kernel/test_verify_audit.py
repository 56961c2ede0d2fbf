"""The audit trail is held against anchors outside the database, daily and by command."""

import json

import pytest
from django.core.management import CommandError, call_command

from campaigns import tasks
from loancrm.kernel import audit
from loancrm.kernel.models import AuditEntry, AuditHead

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.LOANCRM_VAR_DIR = tmp_path


def _write(actor, now, count=4):
    for number in range(count):
        audit.record(
            actor=actor, action="thing.done", object_type="thing", object_id=number, now=now
        )


def _rewrite():
    """Make the chain whole again as somebody would who can write the tables."""
    previous = audit.GENESIS
    entries = list(AuditEntry.objects.order_by("pk"))
    for entry in entries:
        entry.previous_hash = previous
        entry.entry_hash = audit._digest(entry)
        previous = entry.entry_hash
        AuditEntry.objects.filter(pk=entry.pk).update(
            previous_hash=entry.previous_hash, entry_hash=entry.entry_hash
        )
    AuditHead.objects.update(entry_count=len(entries), entry_hash=previous)


def _run(capsys):
    code = 0
    try:
        call_command("verify_audit", "--json")
    except CommandError:
        code = 1
    return json.loads(capsys.readouterr().out.splitlines()[-1]), code


def test_e10_an_untouched_trail_fits_its_anchors_again_and_again(actor, now, capsys):
    _write(actor, now)
    assert _run(capsys)[1] == 0
    _write(actor, now)
    facts, code = _run(capsys)
    assert (facts["is_intact"], facts["entries"], facts["anchors"], code) == (True, 9, 1, 0)


def test_f64_a_trail_that_was_rewritten_with_its_head_shows(actor, now, capsys):
    _write(actor, now)
    _run(capsys)
    AuditEntry.objects.filter(object_id="1", action="thing.done").update(reason="another")
    _rewrite()
    assert audit.verify().is_intact
    facts, code = _run(capsys)
    assert (facts["is_intact"], facts["broken_anchor"], code) == (False, 4, 1)


def test_f64_a_tail_that_was_cut_with_the_head_shows(actor, now, capsys):
    _write(actor, now)
    _run(capsys)
    AuditEntry.objects.filter(object_id__in=["2", "3"]).delete()
    AuditEntry.objects.filter(action="audit.verified").delete()
    _rewrite()
    assert audit.verify().is_intact
    facts, code = _run(capsys)
    assert (facts["is_intact"], facts["is_truncated"], code) == (False, True, 1)


def test_e10_what_the_daily_look_finds_is_on_the_page_of_the_trail(
    actor, now, admin_client, caplog
):
    _write(actor, now)
    AuditEntry.objects.filter(object_id="1").update(reason="another")
    tasks.verify_audit()
    assert AuditEntry.objects.filter(action="audit.broken").count() == 1
    assert any("audit trail" in record.getMessage() for record in caplog.records)
    page = admin_client.get("/admin/kernel/auditentry/", follow=True).content.decode()
    assert "锚点不符" in page or "does not fit its anchors" in page


def test_d_one_spelling_and_one_query_for_everything_about_an_object(actor, now, django_user_model):
    user = django_user_model.objects.create_user("somebody")
    for name in ("user", "auth.user", "auth.User"):
        audit.record(actor=actor, action="a", object_type=name, object_id=user.pk, now=now)
    audit.record(actor=actor, action="a", object_type="user", object_id=user.pk + 1, now=now)
    assert {entry.object_type for entry in audit.about(user)} == {"auth.User"}
    assert audit.about(user).count() == 3
