"""Signing in and out as use cases: the limits, the password, and the trace in the audit trail."""

from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext as _

from loancrm.kernel import access
from loancrm.kernel.access import Actor, ActorKind
from loancrm.kernel.acting import AdmittedBy, acting
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security.client_address import client_address
from loancrm.kernel.sign_in import tries

RELEASE = "auth.change_user"
# What stands in the trail where the name that was typed belongs to nobody: it may be a password.
UNKNOWN_ACCOUNT = "unknown"
_BY_PASSWORD = AdmittedBy("the user's own password")
_AT_THE_DOOR = AdmittedBy("the form that everybody sees")


class SignInPaused(LoanCrmError):
    """Too many wrong passwords; the same for accounts that exist and for those that do not."""

    code = "sign_in_paused"


def sign_in(*, request: HttpRequest, name: str, password: str, now: datetime) -> User | None:
    """Return the member of staff whose name and password these are; None for everybody else.

    Raises:
        SignInPaused: Too many tries failed; the password was not looked at.
    """
    tried = tries.begin(name=name, address=client_address(request))
    if not tried.is_allowed:
        raise SignInPaused(
            _("Too many failed attempts. Try again in %(minutes)d minutes.")
            % {"minutes": -(-tried.wait_seconds // 60)},
            retry_after_seconds=tried.wait_seconds,
        )
    user = authenticate(request, username=name, password=password)
    # `isinstance` is for the type checker: this project uses Django's own users.
    if not isinstance(user, User) or not user.is_active or not user.is_staff:
        _record_failure(name, now)
        return None
    with acting(access.user_actor(user), _BY_PASSWORD, now=now) as act:
        tries.succeeded(tried)
        act.record("user.signed_in", on=user)
    return user


def sign_out(*, user: User, now: datetime) -> None:
    """Note that somebody signs out."""
    with acting(access.user_actor(user), _BY_PASSWORD, now=now) as act:
        act.record("user.signed_out", on=user)


def release(*, actor: Actor, user: User, now: datetime) -> None:
    """Let an account sign in again at once.

    Raises:
        PermissionRefused: The actor may not change users.
    """
    with acting(actor, RELEASE, now=now) as act:
        tries.release(name=user.get_username())
        act.record("user.sign_in_released", on=user)


def _record_failure(name: str, now: datetime) -> None:
    tries.forget_old()
    key: Any = User.objects.filter(username=name).values_list("pk", flat=True).first()
    nobody = Actor(kind=ActorKind.SYSTEM, id="sign-in", label="sign-in")
    with acting(nobody, _AT_THE_DOOR, now=now) as act:
        act.record("user.sign_in_failed", on=(User, key or UNKNOWN_ACCOUNT))
