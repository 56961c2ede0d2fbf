"""Who acts, and whether they may. No actor means no permission."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words import permission_words
from loancrm.kernel.words.phrases import gettext as _


class ActorKind(StrEnum):
    """What kind of actor asks for an action."""

    USER = "user"
    PARTNER = "partner"
    SYSTEM = "system"


class PermissionRefused(LoanCrmError):
    """The actor may not do this."""

    code = "permission_refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone or something that acts; written into every audit entry."""

    kind: ActorKind
    id: str
    label: str
    user: User | None = field(default=None, repr=False, compare=False)


def system_actor(name: str) -> Actor:
    """Return the actor of a job or an operator's command, such as `command:import_customers`."""
    return Actor(kind=ActorKind.SYSTEM, id=name, label=name)


def user_actor(user: Any) -> Actor:
    """Return the actor of a signed-in user."""
    return Actor(kind=ActorKind.USER, id=str(user.pk), label=user.get_username(), user=user)


def partner_actor(user: Any, partner_id: int) -> Actor:
    """Return the actor of a partner's client, which acts as the partner's service user."""
    return Actor(kind=ActorKind.PARTNER, id=str(partner_id), label=user.get_username(), user=user)


def is_allowed(actor: Actor | None, permission: str, obj: Model | None = None) -> bool:
    """Return whether the actor holds a permission, by role or on this very object."""
    if actor is None:
        return False
    if actor.kind is ActorKind.SYSTEM:
        return True
    user = actor.user
    if user is None or not user.is_active:
        return False
    # A partner holds what is shared with it, object by object; a role granted to its service user
    # by mistake opens nothing.
    if actor.kind is not ActorKind.PARTNER and user.has_perm(permission):
        return True
    return obj is not None and user.has_perm(permission, obj)


def require(actor: Actor | None, permission: str, obj: Model | None = None) -> None:
    """Refuse unless the actor holds the permission.

    Args:
        permission: `app_label.codename`.
        obj: The object at hand, for permissions granted on single objects.

    Raises:
        PermissionRefused: There is no actor, or it lacks the permission.
    """
    if not is_allowed(actor, permission, obj):
        raise PermissionRefused(
            _("You do not have permission for this action (%(permission)s).")
            % {"permission": permission_words.named(permission)},
            permission=permission,
        )
