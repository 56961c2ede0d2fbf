"""The door of a use case: permission, transaction and entry, none of which can be forgotten."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.acting import AdmittedBy, EntryMissing, acting
from loancrm.kernel.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
RIGHT = "auth.change_group"


def _is_there():
    return Group.objects.filter(name="night shift").exists()


@pytest.fixture
def somebody(django_user_model):
    return user_actor(django_user_model.objects.create_user("somebody"))


def test_what_is_done_and_its_entry_are_kept_together(actor, now):
    with acting(actor, RIGHT, now=now) as act:
        group = Group.objects.create(name="night shift")
        act.record("group.added", on=group, facts={"name": group.name}, reason="asked for")

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_type, entry.object_id) == (
        "group.added",
        "auth.Group",
        str(group.pk),
    )
    assert (entry.actor_id, entry.at, entry.reason) == (actor.id, now, "asked for")
    assert entry.facts == {"name": "night shift"}


def test_a_use_case_that_says_nothing_is_undone(actor, now):
    with pytest.raises(EntryMissing), acting(actor, RIGHT, now=now):
        Group.objects.create(name="night shift")

    assert not _is_there()


@pytest.mark.parametrize("say", ["record", "counted_elsewhere"])
def test_what_was_said_in_a_savepoint_that_is_undone_was_not_said(actor, now, say):
    def half_of_it(act):
        with suppress(ValueError), transaction.atomic():
            if say == "record":
                act.record("group.added", on=(Group, "batch"))
            else:
                act.counted_elsewhere()
            raise ValueError

    def say_nothing_else():
        with acting(actor, RIGHT, now=now) as act:
            Group.objects.create(name="night shift")
            half_of_it(act)

    with pytest.raises(EntryMissing):
        say_nothing_else()
    assert not _is_there()

    with acting(actor, RIGHT, now=now) as act:
        half_of_it(act)
        with transaction.atomic():
            group = Group.objects.create(name="night shift")
            act.record("group.added", on=group)
    assert _is_there()
    assert AuditEntry.objects.count() == 1


def test_a_use_case_that_changed_nothing_says_so(actor, now):
    with acting(actor, RIGHT, now=now) as act:
        act.unchanged()
    with acting(actor, RIGHT, now=now) as act:
        Group.objects.create(name="night shift")
        act.counted_elsewhere()

    assert _is_there()
    assert not AuditEntry.objects.exists()


def test_an_error_undoes_the_entry_too_and_comes_out_as_it_is(actor, now):
    def work():
        with acting(actor, RIGHT, now=now) as act:
            act.record("group.added", on=Group.objects.create(name="night shift"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()

    assert not _is_there()
    assert not AuditEntry.objects.exists()


def test_who_may_not_is_refused_before_anything_is_begun(somebody, now):
    with CaptureQueriesContext(connection) as queries, pytest.raises(PermissionRefused):
        acting(somebody, RIGHT, now=now)

    assert not [q for q in queries if "SAVEPOINT" in q["sql"] or "BEGIN" in q["sql"]]
    with pytest.raises(PermissionRefused):
        acting(None, RIGHT, now=now)


def test_a_right_on_one_object_opens_the_door_to_this_one(somebody, now):
    mine, other = Group.objects.create(name="mine"), Group.objects.create(name="other")
    assign_perm(RIGHT, somebody.user, mine)

    with acting(somebody, RIGHT, on=mine, now=now) as act:
        act.record("group.changed")
    with pytest.raises(PermissionRefused):
        acting(somebody, RIGHT, on=other, now=now)

    assert AuditEntry.objects.get().object_id == str(mine.pk)


def test_a_deleted_row_keeps_its_name_in_the_entry(actor, now):
    group = Group.objects.create(name="night shift")
    key = group.pk
    with acting(actor, RIGHT, on=group, now=now) as act:
        group.delete()
        act.record("group.deleted")

    assert AuditEntry.objects.get().object_id == str(key)


def test_an_entry_about_many_rows_names_their_table(actor, now):
    with acting(actor, RIGHT, now=now) as act:
        act.record("group.changed", on=(Group, "batch"))
        act.record("keys.rotate", on=("key", "k1"))

    named = AuditEntry.objects.order_by("pk").values_list("object_type", "object_id")
    assert list(named) == [("auth.Group", "batch"), ("key", "k1")]


def test_an_entry_is_about_something_and_inside(actor, now):
    with pytest.raises(RuntimeError), acting(actor, RIGHT, now=now) as act:
        act.record("group.changed")
    with pytest.raises(ValueError, match="not stored"), acting(actor, RIGHT, now=now) as act:
        act.record("group.added", on=Group(name="night shift"))
    act = acting(actor, RIGHT, now=now)
    with pytest.raises(RuntimeError):
        act.record("group.changed", on=(Group, "batch"))

    assert not AuditEntry.objects.exists()


def test_one_act_may_be_several_transactions_one_after_the_other(actor, now):
    act = acting(actor, RIGHT, now=now)
    with act:
        act.record("group.changed", on=(Group, 1))
    with pytest.raises(EntryMissing), act:
        Group.objects.create(name="night shift")
    with act:
        act.record("group.changed", on=(Group, 2))
        with pytest.raises(RuntimeError, match="under way"):
            act.__enter__()

    assert AuditEntry.objects.count() == 2
    assert not _is_there()


def test_an_act_within_another_joins_its_transaction(actor, now):
    def inner():
        with acting(actor, RIGHT, now=now) as act:
            act.record("group.added", on=Group.objects.create(name="night shift"))

    with pytest.raises(EntryMissing), acting(actor, RIGHT, now=now):
        inner()

    assert not _is_there()
    assert not AuditEntry.objects.exists()


def test_whom_something_else_lets_in_is_asked_for_no_permission(somebody, now):
    with acting(somebody, AdmittedBy("a token's scope"), now=now) as act:
        act.record("group.changed", on=(Group, 1))

    assert AuditEntry.objects.get().actor_id == somebody.id


def test_the_door_costs_what_it_writes(django_assert_num_queries, now):
    actor = system_actor("test")
    with acting(actor, RIGHT, now=now) as act:
        act.record("group.changed", on=(Group, 1))
    # Its own savepoint within the test's transaction; lock of the head, entry, head.
    with django_assert_num_queries(5), acting(actor, RIGHT, now=now) as act:
        act.record("group.changed", on=(Group, 1))
