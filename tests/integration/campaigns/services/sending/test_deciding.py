"""How the people of a chunk are read: by their keys, however small or large the tables are."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.channels import registry
from campaigns.models import Chunk, Suppression
from campaigns.selectors.sending import contact_facts, message_plan
from campaigns.services.campaigns import ticking
from campaigns.services.sending import dispatch
from campaigns.services.sending.deciding import due
from loancrm.kernel.database import bulk
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sql,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's planner takes the key"),
]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def setting(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return cursor.fetchone()[0]


def test_deciding_looks_people_up_by_key(actor, now, monkeypatch):
    make_channel()
    make_people(3)
    make_launched(actor, now)
    ticking.advance(now=now)
    load, seen = contact_facts.load_recipients, []

    def watched(**kwargs):
        seen.append(setting("enable_seqscan"))
        return load(**kwargs)

    monkeypatch.setattr(contact_facts, "load_recipients", watched)
    assert setting("enable_seqscan") == "on"
    counts = dispatch.drain(holder="w1", clock=lambda: now, rng=random.Random(1), slice_seconds=60)
    assert (counts, seen) == ({"sent": 3}, ["off"])


def test_nobody_reads_the_whole_stop_list_for_a_chunk(actor, now):
    make_channel()
    # Of up to a hundred values PostgreSQL sees by itself that none is blank.
    people = make_people(120)
    point = people[1].contact_points.get(kind="email")
    Suppression.objects.create(value_index=point.value_index, reason="opted_out", at=now)
    run = make_launched(actor, now)
    facts = {"chunk": Chunk.objects.get(dispatch=run), "is_own_channel": True}
    work = type("Work", (), facts)
    with bulk.by_key(), CaptureQueriesContext(connection) as captured:
        found = contact_facts.load_recipients(
            messages=due(work, now), plan=message_plan.plan_of(run, now=now), now=now
        )
        asked = [q["sql"] for q in captured if 'FROM "campaigns_suppression"' in q["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked[0]}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "suppression_value_open_unique" in plan
    assert "Seq Scan" not in plan
    assert [item.facts.is_suppressed for item in found[:3]] == [False, True, False]
