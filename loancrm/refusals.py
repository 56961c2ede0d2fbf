"""Pages for what cannot be shown: each says in the reader's language what is the matter.

They need neither the database nor a session, since one of them is shown when those are away.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.database.outages import RETRY_AFTER_SECONDS, is_outage
from loancrm.kernel.errors import LoanCrmError

logger = logging.getLogger(__name__)
_LARGEST_KEY = 2**63 - 1
# Machines call these; the API below /api/ words its own refusals.
_MACHINES = ("/hooks/", "/api/")


def page(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    """Return a page of our own look with a status."""
    content = render_to_string(
        "public/refusal.html",
        {"heading": title, "text": text, "is_staff": request.path.startswith("/admin/")},
        request=request,
        using="jinja2",
    )
    response = HttpResponse(content, status=status.value)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400."""
    text = _("The request cannot be read. Go back, reload the page and try again.")
    return page(request, HTTPStatus.BAD_REQUEST, _("This request cannot be read"), text)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    text = _("Your account may not open this page. Ask an administrator for the right to it.")
    return page(request, HTTPStatus.FORBIDDEN, _("This is not permitted"), text)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 for a form without its security token, as Django's CSRF check asks."""
    text = _(
        "The form is too old or came from another site. Go back, reload the page and try again."
    )
    return page(request, HTTPStatus.FORBIDDEN, _("The form was not accepted"), text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    text = _("There is nothing at this address, or it was removed.")
    return page(request, HTTPStatus.NOT_FOUND, _("Page not found"), text)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 where a store is away."""
    error = sys.exc_info()[1]
    if error is not None and is_outage(error):
        return unavailable(request)
    text = _("Something went wrong on our side, and it was noted. Try again in a moment.")
    return page(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong"), text)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Answer 503 and say when to come back."""
    response: HttpResponse
    if request.path.startswith(_MACHINES):
        response = JsonResponse({"code": "unavailable"}, status=503)
    else:
        text = _("A part of the system does not answer at the moment. Try again in a moment.")
        response = page(
            request, HTTPStatus.SERVICE_UNAVAILABLE, _("Not available at the moment"), text
        )
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def refused(request: HttpRequest, error: LoanCrmError) -> HttpResponse:
    """Answer what a service refused: 403 where it is a matter of rights, 409 for all else."""
    if request.path.startswith(_MACHINES):
        is_right = isinstance(error, PermissionRefused)
        return JsonResponse({"code": error.code}, status=403 if is_right else 409)
    if isinstance(error, PermissionRefused):
        return forbidden(request)
    # A service's words are in the reader's language and name no person.
    text = error.message or _("What is stored does not allow this. Go back and look at it again.")
    return page(request, HTTPStatus.CONFLICT, _("This is not possible now"), text)


class RefusalMiddleware:
    """Turns outages into 503, a service's refusals into 409 and empty refusals into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep what comes next."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; word a method that an address does not take."""
        response = self._get_response(request)
        is_empty = isinstance(response, HttpResponse) and not response.content
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not is_empty:
            return response
        if request.path.startswith(_MACHINES) or request.method == "HEAD":
            return response
        text = _("This address cannot be opened this way. Use the buttons on its page.")
        worded = page(request, HTTPStatus.METHOD_NOT_ALLOWED, _("Not possible here"), text)
        worded["Allow"] = response["Allow"]
        return worded

    def process_view(
        self, _request: HttpRequest, _view: Any, _args: Any, parameters: Mapping[str, Any]
    ) -> None:
        """Find nothing at addresses whose numbers no table can hold.

        Raises:
            Http404: A number of the address has more than 64 bits.
        """
        if any(isinstance(value, int) and value > _LARGEST_KEY for value in parameters.values()):
            raise Http404

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 403 or 409 where a service refused, 503 where a view met a store that is away."""
        if isinstance(error, LoanCrmError):
            return refused(request, error)
        if not is_outage(error):
            return None
        logger.error("A store does not answer", extra={"kind": type(error).__name__})
        return unavailable(request)
