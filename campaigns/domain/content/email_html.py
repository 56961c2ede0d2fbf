"""An author's HTML made fit for mail: styles inlined once, everything active taken out.

Template code would not survive an HTML parser (a `{% for %}` between table rows is moved out of the
table, `>` in a condition is escaped), so it is replaced by harmless marks first and put back after.
"""

import re
from functools import cache
from typing import Any

import css_inline
import nh3

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MARK = re.compile(r"<!--lcmark(\d+)x-->|lcmark(\d+)x")
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
_LINK_TO_CODE = re.compile(r"""\b(?:href|src)\s*=\s*["']\s*(\{\{.*?\}\})""", re.IGNORECASE)
_SAFE_LINK_CODE = re.compile(r"\{\{\s*(?:unsubscribe_url|preferences_url|link_\d{1,2})\s*\}\}")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINE_END = re.compile(r"<(?:br|/p|/tr|/h[1-6]|/div|/li)\b[^>]*>", re.IGNORECASE)

# Elements within each other; mail of tables within tables has some thirty.
MAX_DEPTH = 100
_ELEMENT = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^>]*?(/?)>")
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}
)

# Closed by the next of their kind; authors rarely close them.
_SELF_CLOSED = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead"})

_DOCUMENT = '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n%s\n</body></html>'

_TAGS = nh3.ALLOWED_TAGS | {"font", "section", "header", "footer", "main"}
_STYLED = {"class", "style", "align", "valign", "width", "height", "bgcolor", "dir", "lang"}
_TABLE = {"border", "cellpadding", "cellspacing", "role"}


def prepare(source: str) -> str:
    """Return an author's HTML as a complete document with inlined styles and nothing active.

    Scripts, forms, frames, event handlers, style sheets, and links other than http, https, mailto,
    tel and cid are removed; doing it twice changes nothing more.

    Args:
        source: HTML with template code in it; a fragment or a document.
    """
    code: list[str] = []
    masked = _masked(source, code)
    inlined = _inliner().inline(masked)
    match = _BODY.search(inlined)
    clean = _cleaner().clean(match[1] if match else inlined).strip()
    body = _MARK.sub(lambda mark: code[int(mark[1] or mark[2])], clean)
    return _DOCUMENT % body


def depth_of(source: str) -> int:
    """Return how deep elements stand in each other at most, read without recursion.

    Elements that are never closed count to the end: a parser puts what follows into them.
    """
    depth = deepest = 0
    for closing, name, is_empty in _ELEMENT.findall(_CODE.sub("", source)):
        if closing:
            depth = max(0, depth - 1)
        elif not is_empty and name.lower() not in _EMPTY | _SELF_CLOSED:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def unsafe_links(source: str) -> tuple[str, ...]:
    """Return the template code that stands at the start of a link or image address.

    Only variables that loancrm itself fills with its own address may stand there: the value of any
    other could begin with `javascript:`.
    """
    found = (match[1] for match in _LINK_TO_CODE.finditer(source))
    return tuple(code for code in found if not _SAFE_LINK_CODE.fullmatch(code))


def text_of(source: str) -> str:
    """Return the words of an HTML template, for a plain part that the author left out."""
    code: list[str] = []
    masked = _masked(source, code)
    match = _BODY.search(masked)
    broken = _LINE_END.sub("\n", match[1] if match else masked)
    words = nh3.clean(broken, tags=set(), strip_comments=False)
    unmasked = _COMMENT.sub("", _MARK.sub(lambda mark: code[int(mark[1] or mark[2])], words))
    lines = (line.strip() for line in unmasked.replace("&nbsp;", " ").splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _masked(source: str, code: list[str]) -> str:
    """Replace template code by marks: comments between tags, plain words inside them."""
    source = source.replace("lcmark", "lc-mark")
    parts: list[str] = []
    is_inside_tag = False
    end = 0
    for match in _CODE.finditer(source):
        plain = source[end : match.start()]
        opened, closed = plain.rfind("<"), plain.rfind(">")
        if opened != closed:
            is_inside_tag = opened > closed
        mark = f"lcmark{len(code)}x"
        code.append(match[0])
        is_value = match[0].startswith("{{")
        parts += [plain, mark if is_inside_tag or is_value else f"<!--{mark}-->"]
        end = match.end()
    parts.append(source[end:])
    return "".join(parts)


@cache
def _inliner() -> Any:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


@cache
def _cleaner() -> Any:
    attributes = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
    for tag in _TAGS:
        attributes.setdefault(tag, set()).update(_STYLED)
    for tag in ("table", "td", "th", "tr"):
        attributes[tag].update(_TABLE)
    attributes["font"].update({"color", "face", "size"})
    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=attributes,
        strip_comments=False,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
    )
