"""What our own admin pages share: rendering, the actor behind a request, errors as messages."""

from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from loancrm.components import component
from loancrm.kernel import access, jobs
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError

_KEY_DIGITS = 18
_Row = TypeVar("_Row", bound=Model)


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


def row_of(rows: type[_Row] | QuerySet[_Row], object_id: str) -> _Row:
    """Return the row that a page's address names.

    Raises:
        Http404: There is none, or what the address says is no key.
    """
    try:
        return get_object_or_404(rows, pk=object_id)
    except (ValueError, OverflowError) as error:
        raise Http404 from error


def is_key(text: str) -> bool:
    """Return whether a text of an address can be the number of a row."""
    return text.isascii() and text.isdecimal() and len(text) <= _KEY_DIGITS


def page(request: HttpRequest, template: str, *, title: str, **context: Any) -> TemplateResponse:
    """Return a page inside the admin's frame; the choices of a form in its context are read now."""
    request.current_app = admin.site.name
    for value in context.values():
        if isinstance(value, forms.BaseForm):
            read_choices(value)
    return TemplateResponse(
        request, template, {**admin.site.each_context(request), "title": title, **context}
    )


def read_choices(form: forms.BaseForm) -> None:
    """Read what a form lets people choose from, so that drawing it asks no table (ADR 0019)."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.widgets.ChoiceWidget):
            field.widget.choices = list(field.widget.choices)


def show_message(request: HttpRequest, text: str, *, is_good: bool) -> None:
    """Show a text on the next page."""
    show = messages.success if is_good else messages.warning
    show(request, text)


class PageAction:
    """A service call made from a page: the user is told that it worked, or why it did not.

    A `LoanCrmError` ends the block and is shown as it is worded; anything else goes on.

    Attributes:
        is_done: The block came to its end.
        error: The refusal, if there was one.
    """

    def __init__(self, request: HttpRequest, done: str) -> None:
        """Start as not done; `done` is the text for success, empty to say nothing."""
        self._request = request
        self._done = done
        self.is_done = False
        self.error: LoanCrmError | None = None

    def __enter__(self) -> "PageAction":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any
    ) -> bool:
        """Show what happened; hold back only refusals."""
        is_unannounced = jobs.take_unannounced()
        if error is None:
            self.is_done = True
            if self._done:
                messages.success(self._request, self._done)
            if is_unannounced:
                messages.warning(
                    self._request,
                    _("It is stored. The queue of jobs cannot be reached; work begins once it is."),
                )
            return False
        if isinstance(error, LoanCrmError):
            self.error = error
            messages.error(self._request, error.message or str(error))
            return True
        return False


def attempt(request: HttpRequest, done: str) -> PageAction:
    """Return the block in which a page calls a service."""
    return PageAction(request, done)


def badge(tone: str, text: str) -> SafeString:
    """Return a state as a coloured badge; the tone is one of the style sheet's."""
    return component("badge", text=text, tone=tone)
