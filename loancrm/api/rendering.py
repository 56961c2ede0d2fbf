"""JSON in and out of typed structs."""

from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from loancrm.api.errors import BodyMalformed, BodyTooLarge
from loancrm.kernel.words import phrases

T = TypeVar("T")
JSON_TYPE = "application/json"


class StructRenderer(BaseRenderer):
    """Writes structs, and anything else that msgspec knows, as JSON."""

    media_type = JSON_TYPE
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> bytes:
        """Return the JSON text of the data; nothing for an empty reply."""
        return b"" if data is None else msgspec.json.encode(data, enc_hook=phrases.plain)


def read_body(request: Request) -> bytes:
    """Return the raw JSON body.

    Raises:
        UnsupportedMediaType: The content type is not JSON.
        BodyTooLarge: The body is longer than the configured limit.
    """
    content_type = (request.content_type or "").split(";")[0].strip().lower()
    if content_type != JSON_TYPE:
        raise UnsupportedMediaType(content_type)
    plain: HttpRequest = request._request  # noqa: SLF001 - DRF's documented wrapper
    try:
        body = plain.body
    except RequestDataTooBig as error:
        raise BodyTooLarge.of_limit(settings.LOANCRM_API_BODY_BYTES) from error
    if len(body) > settings.LOANCRM_API_BODY_BYTES:
        raise BodyTooLarge.of_limit(settings.LOANCRM_API_BODY_BYTES)
    return body


def decode(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Return the struct that the body holds.

    Raises:
        BodyMalformed: It is not JSON, or not of this shape; carries the path of the first fault.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BodyMalformed.of(error) from error


def json_response(content: Any, *, status: int = 200) -> HttpResponse:
    """Return a response of the struct's JSON."""
    return HttpResponse(
        msgspec.json.encode(content, enc_hook=phrases.plain), content_type=JSON_TYPE, status=status
    )
