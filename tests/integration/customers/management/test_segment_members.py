"""Who was in a segment at any past moment can be asked from the command line."""

import io
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from customers.models import Segment, SegmentMember
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def allowed(name, *codenames):
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def told(*arguments):
    out = io.StringIO()
    call_command("segment_members", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["count"]


def test_the_members_of_a_moment_are_counted_and_written(now, tmp_path):
    segment = Segment.objects.create(slug="dormant", name="沉睡客户", created_at=now)
    one, other = make_people(2)
    member = {"segment": segment, "source": "rule:1"}
    week = timedelta(days=7)
    SegmentMember.objects.create(**member, customer=one, entered_at=now - 2 * week)
    SegmentMember.objects.create(
        **member, customer=other, entered_at=now - 3 * week, left_at=now - week
    )
    assert told("dormant") == 1
    target = tmp_path / "ids.txt"
    at = (now - week - timedelta(hours=1)).isoformat()
    asked = ("--ids", str(target), "--as", "mia", "--reason", "给客服核对")
    mia = allowed("mia", "export_customers", "view_segment")
    assert told("dormant", "--at", at, *asked) == 2
    assert target.read_text(encoding="utf-8").split() == [str(one.pk), str(other.pk)]
    entry = AuditEntry.objects.get(action="segment.export_member_ids")
    assert (entry.actor_id, entry.reason) == (str(mia.pk), "给客服核对")
    assert entry.object_id == str(segment.pk)
    assert entry.facts == {"slug": "dormant", "at": at, "members": 2}
    assert told("dormant", "--at", (now - 4 * week).isoformat()) == 0
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((), "argument_wrong"),
        (("--as", "nosuch", "--reason", "给客服核对"), "user_unknown"),
        (("--as", "mia", "--reason", "x"), "export_request_invalid"),
        (("--as", "max", "--reason", "给客服核对"), "permission_refused"),
        (("--as", "ada", "--reason", "给客服核对"), "permission_refused"),
    ],
)
def test_ids_are_written_for_nobody_and_for_nothing_never(now, tmp_path, given, code):
    Segment.objects.create(slug="dormant", name="沉睡客户", created_at=now)
    allowed("mia", "export_customers", "view_segment")
    allowed("max", "view_segment")
    allowed("ada", "export_customers")
    target = tmp_path / "ids.txt"
    with pytest.raises(CommandError, match=code):
        told("dormant", "--ids", str(target), *given)
    assert not target.exists()
    assert not AuditEntry.objects.filter(action="segment.export_member_ids").exists()


def test_a_segment_that_is_not_there_is_told(now):
    with pytest.raises(CommandError, match="nosuch"):
        told("nosuch")
