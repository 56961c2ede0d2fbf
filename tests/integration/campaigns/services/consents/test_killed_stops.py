"""A stop list, killed after any commit of its import and handed in again, is in once and whole."""

from datetime import UTC, datetime

import pytest

from campaigns.models import Suppression
from campaigns.services.consents import stop_list_keeping
from tests.factories.people import make_people
from tests.kills import assert_kills_leave_no_trace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sql]
NOW = datetime(2026, 7, 20, 2, 0, tzinfo=UTC)


def test_a7_an_imported_stop_list_is_the_same_after_a_kill_at_any_commit(
    actor, monkeypatch, tmp_path
):
    monkeypatch.setattr(stop_list_keeping, "_BATCH", 2)
    path = tmp_path / "stops.csv"
    rows = [f"email,p{number}@example.com" for number in range(1, 6)]
    path.write_text("\n".join(["channel,address", *rows, "email,?"]), encoding="utf-8")

    assert_kills_leave_no_trace(
        lambda: make_people(3),
        lambda: stop_list_keeping.import_stops(actor=actor, path=path, source="old", now=NOW),
        commits=3,
    )
    assert Suppression.objects.count() == 5
