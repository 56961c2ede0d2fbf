"""The one door for a use case: permission, transaction and audit entry in one object.

    with acting(actor, "campaigns.launch_campaign", on=campaign, now=now) as act:
        campaign.start(now)
        act.record("campaign.running", facts={"people": people})

`acting` asks for the permission, `with` begins the transaction, and the end of the block demands an
entry, or the word that nothing was changed. What takes long or talks to others stands between the
two: `act = acting(…)`, then the work, then `with act:`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self, TypeAlias

from django.db import connection, transaction
from django.db.models import Model

from loancrm.kernel import access
from loancrm.kernel.access import Actor
from loancrm.kernel.auditing import audit

# What an entry is about: a row; or a table and a key where there is no one row: (Event, "batch").
Subject: TypeAlias = Model | tuple[type[Model] | str, str | int]


class EntryMissing(RuntimeError):
    """A use case ended without an entry, and without a word that nothing was changed."""


@dataclass(frozen=True, slots=True)
class AdmittedBy:
    """What has let an actor in where no permission is asked for: `AdmittedBy("the token's scope")`.

    Attributes:
        what: Read by people who look through the doors that ask for none.
    """

    what: str


class _Word:
    """What was said of a deed in a transaction; taken back with the savepoint that it stands in.

    Django forgets with a savepoint what was to follow the commit from inside of it.
    """

    __slots__ = ()

    def __call__(self) -> None:
        """Do nothing after the commit."""

    def give(self) -> None:
        transaction.on_commit(self)

    def holds(self) -> bool:
        # The newest first: in a transaction of many acts each looks at its own.
        followers = (follower for _savepoints, follower, *_ in reversed(connection.run_on_commit))
        return any(follower is self for follower in followers)


class Act:
    """One use case that an actor may carry out: a transaction that leaves an entry.

    A function that takes an `Act` runs inside of somebody's door: the permission was asked for, the
    transaction is open, and what it records counts for the whole.

    May be entered again for a further transaction, which then needs an entry of its own.

    Attributes:
        actor: Who acts.
        now: When, the time of all entries.
        on: What the permission was asked for, and what entries are about unless they say otherwise.
    """

    __slots__ = ("_atomic", "_is_open", "_is_unchanged", "_subject", "_word", "actor", "now", "on")

    def __init__(self, actor: Actor, *, on: Model | None, now: datetime) -> None:
        self.actor = actor
        self.now = now
        self.on = on
        # Read now: a row that is deleted on the way forgets its key.
        self._subject = None if on is None else _named(on)
        self._atomic = transaction.atomic()
        self._is_open = False
        self._is_unchanged = False
        self._word = _Word()

    def __enter__(self) -> Self:
        if self._is_open:
            raise RuntimeError("An act is entered while it is under way.")
        self._atomic.__enter__()
        self._is_open, self._is_unchanged, self._word = True, False, _Word()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_open = False
        if error is None and not (self._is_unchanged or self._word.holds()):
            error = EntryMissing("Record what was done, or say that nothing was changed.")
            self._atomic.__exit__(EntryMissing, error, None)
            raise error
        self._atomic.__exit__(kind, error, trace)

    def record(
        self,
        action: str,
        *,
        on: Subject | None = None,
        facts: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> None:
        """Write an entry; last in the transaction, as everybody else's waits for it.

        Args:
            action: The deed's name, with words in a manifest.
            on: What it is about, where the act is on something else or on nothing yet.
            facts: Ids, counts and old/new values without personal data; must be JSON.
            reason: What the actor gave as a reason.
        """
        subject = self._subject if on is None else _named(on)
        if not self._is_open or subject is None:
            raise RuntimeError("An entry is about something, and belongs into the transaction.")
        object_type, object_id = subject
        audit.record(
            actor=self.actor,
            action=action,
            object_type=object_type,
            object_id=object_id,
            now=self.now,
            reason=reason,
            facts=facts,
        )
        self._word.give()

    def unchanged(self) -> None:
        """Say that all is as it was: there is nothing to record."""
        self._is_unchanged = True

    def counted_elsewhere(self) -> None:
        """Say that rows of their own tell of it, such as a build's, and an entry would tell less.

        For what the system does by itself again and again, and for parts of a run whose end is an
        entry.
        """
        self._word.give()


def acting(
    actor: Actor, permission: str | AdmittedBy, *, on: Model | None = None, now: datetime
) -> Act:
    """Open the door: return the act of an actor who may do this, to be entered by `with`.

    Args:
        permission: `app_label.codename`; or what else has let the actor in.
        on: The object at hand, for permissions granted on single objects.

    Raises:
        PermissionRefused: There is no actor, or it lacks the permission.
    """
    if not isinstance(permission, AdmittedBy):
        access.require(actor, permission, on)
    return Act(actor, on=on, now=now)


def _named(subject: Subject) -> tuple[str, str]:
    if isinstance(subject, Model):
        if subject.pk is None:
            raise ValueError("A row that is not stored cannot be named.")
        return audit.type_of(subject), str(subject.pk)
    model, key = subject
    return model if isinstance(model, str) else audit.type_of(model), str(key)
