"""After a restore, a copy or a long standstill nothing goes out until a person has confirmed."""

import random
from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from campaigns.channels import registry
from campaigns.domain.receipts.report import key_space_of, message_id_of, message_key
from campaigns.models import Dispatch, LedgerEntry, Message
from campaigns.services.campaigns import launch, previews, ticking
from campaigns.services.channels import sending_confirmation, testing
from campaigns.services.channels.sending_confirmation import NotConfirmed, NothingToConfirm
from campaigns.services.consents import confirmations
from campaigns.services.sending import dispatch, ledger
from customers.models import Customer
from loancrm.kernel import roles
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.auditing import audit, deployment, deployment_anchors
from loancrm.kernel.auditing.deployment import SendingUnconfirmed
from loancrm.kernel.auditing.deployment_anchors import Anchor
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import AuditEntry, AuditHead, Deployment, Lease
from tests.factories.campaigns import make_approved, make_channel, make_launched
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _places(settings, tmp_path):
    settings.LOANCRM_ANCHOR_DIR = tmp_path
    settings.REDIS_URL = ""
    registry.close_all()


def sent() -> int:
    return len(registry.shared(name="email-memory", backend="memory", options={}).delivered)


def run(now) -> None:
    for _round in range(3):
        Lease.objects.all().delete()  # a tick later
        ticking.tick(holder="tick", now=now)
        dispatch.drain(holder="worker", clock=lambda: now, rng=random.Random(1), slice_seconds=30)
    confirmations.send_confirmations(now=now)


def person(name: str, *groups: str) -> User:
    roles.ensure_roles()
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def launched(actor, now) -> Dispatch:
    make_channel()
    make_people(3)
    return make_launched(actor, now)


def restore() -> None:
    """Let the place outside know of a hundred beats that the database has lost."""
    row = Deployment.objects.get()
    deployment_anchors.write(row.public_id, Anchor(beat=row.beat + 100, epoch=row.epoch))


def test_a8_a_database_that_was_never_restored_sends(launched, now):
    run(now)
    assert sent() == 3


def test_g11_a_restored_database_sends_nothing_until_a_person_confirms(launched, now, actor):
    restore()
    run(now)
    assert sent() == 0
    assert Deployment.objects.get().held_reason == "restored"
    with pytest.raises(NotConfirmed):
        sending_confirmation.confirm_sending(is_copy=False, actor=actor, now=now)
    li = user_actor(person("li", "approver"))
    assert sending_confirmation.confirm_sending(is_copy=False, actor=li, now=now) == 1
    # What was under way is released one by one.
    run(now)
    assert sent() == 0
    held = Dispatch.objects.select_related("campaign").get()
    assert (held.status, held.hold_reason) == ("held", "restored")
    ticking.resume_campaign(campaign=held.campaign, actor=li, now=now)
    run(now)
    assert sent() == 3
    assert AuditEntry.objects.filter(action="deployment.sending_confirmed").count() == 1


@pytest.mark.parametrize("first", ["worker", "tick"])
def test_a8_neither_a_worker_nor_the_tick_sends_from_a_restored_database(launched, now, first):
    ticking.tick(holder="tick", now=now)
    restore()
    if first == "worker":
        dispatch.drain(holder="w", clock=lambda: now, rng=random.Random(1), slice_seconds=5)
    else:
        ticking.tick(holder="tick", now=now)
    assert sent() == 0
    assert set(Message.objects.values_list("state", flat=True)) == {"planned"}


def test_a8_what_a_worker_looks_for_starts_nothing_on_a_restored_database(launched, now):
    restore()
    ticking.tick(holder="tick", now=now)
    assert Deployment.objects.get().held_reason == "restored"
    ticking.look(holder="w", now=now)
    assert Dispatch.objects.get().status == "scheduled"


def test_a8_a_database_at_a_place_that_does_not_know_it_sends_nothing(
    launched, now, settings, tmp_path
):
    settings.LOANCRM_ANCHOR_DIR = tmp_path / "another_host"
    run(now)
    assert sent() == 0
    assert Deployment.objects.get().held_reason == "moved"


@pytest.mark.parametrize(("hours", "reason"), [(-24 * 30, "standstill"), (48, "clock")])
def test_a8_a_standstill_or_a_jump_of_the_clock_waits_for_a_person(launched, now, hours, reason):
    Deployment.objects.update(last_seen_at=Moment(hours * 3600))
    run(now)
    assert sent() == 0
    assert Deployment.objects.get().held_reason == reason
    li = user_actor(person("li", "approver"))
    assert sending_confirmation.confirm_sending(is_copy=False, actor=li, now=now) == 0
    run(now)
    assert sent() == 3


@pytest.mark.parametrize("hours", [-1, 1])
def test_a8_an_hour_of_difference_stalls_nothing(launched, now, hours):
    Deployment.objects.update(last_seen_at=Moment(hours * 3600))
    run(now)
    assert sent() == 3


def test_a8_a_standstill_with_nothing_open_needs_nobody(actor, now):
    make_channel()
    make_people(1)
    campaign = make_approved(actor, now)
    deployment.current()
    Deployment.objects.update(last_seen_at=Moment(-90 * 24 * 3600))
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    run(now)
    assert sent() == 1


def test_a8_nothing_is_planned_with_old_keys_after_a_restore(launched, actor, now):
    restore()
    campaign = make_approved(actor, now, slug="second")
    with pytest.raises(SendingUnconfirmed):
        launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    campaign.refresh_from_db()
    assert campaign.status == "approved"
    before = launched.key_space
    li = user_actor(person("li", "approver"))
    sending_confirmation.confirm_sending(is_copy=False, actor=li, now=now)
    second = launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    assert second.key_space != before
    # What was planned before the backup keeps its keys: a provider that knows them recognises it.
    launched.refresh_from_db()
    assert launched.key_space == before


def test_a8_a_copy_has_an_identity_and_keys_of_its_own(launched, now, settings, tmp_path):
    original = Deployment.objects.get().public_id
    settings.LOANCRM_ANCHOR_DIR = tmp_path / "staging"
    run(now)
    li = user_actor(person("li", "approver"))
    sending_confirmation.confirm_sending(is_copy=True, actor=li, now=now)
    copied = Dispatch.objects.get()
    assert Deployment.objects.get().public_id != original
    assert (copied.status, copied.hold_reason) == ("held", "restored")
    assert copied.key_space != launched.key_space


def test_a8_a_key_names_its_deployment():
    key = message_key("1a2b3c4d5e1", 12)
    assert (message_id_of(key), key_space_of(key)) == (12, "1a2b3c4d5e1")
    assert message_id_of(f"<{key}@mail.example.com>") == 12


def test_a8_only_who_may_confirms_and_only_when_something_waits(launched, now):
    li = user_actor(person("li", "approver"))
    with pytest.raises(NothingToConfirm):
        sending_confirmation.confirm_sending(is_copy=False, actor=li, now=now)
    restore()
    with pytest.raises(PermissionRefused):
        sending_confirmation.confirm_sending(
            is_copy=False, actor=user_actor(person("wang", "marketer")), now=now
        )
    assert deployment.held_reason() is not None


def test_a8_the_command_takes_a_persons_word(launched, now, capsys):
    restore()
    person("li", "approver")
    call_command("confirm_sending", "--as", "li", "--json")
    assert deployment.held_reason() is None
    assert '"waiting_dispatches": 1' in capsys.readouterr().out


def test_a8_every_page_says_so_and_one_takes_the_word(launched, now):
    restore()
    ticking.tick(holder="tick", now=now)
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(
        person("li", "approver"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = browser.get(reverse("admin:campaigns_campaign_changelist"))
    assert b"Nothing is sent at present." in page.content
    address = reverse("admin:campaigns_sending")
    assert b"restored from a backup" in browser.get(address).content
    browser.post(address, {"as": "same"})
    assert deployment.waiting_for() is None
    assert b"Nothing is sent at present." not in browser.get(address).content


def test_a8_a_launch_long_after_its_start_is_held_and_says_so(actor, now):
    make_channel()
    make_people(1)
    start = (now - timedelta(days=12)).isoformat()
    campaign = make_approved(actor, now, schedule={"start_at": start, "late_limit_hours": 1})
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    held = Dispatch.objects.get()
    assert (held.status, held.hold_reason) == ("held", "late")
    run(now)
    assert sent() == 0


def test_a8_no_test_message_goes_out_either(launched, now, actor):
    restore()
    variant = launched.touchpoint.variants.get()
    with pytest.raises(SendingUnconfirmed):
        previews.send_test(
            campaign=launched.campaign,
            step=launched.step,
            variant=variant,
            customer=Customer.objects.first(),
            to="colleague@example.com",
            actor=actor,
            now=now,
        )
    with pytest.raises(SendingUnconfirmed):
        testing.test_channel(
            channel=launched.channel, to="colleague@example.com", actor=actor, now=now
        )
    assert sent() == 0
    sending_confirmation.confirm_sending(
        is_copy=False, actor=user_actor(person("li", "approver")), now=now
    )
    testing.test_channel(channel=launched.channel, to="colleague@example.com", actor=actor, now=now)
    assert sent() == 1


def _took_a_dump_too_late(now, var_dir, settings) -> None:
    """Anchor trail and ledgers, then lose what was added since the backup."""
    settings.LOANCRM_VAR_DIR = var_dir
    run(now)
    assert audit.verify_and_anchor(now=now).is_intact
    assert ledger.verify_and_anchor(now=now).is_intact
    first = AuditEntry.objects.order_by("pk").first()
    AuditEntry.objects.exclude(pk=first.pk).delete()
    AuditHead.objects.update(entry_count=1, entry_hash=first.entry_hash)
    LedgerEntry.objects.all().delete()
    restore()


def test_e10_who_confirms_a_restore_accepts_it_for_trail_and_ledgers_too(
    launched, now, settings, tmp_path, django_capture_on_commit_callbacks
):
    _took_a_dump_too_late(now, tmp_path, settings)
    assert not audit.verify_and_anchor(now=now).is_intact
    assert not ledger.verify_and_anchor(now=now).is_intact
    li = user_actor(person("li", "approver"))
    with django_capture_on_commit_callbacks(execute=True):
        sending_confirmation.confirm_sending(is_copy=False, actor=li, now=now)
    for _day in range(3):
        assert audit.verify_and_anchor(now=now).is_intact
        assert ledger.verify_and_anchor(now=now).is_intact
    assert AuditEntry.objects.filter(action="audit.restore_accepted").count() == 1
    # What is changed after that is found again.
    for entry in AuditEntry.objects.order_by("-pk")[:2]:
        entry.delete()
    last = AuditEntry.objects.order_by("-pk").first()
    AuditHead.objects.update(entry_count=AuditEntry.objects.count(), entry_hash=last.entry_hash)
    assert not audit.verify_and_anchor(now=now).is_intact


def test_e10_a_standstill_that_is_confirmed_accepts_nothing(
    launched, now, settings, tmp_path, django_capture_on_commit_callbacks
):
    Deployment.objects.update(last_seen_at=Moment(-24 * 30 * 3600))
    li = user_actor(person("li", "approver"))
    with django_capture_on_commit_callbacks(execute=True):
        sending_confirmation.confirm_sending(is_copy=False, actor=li, now=now)
    assert not AuditEntry.objects.filter(action="audit.restore_accepted").exists()


@pytest.mark.parametrize("lost", ["redis", "redis_is_away", "file"])
def test_a8_one_place_of_the_anchor_lost_alone_holds_nothing(
    launched, now, settings, tmp_path, monkeypatch, lost
):
    shared: dict[str, bytes] = {}

    class Shared:
        get = staticmethod(shared.get)
        set = staticmethod(shared.__setitem__)

    def away(*_given):
        raise redis.ConnectionError

    monkeypatch.setattr(deployment_anchors, "_client", lambda _url: Shared)
    row = Deployment.objects.get()
    deployment_anchors.write(row.public_id, Anchor(row.beat, row.epoch))
    assert shared
    if lost == "redis":
        shared.clear()
    elif lost == "redis_is_away":
        Shared.get = Shared.set = staticmethod(away)
    else:
        for path in tmp_path.glob("*.json"):
            path.unlink()
    assert deployment.held_reason() is None
    run(now)
    assert sent() == 3
    assert list(tmp_path.glob("*.json"))


def test_a8_containers_that_share_a_folder_and_have_one_number_write_side_by_side(
    launched, monkeypatch, tmp_path
):
    """Every container's process is number 1: both write beside the file, then put it in place."""
    row = Deployment.objects.get()
    replace = type(tmp_path).replace
    others = []

    def late(path, target):
        if not others:
            others.append(path)
            deployment_anchors.write(row.public_id, Anchor(row.beat, row.epoch))
        return replace(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", late)
    deployment_anchors.write(row.public_id, Anchor(row.beat, row.epoch))
    assert deployment.held_reason() is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
