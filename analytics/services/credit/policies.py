"""Versions of the credit policy: one person proposes, another puts it in force."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max

from analytics.domain.credit.policy import CreditPolicy
from analytics.domain.credit.policy_text import PolicyInvalid, parse_policy
from analytics.domain.credit.reviewing import PolicyState
from analytics.labels.credit import PROBLEMS
from analytics.models import PolicyVersion
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

PROPOSES = "analytics.add_policyversion"
APPROVES = "analytics.change_policyversion"
SHORTEST_REASON = 10


class PolicyRefused(LoanCrmError):
    """The policy cannot stand, or not by this person."""

    code = "credit_policy_refused"


def propose_policy(
    *, actor: Actor, content: Mapping[str, Any], reason: str, now: datetime
) -> PolicyVersion:
    """Store a new version, which decides nothing until a second person puts it in force.

    What the same person proposed with the same reason, and still waits, is not proposed again: a
    form that is sent twice makes one version.

    Raises:
        PermissionRefused: The actor may not propose policies.
        PolicyRefused: The content is no policy, or the reason says too little.
    """
    act = acting(actor, PROPOSES, now=now)
    read_policy(content)
    if len(reason.strip()) < SHORTEST_REASON:
        raise PolicyRefused(
            _("Say why the policy changes, in %(count)s characters or more.")
            % {"count": SHORTEST_REASON}
        )
    with act:
        _hold_all()
        waiting = PolicyVersion.objects.filter(
            state=PolicyState.PROPOSED,
            digest=digest_of(content),
            reason=reason.strip(),
            proposed_by=actor.user,
        )
        if (same := waiting.order_by("number").first()) is not None:
            act.unchanged()
            return same
        last = PolicyVersion.objects.aggregate(last=Max("number"))["last"] or 0
        row = PolicyVersion.objects.create(
            number=last + 1,
            content=content,
            digest=digest_of(content),
            reason=reason.strip(),
            proposed_by=actor.user,
            proposed_at=now,
        )
        act.record(
            "credit_policy.recorded",
            on=row,
            facts={"number": row.number, "digest": row.digest},
            reason=row.reason[:300],
        )
    return row


def approve_policy(
    *, actor: Actor, policy_id: int, replaces: int | None, digest: str, now: datetime
) -> None:
    """Put a proposed version in force; the one before ends.

    Args:
        replaces: Number of the version in force that the change was read against; None for none.
        digest: Of the content that was read.

    Raises:
        PermissionRefused: The actor may not approve policies.
        PolicyRefused: The actor is who proposed it or no user, it is not waiting, its content is
            not what was proposed or read, or another version has come in force meanwhile.
    """
    act = acting(actor, APPROVES, now=now)
    if actor.user is None:
        raise PolicyRefused(_("A person has to put a policy in force."))
    with act:
        _hold_all()
        row = PolicyVersion.objects.get(pk=policy_id)
        if row.state != PolicyState.PROPOSED:
            raise PolicyRefused(_("This version is not waiting for anybody."))
        if row.proposed_by_id == actor.user.pk:
            raise PolicyRefused(_("A second person has to put the policy in force."))
        load_policy(row)
        in_force = PolicyVersion.objects.filter(state=PolicyState.ACTIVE)
        in_force_id, last = in_force.values_list("pk", "number").first() or (None, None)
        if last != replaces or row.digest != digest:
            raise PolicyRefused(
                _("Another version came in force meanwhile. Read what changes now.")
            )
        PolicyVersion.objects.filter(state=PolicyState.ACTIVE).update(
            state=PolicyState.ENDED, ended_at=now
        )
        PolicyVersion.objects.filter(pk=row.pk).update(
            state=PolicyState.ACTIVE,
            approved_by=actor.user,
            approved_at=now,
            replaces=in_force_id,
        )
        act.record(
            "credit_policy.approved",
            on=row,
            facts={"number": row.number, "replaces": last, "digest": row.digest},
        )


def _hold_all() -> None:
    """Let nobody else propose or put in force meanwhile: one version follows another."""
    list(PolicyVersion.objects.select_for_update().order_by("pk").values_list("pk"))


def load_policy(row: PolicyVersion) -> CreditPolicy:
    """Return the policy of a version.

    Raises:
        PolicyRefused: The content is not what its digest says, or no policy.
    """
    if digest_of(row.content) != row.digest:
        raise PolicyRefused(_("The content of this version was changed after it was proposed."))
    return read_policy(row.content)


def read_policy(content: object) -> CreditPolicy:
    """Return a checked policy.

    Raises:
        PolicyRefused: It cannot stand; the message names the place.
    """
    try:
        return parse_policy(content)
    except PolicyInvalid as error:
        raise PolicyRefused(
            f"{PROBLEMS.label(error.problem)} {error.place}", place=error.place
        ) from error


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a policy."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
