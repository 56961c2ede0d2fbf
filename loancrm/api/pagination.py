"""Cursor pages: stable while rows are added, no counting, no offsets."""

import base64
import binascii
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from loancrm.kernel.errors import LoanCrmError

PAGE_SIZE = 50
LARGEST_PAGE = 200
CURSOR_PARAMETERS = [
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE}
    ),
]
T = TypeVar("T", bound=Model)


class CursorMalformed(LoanCrmError):
    """The cursor was not handed out by this service."""

    code = "cursor_malformed"


def page_of(queryset: QuerySet[T, Any], request: Request) -> tuple[list[T], str | None]:
    """Return one page, newest first, and the cursor of the next page or None.

    Reads `cursor` and `limit` (1 to 200, default 50) from the query string.

    Raises:
        CursorMalformed: The cursor or the limit makes no sense.
    """
    limit = limit_of(request.query_params.get("limit"))
    cursor = request.query_params.get("cursor")
    if cursor:
        queryset = queryset.filter(pk__lt=_decoded(cursor))
    rows = list(queryset.order_by("-pk")[: limit + 1])
    following = _encoded(rows[limit - 1].pk) if len(rows) > limit else None
    return rows[:limit], following


def limit_of(text: str | None) -> int:
    """Return the size of a page that `limit` asks for.

    Raises:
        CursorMalformed: It is no number from 1 to 200.
    """
    if text is None:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 3):
        raise CursorMalformed(_("`limit` must be a number from 1 to 200."))
    if not 1 <= int(text) <= LARGEST_PAGE:
        raise CursorMalformed(_("`limit` must be a number from 1 to 200."))
    return int(text)


def _encoded(key: int) -> str:
    return base64.urlsafe_b64encode(f"v1:{key}".encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        version, digits = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(":")
        )
        key = int(digits)
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise CursorMalformed(_("The cursor is unknown.")) from error
    if version != "v1" or not 0 < key < 2**63:
        raise CursorMalformed(_("The cursor is unknown."))
    return key
