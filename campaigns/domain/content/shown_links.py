"""Whether somebody who opens a mail sees a link in it.

The mail as it is sent is looked at, not its source: what stands in a comment, in an element that is
not shown or in a link without a word is there for programs alone.
"""

import re
from html.parser import HTMLParser

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "wbr"})
_HIDING = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|mso-hide:all|color:transparent"
    r"|(?:opacity|max-height|max-width|height|width|font-size)"
    r":[0.]+(?:px|pt|em|rem|%)?|font-size:[0-3](?:\.\d+)?(?:px|pt)"
    r"|(?:text-indent|left|top|margin|margin-left|margin-top):-\d{3,}[a-z]*)(?:;|$)"
)
_UNSEEN = re.compile(r"[\s\u00ad\u034f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")


def shows_link(source: str, target: str) -> bool:
    """Return whether a mail's HTML shows a link, as its address or behind a word or a picture.

    Args:
        source: The document as a person gets it.
        target: The whole address, or its beginning.
    """
    reader = _LinkParser(target)
    reader.feed(source)
    reader.close()
    return reader.is_shown


class _LinkParser(HTMLParser):
    """Reads a document and keeps, for every open element, whether it is hidden or the link."""

    def __init__(self, target: str) -> None:
        super().__init__(convert_charrefs=True)
        self.is_shown = False
        self._target = target
        self._open: list[tuple[str, bool, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        _tag, is_hidden, is_link = self._open[-1] if self._open else ("", False, False)
        is_hidden = is_hidden or _hides(given)
        if tag == "a":
            is_link = given.get("href", "").strip().startswith(self._target)
        if tag == "img" and is_link and not is_hidden:
            is_tiny = bool({given.get("width"), given.get("height")} & {"0", "1"})
            self.is_shown = self.is_shown or not is_tiny
        if tag not in _VOID:
            self._open.append((tag, is_hidden, is_link))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        tag, is_hidden, is_link = self._open[-1] if self._open else ("", False, False)
        if is_hidden or tag in {"script", "style", "title", "template"}:
            return
        if self._target in data or (is_link and _UNSEEN.sub("", data)):
            self.is_shown = True


def _hides(given: dict[str, str]) -> bool:
    style = "".join(given.get("style", "").lower().split()).replace("!important", "")
    return "hidden" in given or _HIDING.search(style) is not None
