"""A database that is full, read-only or away: sending waits with its reason and goes on."""

import random
from collections import Counter

import pytest
from django.db import InternalError, OperationalError

from campaigns import labels
from campaigns.channels import registry
from campaigns.models import Chunk, Dispatch, Message
from campaigns.services.campaigns import launch, ticking
from campaigns.services.sending import chunks, dispatch, settling
from loancrm.kernel.database import leases
from tests.factories.campaigns import make_channel, make_launched
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


class ServerError(Exception):
    """What the driver raises."""

    def __init__(self, sqlstate):
        super().__init__()
        self.sqlstate = sqlstate


def from_server(kind, words, sqlstate):
    error = kind(words)
    error.__cause__ = ServerError(sqlstate)
    return error


TROUBLES = [
    (OperationalError("database or disk is full"), "database_full"),
    (from_server(OperationalError, "could not extend file", "53100"), "database_full"),
    (OperationalError("attempt to write a readonly database"), "database_read_only"),
    (
        from_server(InternalError, "cannot execute UPDATE in a read-only transaction", "25006"),
        "database_read_only",
    ),
    (from_server(OperationalError, "terminating connection", "57P01"), "database_unavailable"),
]
KINDS = [f"{code}-{number}" for number, (_error, code) in enumerate(TROUBLES)]


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


@pytest.fixture
def provider():
    return registry.shared(name="email-memory", backend="memory", options={})


@pytest.fixture
def launched(actor, now, monkeypatch):
    # What is started at the commit would be worked here and now.
    monkeypatch.setattr(launch, "enqueue", lambda *_args, **_facts: None)
    make_channel()
    make_people(12)
    make_launched(actor, now)
    ticking.advance(now=now)


def drain(now):
    return dispatch.drain(
        holder="w", clock=lambda: now, rng=random.Random(1), slice_seconds=60, workers=1
    )


def states():
    return Counter(Message.objects.values_list("state", flat=True))


def failing(function, error, *, calls):
    """Return a function that raises at some of its calls, counted from 1."""
    seen = []

    def call(*positional, **named):
        seen.append(1)
        if len(seen) in calls:
            raise error
        return function(*positional, **named)

    return call


@pytest.mark.parametrize(("error", "code"), TROUBLES, ids=KINDS)
def test_h5_sending_waits_with_its_reason_and_goes_on(launched, now, monkeypatch, error, code):
    for _round in range(5):
        with monkeypatch.context() as broken:
            broken.setattr(settling, "step", failing(settling.step, error, calls=range(99)))
            assert drain(now) == {}
        chunk = Chunk.objects.get()
        assert (chunk.state, chunk.claimed_by, chunk.attempts) == ("ready", "", 0)
        run = Dispatch.objects.get()
        assert (run.status, run.hold_reason, run.fault_count) == ("running", code, 0)
        assert states() == {"planned": 12}
    assert code in labels.HOLD_REASONS
    assert drain(now) == {"sent": 12}
    assert Dispatch.objects.get().hold_reason == ""


@pytest.mark.parametrize(("error", "code"), TROUBLES, ids=KINDS)
@pytest.mark.parametrize("name", ["claim", "release"])
def test_h5_a_database_that_takes_nothing_at_all_ends_the_drain_and_no_more(
    launched, now, monkeypatch, name, error, code
):
    with monkeypatch.context() as broken:
        broken.setattr(chunks, name, failing(getattr(chunks, name), error, calls=range(99)))
        broken.setattr(leases, "release", failing(leases.release, error, calls=range(99)))
        drain(now)
    assert Dispatch.objects.get().status == "running"
    assert not set(states()) & {"failed", "unknown"}


def test_h5_an_error_of_the_program_is_hidden_by_nothing(launched, now, monkeypatch):
    error = from_server(OperationalError, "no such column", "42703")
    monkeypatch.setattr(settling, "step", failing(settling.step, error, calls=range(99)))
    with pytest.raises(OperationalError):
        drain(now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("error", "code"), TROUBLES, ids=KINDS)
def test_h5_answers_in_hand_are_stored_when_the_database_can_be_written_again(
    launched, now, monkeypatch, provider, error, code
):
    # The first call marks; the second, with the answer, meets the trouble three times.
    monkeypatch.setattr(settling, "step", failing(settling.step, error, calls=(2, 3, 4)))
    assert drain(now) == {"sent": 12}
    assert states() == {"sent": 12}
    assert len(provider.delivered) == 12
