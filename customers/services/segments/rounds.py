"""The regular rounds over segments, one worker at a time."""

from collections.abc import Callable
from datetime import datetime

from customers.services.segments import changes, refresh
from loancrm.kernel.access import Actor
from loancrm.kernel.database import leases

_BUILD_SECONDS = 60.0
_BUILD_LEASE_SECONDS = 900.0
_CHANGE_LEASE_SECONDS = 60.0


def build_round(*, actor: Actor, holder: str, read_clock: Callable[[], datetime]) -> bool:
    """Build what is due; return whether it was this worker's turn.

    Args:
        read_clock: Returns the aware current time.

    Raises:
        PermissionRefused: The actor may not change segments.
    """
    name = "segment builds"
    if not leases.claim(name=name, holder=holder, seconds=_BUILD_LEASE_SECONDS):
        return False
    try:
        refresh.refresh_due(actor=actor, read_clock=read_clock, slice_seconds=_BUILD_SECONDS)
    finally:
        leases.release(name=name, holder=holder)
    return True


def change_round(*, actor: Actor, holder: str, now: datetime) -> bool:
    """Follow changed customers; return whether it was this worker's turn.

    Raises:
        PermissionRefused: The actor may not change segments.
    """
    name = "segment changes"
    if not leases.claim(name=name, holder=holder, seconds=_CHANGE_LEASE_SECONDS):
        return False
    try:
        changes.apply_changes(actor=actor, now=now)
    finally:
        leases.release(name=name, holder=holder)
    return True
