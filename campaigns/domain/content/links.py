"""Links in messages: opaque signed tokens, and which targets a text links to.

A token holds two numbers and a truncated HMAC, no personal data and no target; the target stays on
our side, so a link cannot be turned into an open redirect.
"""

import base64
import binascii
import hashlib
import hmac
import html
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_NUMBERS = struct.Struct(">QI")
# Ids stay below 2**48: the two empty bytes are not sent, which keeps links in SMS short.
_ID_BYTES = 6
_MAC_BYTES = 10
_TOKEN_CHARACTERS = 27
_TOKEN = re.compile(r"[A-Za-z0-9_-]{27}")


# Links in previews and test messages name this message (or customer), which nobody has.
TEST_MESSAGE = 0


class LinkPurpose(StrEnum):
    """What a token is good for; a token of one purpose never passes for another."""

    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What a valid token names.

    Attributes:
        message_id: The message that carried the link; for preference links the customer, for
            confirmations the request.
        link_id: The tracked link; for preference links the day; else 0.
    """

    message_id: int
    link_id: int


class LinkSigner:
    """Makes and reads tokens with one secret key.

    Args:
        key: At least 16 secret bytes; keys for each purpose are derived from it.
        former: Keys that made the links of messages which are out; they only read.
    """

    __slots__ = ("_former", "_keys")

    def __init__(self, key: bytes, former: tuple[bytes, ...] = ()) -> None:
        """Derive one key for each purpose."""
        self._keys = _derived(key)
        self._former = tuple(_derived(old) for old in former)

    def token(self, purpose: LinkPurpose, *, message_id: int, link_id: int = 0) -> str:
        """Return the token, 27 characters that are safe in a URL."""
        body = _NUMBERS.pack(message_id, link_id)[8 - _ID_BYTES :]
        mac = hmac.digest(self._keys[purpose], body, "sha256")[:_MAC_BYTES]
        return base64.urlsafe_b64encode(body + mac).decode().rstrip("=")

    def read(self, purpose: LinkPurpose, token: str) -> LinkTarget | None:
        """Return what a token names, or None when it was not made here for this purpose.

        The comparison takes the same time for every wrong signature.
        """
        if not _TOKEN.fullmatch(token):
            return None
        try:
            raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        # A list, not a generator: how long it takes must not tell which key it was.
        fits = [
            hmac.compare_digest(mac, hmac.digest(keys[purpose], body, "sha256")[:_MAC_BYTES])
            for keys in (self._keys, *self._former)
        ]
        if not any(fits):
            return None
        # base64 lets unused bits vary; only the one spelling that `token` writes is valid.
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
            return None
        message_id, link_id = _NUMBERS.unpack(bytes(8 - _ID_BYTES) + body)
        return LinkTarget(message_id=message_id, link_id=link_id)


@dataclass(frozen=True, slots=True)
class LinkedText:
    """A template source whose literal links were replaced by `{{ link_0 }}`, `{{ link_1 }}`, ..."""

    source: str
    targets: tuple[str, ...]


_HREF = re.compile(
    r"""(?P<head>\bhref\s*=\s*)(?P<quote>["'])(?P<url>https?://[^"']*)(?P=quote)""", re.IGNORECASE
)
# What a phone makes clickable: everything up to a blank, a quotation or a Chinese punctuation mark.
# Pictures such as emoji end a link too: no address holds one, and a phone would take it along.
_PICTURES = "\u2190-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff"
_BARE = re.compile(
    r"https?://[^\s<>\"{}|\\^`\u3000-\u3003\u3008-\u301f\uff01-\uff5e\u2018-\u201f\u2026"
    rf"{_PICTURES}]+",
    re.IGNORECASE,
)
_PICTURE = re.compile(f"[{_PICTURES}]")
# What phones and mail programs open too, but what is no address by itself.
_ENDINGS = (
    "com|cn|net|org|gov|edu|co|io|cc|top|vip|xyz|info|biz|app|me|tv|shop|site|online|link|ltd|club"
    "|wang|fun|store|tech|hk|tw|us|example"
)
_DOMAIN = (
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    rf"(?:{_ENDINGS})(?!\.?[A-Za-z0-9@-])(?:[/?#][!#-&(-;=?-~]*)?"
)
_WITHOUT_SCHEME = re.compile(rf"(?<![A-Za-z0-9@._/-]){_DOMAIN}", re.IGNORECASE)
_HREF_WITHOUT_SCHEME = re.compile(rf"""\bhref\s*=\s*["']?(?P<url>{_DOMAIN})""", re.IGNORECASE)
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_TRAILING = ".,;:!?'"
_BRACKETS = {")": "(", "]": "["}
# Letters straight after a letter or digit at the very end: the author's next word, or not; nobody
# can tell, so such a link stays as it is written.
_MAY_RUN_ON = re.compile(r"[A-Za-z0-9][^\x00-\x7f]+$")
# What the column of targets holds.
_LONGEST_TARGET = 1000


def variable_of(position: int) -> str:
    """Return the name under which the n-th link's address is given to the text."""
    return f"link_{position}"


def track_html(source: str, targets: tuple[str, ...] = ()) -> LinkedText:
    """Replace every literal `href` by a variable; the same target gets the same variable.

    Args:
        source: HTML template; links that hold template code themselves are left alone.
        targets: Targets that are numbered already.
    """
    found = list(targets)

    def replace(match: re.Match[str]) -> str:
        url = html.unescape(match["url"])
        if "{{" in url or "{%" in url or len(url) > _LONGEST_TARGET:
            return match[0]
        return f"{match['head']}{match['quote']}{{{{ {_variable(url, found)} }}}}{match['quote']}"

    return LinkedText(_HREF.sub(replace, source), tuple(found) if found else ())


def track_text(source: str, targets: tuple[str, ...] = ()) -> LinkedText:
    """Replace every literal link in a plain text by a variable, punctuation after it left alone.

    A link leads to exactly what the author wrote, Chinese letters and brackets of its own included;
    where it cannot be told whether it ends before a Chinese word it stays as it is, untracked.
    """
    found = list(targets)

    def replace(match: re.Match[str]) -> str:
        url = _without_trailing(match[0])
        is_built = source[match.end() : match.end() + 1] == "{"
        if is_built or len(url) > _LONGEST_TARGET or _MAY_RUN_ON.search(url):
            return match[0]
        rest = match[0][len(url) :]
        # Where a picture follows at once, a phone would open it as part of the link.
        gap = " " if not rest and _PICTURE.match(source, match.end()) else ""
        return f"{{{{ {_variable(url, found)} }}}}{rest}{gap}"

    return LinkedText(_BARE.sub(replace, source), tuple(found))


def untracked_in_text(source: str) -> tuple[str, ...]:
    """Return what a reader can open in a plain text without anybody counting it, once each."""
    left = _CODE.sub(" ", track_text(source).source)
    places = [*_BARE.finditer(left), *_WITHOUT_SCHEME.finditer(left)]
    found = sorted((match.start(), _without_trailing(match[0])) for match in places)
    return tuple(dict.fromkeys(link for _at, link in found))


def untracked_in_html(source: str) -> tuple[str, ...]:
    """Return the targets of links in an HTML text that nobody counts, once each."""
    left = _CODE.sub(" ", track_html(source).source)
    places = [*_HREF.finditer(left), *_HREF_WITHOUT_SCHEME.finditer(left)]
    return tuple(dict.fromkeys(match["url"] for match in places))


def _without_trailing(url: str) -> str:
    """Return a link without the punctuation of the sentence around it; pairs of brackets stay."""
    while url:
        last = url[-1]
        is_unpaired = last in _BRACKETS and url.count(last) > url.count(_BRACKETS[last])
        if last not in _TRAILING and not is_unpaired:
            return url
        url = url[:-1]
    return url


def _variable(url: str, found: list[str]) -> str:
    if url not in found:
        found.append(url)
    return variable_of(found.index(url))


def signer_for(secret: str, former: Sequence[str] = ()) -> LinkSigner:
    """Return the signer of a deployment from its secret text and those it had before."""
    return LinkSigner(_key_of(secret), tuple(_key_of(old) for old in former))


def _key_of(secret: str) -> bytes:
    return hashlib.sha256(b"loancrm.links:" + secret.encode()).digest()


def _derived(key: bytes) -> dict[LinkPurpose, bytes]:
    if len(key) < 16:
        raise ValueError("a link key needs at least 16 bytes")
    return {
        purpose: hmac.digest(key, f"loancrm.link.{purpose}".encode(), "sha256")
        for purpose in LinkPurpose
    }
