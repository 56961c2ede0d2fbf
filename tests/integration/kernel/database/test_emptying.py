"""After a test with real transactions the database is where the migrations left it."""

import pytest
from django.contrib.auth.models import Group
from django.core.management.sql import emit_post_migrate_signal

from analytics.domain.warning.rules import DEFAULT_RULES
from analytics.models import WarningRule
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import RoleRights
from tests import emptying

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]


def _left() -> tuple[dict[str, list[str]], list[dict]]:
    given = {note.role: note.given for note in RoleRights.objects.all()}
    return given, list(WarningRule.objects.order_by("pk").values())


def test_what_a_test_removes_or_changes_is_put_back() -> None:
    emptying.as_migrated()
    given, rules = before = _left()
    assert given.keys() == set(Role)
    assert {rule["name"] for rule in rules} == {terms.name for terms in DEFAULT_RULES}

    RoleRights.objects.update(given=[])
    WarningRule.objects.first().delete()
    WarningRule.objects.update(days=77)
    Group.objects.all().delete()
    emptying.as_migrated()

    assert _left() == before
    assert Group.objects.filter(name__in=list(Role)).count() == len(Role)


def test_no_table_that_migrating_fills_is_forgotten() -> None:
    emptying.as_migrated()
    before = emptying.filled(emptying.tables())
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert emptying.filled(emptying.tables()) == before
