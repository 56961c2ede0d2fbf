"""Answers that the public pages share."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

logger = logging.getLogger(__name__)


def page(
    request: HttpRequest, template: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Return a public page; it is never stored, framed, or told to other sites."""
    content = render_to_string(f"public/{template}", context, request=request, using="jinja2")
    response = HttpResponse(content, status=status)
    response["Cache-Control"] = "no-store"
    # Other sites learn nothing; ours needs to see that a form comes from itself.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def language_of(request: HttpRequest, preferred: str) -> str:
    """Return the language asked for in the address, else the preferred one where we speak it."""
    asked = request.GET.get("lang", "")
    known = {code for code, _name in settings.LANGUAGES}
    if asked in known:
        return asked
    return preferred if preferred in known else settings.LANGUAGE_CODE


def of_a_test(request: HttpRequest) -> HttpResponse:
    """Return the page behind the links of previews and test messages: nothing happens there."""
    with translation.override(language_of(request, request.LANGUAGE_CODE or "")):
        return page(request, "test_message.html", brand=settings.LOANCRM_BRAND)


def not_found(request: HttpRequest, kind: str) -> HttpResponse:
    """Return a 404 that says the same for every reason, and note the attempt without the token."""
    logger.warning("unknown or forged token", extra={"kind": kind})
    return page(request, "not_found.html", status=404)
