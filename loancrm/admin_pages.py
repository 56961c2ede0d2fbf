"""What our own admin pages share: rendering, the actor behind a request, errors as messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

from loancrm.kernel import access
from loancrm.kernel.access import Actor, PermissionRefused
from loancrm.kernel.errors import LoanCrmError


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in user as the actor of a service call."""
    return access.user_actor(request.user)


def require(request: HttpRequest, permission: str, obj: Model | None = None) -> None:
    """Answer 403 unless the user holds the permission, by role or on this object.

    Raises:
        PermissionDenied: The user lacks it.
    """
    if not access.is_allowed(actor_of(request), permission, obj):
        raise PermissionDenied


def page(request: HttpRequest, template: str, *, title: str, **context: Any) -> TemplateResponse:
    """Return a page inside the admin's frame."""
    request.current_app = admin.site.name
    return TemplateResponse(
        request, template, {**admin.site.each_context(request), "title": title, **context}
    )


class Attempt:
    """Whether a service call made from a page went through, and why not."""

    def __init__(self) -> None:
        """Start as failed, so that only a finished call counts as done."""
        self.is_done = False
        self.error: LoanCrmError | None = None


@contextmanager
def attempt(request: HttpRequest, done: str) -> Iterator[Attempt]:
    """Run a service call; tell the user that it worked, or show the refusal as it is worded.

    `done` is the translated text for the case that it worked; empty says nothing.
    """
    outcome = Attempt()
    try:
        yield outcome
    except PermissionRefused as err:
        outcome.error = err
        messages.error(request, err.message)
    except LoanCrmError as err:
        outcome.error = err
        messages.error(request, err.message or str(err))
    else:
        outcome.is_done = True
        if done:
            messages.success(request, done)
