"""What an SMS gateway wrote about messages: each item read by itself, and what is odd passed over.

An item or field that cannot be read must cost no other message its answer.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loancrm.kernel.identifiers import storable

MOST_BYTES = 1_048_576
_MOST_CODE = 40
_MOST_DETAIL = 200
# With the header that each of them has; a deflated body without one is not in use by any gateway.
_PACKED = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
# How gateways write "no error" where an error's code would be.
_NO_ERROR = frozenset({"", "0", "00", "000", "0000", "200", "ok", "success", "none", "false"})


@dataclass(frozen=True, slots=True)
class Item:
    """What a gateway says about one message; what it left out or garbled is empty."""

    id: str
    status: str
    message_id: str = ""
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The body of an answer: results for messages, or an error for all of them.

    Attributes:
        items: By the id of the message; several for one where the gateway repeats or contradicts
            itself.
        is_readable: The body is of the gateway's protocol, whatever it says.
        has_results: It speaks of messages, so that an error is not one of all.
    """

    items: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    error: str = ""
    code: str = ""
    is_readable: bool = True
    has_results: bool = False

    @property
    def is_error(self) -> bool:
        """Return whether it says that the request as a whole has failed."""
        return not self.has_results and bool(self.error or self.code)


UNREADABLE = BatchResponse(is_readable=False)


def unpacked(content: bytes, encoding: str) -> bytes:
    """Return a body without its compression; nothing where it is too long or cannot be unpacked."""
    encoding = encoding.strip().casefold()
    if encoding in {"", "identity"}:
        return content
    if encoding not in _PACKED:
        return b""
    unpacker = zlib.decompressobj(wbits=_PACKED[encoding])
    try:
        body = unpacker.decompress(content, MOST_BYTES)
    except zlib.error:
        return b""
    return body if unpacker.eof else b""


def read(content: bytes) -> BatchResponse:
    """Return what a body says; never fails."""
    try:
        body = json.loads(_text_of(content))
    except (ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(body, dict):
        return UNREADABLE
    code, error = _text(body.get("code")), body.get("error")
    if isinstance(error, dict):
        code = _text(error.get("code")) or code
        error = error.get("message") or error.get("detail")
    results = body.get("results")
    return BatchResponse(
        items=_items(results) if isinstance(results, list) else {},
        error=_unless_fine(_text(error)[:_MOST_DETAIL]),
        code=_unless_fine(code[:_MOST_CODE]),
        has_results=bool(results),
    )


def _text_of(content: bytes) -> str:
    """Return a body as text: UTF-8 with or without its mark, or what older gateways here write."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _items(results: list[Any]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for result in results:
        if not isinstance(result, dict):
            continue
        item = Item(
            id=_text(result.get("id")),
            status=_text(result.get("status")).strip().casefold(),
            message_id=_text(result.get("message_id")),
            code=storable(_text(result.get("code")))[:_MOST_CODE],
            detail=storable(_text(result.get("detail")))[:_MOST_DETAIL],
        )
        if item.id:
            found[item.id].append(item)
    return found


def _text(value: object) -> str:
    """Return a text or a number as text; anything else says nothing."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else ""


def _unless_fine(text: str) -> str:
    text = storable(text).strip()
    return "" if text.casefold() in _NO_ERROR else text
