"""Leases go by the database's clock, whatever a host's clock says."""

import time
from datetime import timedelta

import pytest

from loancrm.kernel import clock
from loancrm.kernel.database import leases, shared_clock
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Lease

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


@pytest.mark.parametrize("hours", [-1, 1])
def test_d_a_host_whose_clock_jumps_holds_no_lease_into_the_future(monkeypatch, hours):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    assert abs(clock.now() - shared_clock.now()) > timedelta(minutes=59)
    assert leases.claim(name="a", holder="ahead", seconds=10)
    assert not leases.claim(name="a", holder="other", seconds=10)
    left = Lease.objects.get().until - shared_clock.now()
    assert timedelta(0) < left <= timedelta(seconds=10)
    Lease.objects.update(until=Moment(-1))
    assert leases.claim(name="a", holder="other", seconds=10)


def test_turns_are_taken_once_a_while_whoever_asks():
    assert leases.take_turn(name="t", holder="a", seconds=60)
    assert not leases.take_turn(name="t", holder="a", seconds=60)
    assert not leases.take_turn(name="t", holder="b", seconds=60)
    Lease.objects.update(until=Moment(-1))
    assert leases.take_turn(name="t", holder="b", seconds=60)
    assert leases.count_held(names=["t", "u"]) == 1
