"""Errors as RFC 9457 problem documents, each with its HTTP status.

Codes are stable: clients may switch on them. Titles and details are for people and follow the
request's language. Details never hold personal data.
"""

import logging
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions

from loancrm.api import body_faults
from loancrm.kernel.database.outages import RETRY_AFTER_SECONDS, is_outage
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words import phrases

PROBLEM_TYPE = "application/problem+json"
PROBLEM_PREFIX = "urn:loancrm:problem:"
logger = logging.getLogger(__name__)


@cache
def problems() -> Mapping[str, tuple[int, Any]]:
    """Return {code: (HTTP status, title)} of all that partners are told, as manifests declare it.

    An error whose code is not here was not meant for partners: its message could tell them about
    the inside, so it is logged and answered with 500. Codes of single fields (`ItemError.code`) are
    not listed: they travel inside the problem document of their request.
    """
    declared = settings.LOANCRM_MANIFESTS.problems.values()
    return {problem.code: (problem.status, problem.title) for problem in declared}


class ItemError(msgspec.Struct, frozen=True):
    """One fault; `field` is empty where it is about the item as a whole."""

    code: str
    detail: str
    field: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An RFC 9457 problem document; `code` is stable, `errors` names every faulty field."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ItemError] = []
    error: str = ""
    """The OAuth error code (RFC 6749, section 5.2); on the token end points only."""
    error_description: str = ""


class BodyMalformed(LoanCrmError):
    """The body is not JSON or has another shape."""

    code = "malformed_body"

    @classmethod
    def of(cls, error: Exception) -> "BodyMalformed":
        """Return the error for a decoder's complaint, which names the path and never a value."""
        if isinstance(error, msgspec.MsgspecError):
            fault = body_faults.in_words(str(error))
            return cls(_("The body does not fit: %(fault)s.") % {"fault": fault})
        return cls(_("The body is not UTF-8 JSON."))


class BodyTooLarge(LoanCrmError):
    """The body is longer than allowed."""

    code = "body_too_large"

    @classmethod
    def of_limit(cls, limit: int) -> "BodyTooLarge":
        """Return the error that names the limit."""
        return cls(_("The body may have %(limit)d bytes at most.") % {"limit": limit})


class FieldsInvalid(LoanCrmError):
    """A single item was refused because of its fields."""

    code = "invalid_fields"

    def __init__(self, errors: list[ItemError]) -> None:
        """Keep the faulty fields."""
        super().__init__(_("The item was not stored; see `errors`."))
        self.errors = errors


def problem_response(
    code: str,
    detail: str,
    *,
    errors: list[ItemError] | None = None,
    headers: Mapping[str, str] | None = None,
    oauth_fault: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return the problem document of a code."""
    status, title = problems()[code]
    problem = Problem(
        type=PROBLEM_PREFIX + code,
        title=str(title),
        status=status,
        code=code,
        detail=detail,
        errors=errors or [],
        error=(oauth_fault or {}).get("error", ""),
        error_description=(oauth_fault or {}).get("error_description", ""),
    )
    response = HttpResponse(
        msgspec.json.encode(problem, enc_hook=phrases.plain),
        content_type=PROBLEM_TYPE,
        status=status,
    )
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def problem_of_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Turn whatever a view raised into a problem document (DRF's EXCEPTION_HANDLER)."""
    if isinstance(error, FieldsInvalid):
        return problem_response(error.code, error.message, errors=error.errors)
    if isinstance(error, LoanCrmError) and error.code in problems():
        return problem_response(error.code, error.message, headers=_retry_header(error))
    if isinstance(error, exceptions.APIException):
        return _of_api_exception(error, context)
    if is_outage(error):
        # Without the error's own text: a database quotes rows in it.
        logger.error("A store did not answer the API", extra={"kind": type(error).__name__})
        detail = _("The service is busy; the request was not carried out and may be repeated.")
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return problem_response("unavailable", detail, headers=headers)
    code, detail = _plain_failure(error)
    return problem_response(code, detail)


def _plain_failure(error: Exception) -> tuple[str, str]:
    if isinstance(error, Http404):
        return "not_found", _("There is nothing at this address for you.")
    if isinstance(error, PermissionDenied):
        return "permission_refused", _("This is not permitted.")
    if isinstance(error, SuspiciousOperation | MultiPartParserError):
        return "malformed_request", _("The request cannot be read.")
    logger.error("Unexpected failure in the partners' API", exc_info=error)
    return "internal_error", _("The request was not carried out; it may be repeated.")


def _retry_header(error: LoanCrmError) -> dict[str, str]:
    seconds = error.facts.get("retry_after_seconds")
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _of_api_exception(error: exceptions.APIException, context: Mapping[str, Any]) -> HttpResponse:
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled):
        seconds = max(1, math.ceil(getattr(error, "wait", None) or 1))
        headers["Retry-After"] = str(seconds)
        detail = _("Too many requests; come back in %(seconds)d s.") % {"seconds": seconds}
        return problem_response("too_many_requests", detail, headers=headers)
    view = context.get("view")
    if isinstance(error, exceptions.PermissionDenied):
        scopes = " ".join(getattr(view, "required_scopes", []))
        detail = _("The token needs the scope %(scopes)s.") % {"scopes": scopes}
        return problem_response("insufficient_scope", detail, headers=headers)
    if isinstance(error, exceptions.MethodNotAllowed) and view is not None:
        headers["Allow"] = ", ".join(view.allowed_methods)
    return problem_response(_code_of(error), _detail_of(error), headers=headers)


def _code_of(error: exceptions.APIException) -> str:
    code = error.get_codes()
    if isinstance(code, str):
        known = {"parse_error": "malformed_body", "authentication_failed": "invalid_token"}
        code = known.get(code, code)
        if code in problems():
            return code
    return "malformed_request"


def _detail_of(error: exceptions.APIException) -> str:
    if isinstance(error.detail, str):
        return str(error.detail)
    return _("The request cannot be read.")


def unknown_address(*_args: object, **_kwargs: object) -> NoReturn:
    """Answer an address that does not exist."""
    raise Http404
