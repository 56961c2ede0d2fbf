"""The audit trail is held against anchors outside the database, daily and by command."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db.models import F

from campaigns import tasks
from loancrm.kernel import roles
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.auditing import audit, deployment
from loancrm.kernel.models import AuditEntry, AuditHead, Deployment

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


@pytest.fixture
def _own_places(settings):
    """The deployment is known in this test's folder alone."""
    settings.LOANCRM_ANCHOR_DIR = settings.LOANCRM_VAR_DIR / "deployments"
    settings.REDIS_URL = ""


def _restore_to(count):
    """Bring the trail to what a backup of its first entries holds."""
    kept = list(AuditEntry.objects.order_by("pk")[:count])
    AuditEntry.objects.filter(pk__gt=kept[-1].pk).delete()
    AuditHead.objects.update(entry_count=count, entry_hash=kept[-1].entry_hash)


def _compliance():
    roles.ensure_roles()
    user = User.objects.create_user("li", is_staff=True)
    user.groups.set(Group.objects.filter(name="approver"))
    return user


def _live(actor, now, days=5):
    found = []
    for day in range(days):
        _write(actor, now, 2)
        found.append(audit.verify_and_anchor(now=now + timedelta(days=day)).is_intact)
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_places")
def test_e10_after_an_accepted_restore_the_daily_look_is_satisfied_and_finds_changes(
    actor, now, capsys
):
    deployment.current()
    _write(actor, now, 8)
    _run(capsys)
    _restore_to(5)
    assert _live(actor, now) == [False] * 5
    _compliance()
    call_command("verify_audit", "--accept", "dump of Sunday", "--as", "li")
    assert _live(actor, now) == [True] * 5
    accepted = AuditEntry.objects.get(action="audit.restore_accepted")
    assert (accepted.reason, accepted.actor_label) == ("dump of Sunday", "li")
    assert accepted.facts["anchored_entries"] == 8
    AuditEntry.objects.filter(object_id="1", action="thing.done").update(reason="another")
    _rewrite()
    assert audit.verify().is_intact
    assert _run(capsys)[1] == 1


@pytest.mark.usefixtures("_own_places")
def test_e10_only_a_person_who_may_accepts_and_only_what_a_restore_leaves(actor, now, capsys):
    deployment.current()
    _write(actor, now, 8)
    _run(capsys)
    li = user_actor(_compliance())
    with pytest.raises(audit.NotAccepted):
        audit.accept_restore(actor=li, reason="nothing is wrong", now=now)
    _restore_to(5)
    nobody = user_actor(User.objects.create_user("wang"))
    with pytest.raises(PermissionRefused):
        audit.accept_restore(actor=nobody, reason="x", now=now)
    for actor_given, reason in ((actor, "x"), (li, " ")):
        with pytest.raises(audit.NotAccepted):
            audit.accept_restore(actor=actor_given, reason=reason, now=now)
    AuditEntry.objects.filter(object_id="1").update(reason="another")
    with pytest.raises(audit.NotAccepted):
        audit.accept_restore(actor=li, reason="x", now=now)


@pytest.mark.usefixtures("_own_places")
def test_e10_whoever_writes_the_tables_accepts_nothing(actor, now, capsys):
    deployment.current()
    _write(actor, now, 8)
    _run(capsys)
    _restore_to(5)
    Deployment.objects.update(epoch=F("epoch") + 1)
    audit.record(
        actor=actor, action="audit.restore_accepted", object_type="thing", object_id=1, now=now
    )
    assert _run(capsys)[1] == 1


@pytest.mark.usefixtures("_own_places")
def test_e10_anchors_say_whose_they_are_and_another_databases_count_for_nothing(
    actor, now, capsys, settings
):
    row = deployment.current()
    _write(actor, now)
    _run(capsys)
    (line,) = (settings.LOANCRM_VAR_DIR / "anchors" / "audit.jsonl").read_text().splitlines()
    anchor = json.loads(line)
    assert (anchor["deployment"], anchor["epoch"]) == (str(row.public_id), row.epoch)
    # Another database begins with the same folder.
    Deployment.objects.all().delete()
    _restore_to(2)
    facts, code = _run(capsys)
    assert (facts["is_intact"], facts["anchors"], code) == (True, 0, 0)


@pytest.mark.usefixtures("_own_places")
def test_e10_anchors_from_before_they_named_a_deployment_still_count(actor, now, capsys, settings):
    deployment.current()
    _write(actor, now)
    path = settings.LOANCRM_VAR_DIR / "anchors" / "audit.jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps({"at": "x", "entries": 4, "head": "f" * 64}))
    assert _run(capsys)[1] == 1


def test_d_one_spelling_and_one_query_for_everything_about_an_object(actor, now, django_user_model):
    user = django_user_model.objects.create_user("somebody")
    for name in ("user", "auth.user", "auth.User"):
        audit.record(actor=actor, action="a", object_type=name, object_id=user.pk, now=now)
    audit.record(actor=actor, action="a", object_type="user", object_id=user.pk + 1, now=now)
    assert {entry.object_type for entry in audit.about(user)} == {"auth.User"}
    assert audit.about(user).count() == 3
