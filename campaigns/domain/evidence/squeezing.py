"""A finished text as it is kept: what it says beyond its master, squeezed.

Texts of one dispatch differ in a few words. Each is kept as a deflate stream (RFC 1951) that may
refer to the master, the text before names and links were filled in: all that is needed to read it
years later is the master and any zlib, not the templates, values or code of the day.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence

# A small window is eight times as fast to set up, and enough for a text message and its master.
_SMALL_BYTES = 2048
_SMALL = (-12, 4)
_LARGE = (-15, 8)
_LEVEL = 6


def joined(parts: Sequence[str]) -> str:
    """Return the parts of a text as one, so that they can be told apart again."""
    return json.dumps(list(parts), ensure_ascii=False)


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts of what `joined` made."""
    return tuple(json.loads(text))


def squeezed(text: str, master: bytes) -> str:
    """Return a text in few characters, to be read with its master alone."""
    raw = text.encode()
    window, memory = _SMALL if len(raw) + len(master) <= _SMALL_BYTES else _LARGE
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, window, memory, zdict=master)
    return b64encode(stream.compress(raw) + stream.flush()).decode()


def unsqueezed(kept: str, master: bytes) -> str:
    """Return the text again, byte for byte."""
    stream = zlib.decompressobj(_LARGE[0], zdict=master)
    return (stream.decompress(b64decode(kept)) + stream.flush()).decode()
