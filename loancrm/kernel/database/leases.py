"""Named leases: one holder at a time, given up by time when the holder dies.

The time is the database's: hosts whose clocks differ or jump agree on who holds what.
"""

import os
import socket
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q

from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.models import Lease


def current_holder() -> str:
    """Return how this process calls itself as a holder: `host:process`."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}"


def claim(*, name: str, holder: str, seconds: float) -> bool:
    """Take a lease or renew it; return whether the caller holds it afterwards."""
    free = Q(holder=holder) | Q(until__lt=Moment())
    until = Moment(seconds)
    if Lease.objects.filter(free, name=name).update(holder=holder, until=until):
        return True
    try:
        with transaction.atomic():
            Lease.objects.create(name=name, holder=holder, until=until)
    except IntegrityError:
        return False
    return True


def take_turn(*, name: str, holder: str, seconds: float) -> bool:
    """Return whether the caller may act now; everybody else may after so many seconds again."""
    if Lease.objects.filter(name=name, until__lt=Moment()).update(
        holder=holder, until=Moment(seconds)
    ):
        return True
    if Lease.objects.filter(name=name).exists():
        return False
    return claim(name=name, holder=holder, seconds=seconds)


def count_held(*, names: Sequence[str]) -> int:
    """Return how many of some leases are held."""
    return Lease.objects.filter(name__in=names, until__gte=Moment()).count()


def release(*, name: str, holder: str) -> None:
    """Give a lease back; nothing happens when someone else holds it."""
    Lease.objects.filter(name=name, holder=holder).delete()
