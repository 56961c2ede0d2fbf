"""What is wrong with a text before it may be approved.

Every check is about the source or its example rendering; nothing about one person is known here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaigns.domain.content import (
    email_html,
    links,
    rate_claims,
    shown_links,
    sms_parts,
    word_search,
)
from campaigns.domain.content import texts as content
from campaigns.domain.content.texts import CompiledEmail, CompiledSms
from campaigns.domain.content.word_search import Severity
from loancrm.kernel.texts import readings
from loancrm.kernel.texts.readings import TooManyChoices
from loancrm.kernel.texts.survey import TemplateRefused
from loancrm.kernel.texts.templates import (
    MissingVariable,
    OutputTooLong,
    RenderFailed,
    TextKind,
    parse_text,
)


class ProblemCode(StrEnum):
    """What can be wrong with a text."""

    TEMPLATE_REFUSED = "template_refused"
    UNKNOWN_VARIABLE = "unknown_variable"
    EXAMPLE_FAILS = "example_fails"
    EMPTY = "empty"
    UNSUBSCRIBE_MISSING = "unsubscribe_missing"
    SENDER_MISSING = "sender_missing"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_IN_BODY = "signature_in_body"
    BANNED_WORD = "banned_word"
    RISKY_WORD = "risky_word"
    RATE_WITHOUT_APR = "rate_without_apr"
    VARIABLE_IN_LINK = "variable_in_link"
    LINK_NOT_COUNTED = "link_not_counted"
    IMAGE_ONLY = "image_only"
    MANY_PARTS = "many_parts"
    TOO_MANY_CHOICES = "too_many_choices"
    OFFER_IN_SERVICE = "offer_in_service"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    Attributes:
        code: What is wrong.
        severity: Whether it stops an approval.
        where: `subject`, `text` or `html`.
        facts: Values for the message, such as the word or the line.
    """

    code: ProblemCode
    severity: Severity
    where: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a text is looked at: by which rules, in which language, filled with what."""

    language: str
    is_marketing: bool
    context: Mapping[str, Any]


_LINK = re.compile(r"https?://[^\s\"'<>]*", re.IGNORECASE)
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_FEW_WORDS = 20
# Stands for a value while a text is read; no filter leaves it as it is, and no author writes it.
_SEEN = "https://example.com/u/SeenByTheReader-{}/"
_SENDER = ("brand", "sender_address", "hotline")
_MANY_PARTS = 4


def blocks(problems: tuple[Problem, ...]) -> bool:
    """Return whether any finding stops an approval."""
    return any(problem.severity is Severity.BLOCK for problem in problems)


def refusal(source: str, *, language: str, where: str) -> Problem | None:
    """Return why one part of a text cannot be read at all; None when it can.

    Args:
        source: As written; HTML is looked at before anything else touches it.
        language: `zh-hans` or `en`.
        where: `subject`, `text` or `html`.
    """
    kind = TextKind.HTML if where == "html" else TextKind.TEXT
    try:
        parse_text(source, kind=kind, language=language)
    except TemplateRefused as err:
        return _refused(err, where)
    if where == "html" and email_html.depth_of(source) > email_html.MAX_DEPTH:
        return Problem(
            ProblemCode.TEMPLATE_REFUSED, Severity.BLOCK, where, {"reason": "too_deep", "line": 1}
        )
    return None


def check_sms(
    *,
    text: str,
    language: str,
    signature: str,
    is_marketing: bool,
    known_names: frozenset[str] = frozenset(),
    constants: Mapping[str, Any] | None = None,
) -> tuple[Problem, ...]:
    """Return what is wrong with a text message.

    Args:
        text: The author's template.
        language: `zh-hans` or `en`.
        signature: The channel's registered signature, without brackets.
        is_marketing: Whether the rules for marketing apply.
        known_names: Variables beside the catalogue that will have values, such as attributes.
        constants: What the text will tell everybody, such as the products on offer; examples
            stand for what is not given.
    """
    if not text.strip():
        return (Problem(ProblemCode.EMPTY, Severity.BLOCK, "text"),)
    found: list[Problem] = []
    if not signature:
        found.append(Problem(ProblemCode.SIGNATURE_MISSING, Severity.BLOCK, "text"))
    if _is_signed((text,), signature):
        found.append(Problem(ProblemCode.SIGNATURE_IN_BODY, Severity.BLOCK, "text"))
    try:
        compiled = content.compile_sms(text=text, language=language)
    except TemplateRefused as err:
        return (*found, _refused(err, "text"))
    seen = _Seen(language, is_marketing, _examples(constants))
    is_signed_by_code = _is_signed(_as_sent(text, "text", language, seen.context), signature)
    if is_signed_by_code and not _is_signed((text,), signature):
        found.append(Problem(ProblemCode.SIGNATURE_IN_BODY, Severity.BLOCK, "text"))
    found += _unknown(compiled, known_names)
    found += _links(text, "text")
    found += _words(text, "text", seen)
    found += _example_sms(compiled, signature, is_marketing=is_marketing, names=known_names)
    return tuple(found)


def check_email(
    *,
    subject: str,
    text: str,
    html_source: str,
    language: str,
    is_marketing: bool,
    known_names: frozenset[str] = frozenset(),
    constants: Mapping[str, Any] | None = None,
) -> tuple[Problem, ...]:
    """Return what is wrong with an e-mail; arguments as for `check_sms`."""
    found = [
        Problem(ProblemCode.EMPTY, Severity.BLOCK, where)
        for where, part in (("subject", subject), ("text", text or html_source))
        if not part.strip()
    ]
    try:
        compiled = content.compile_email(
            subject=subject, text=text, html=html_source, language=language
        )
    except TemplateRefused as err:
        return (*found, _refused(err, "html"))
    found += _unknown(compiled, known_names)
    seen = _Seen(language, is_marketing, _examples(constants))
    for where, part in (("subject", subject), ("text", text), ("html", html_source)):
        found += _links(part, where)
        found += _words(part, where, seen)
    if is_marketing:
        found += _marketing_email(text, html_source, seen)
    if html_source and _is_image_only(html_source):
        found.append(Problem(ProblemCode.IMAGE_ONLY, Severity.WARN, "html"))
    return tuple(found)


def _examples(constants: Mapping[str, Any] | None) -> dict[str, Any]:
    return content.example_context() | dict(constants or {})


def _refused(err: TemplateRefused, where: str) -> Problem:
    return Problem(ProblemCode.TEMPLATE_REFUSED, Severity.BLOCK, where, dict(err.facts))


def _is_signed(texts: tuple[str, ...], signature: str) -> bool:
    """Return whether brackets that only the channel's signature may have stand in a text."""
    bodies = (text.removeprefix(f"【{signature}】") for text in texts)
    return any("【" in body or "】" in body for body in bodies)


def _unknown(compiled: CompiledSms | CompiledEmail, known_names: frozenset[str]) -> list[Problem]:
    return [
        Problem(ProblemCode.UNKNOWN_VARIABLE, Severity.BLOCK, "text", {"name": name})
        for name in content.unknown_variables(compiled.variables)
        if name not in known_names
    ]


def _links(source: str, where: str) -> list[Problem]:
    """Find addresses that a person's data would become part of, and those that nobody counts."""
    found = [
        Problem(ProblemCode.VARIABLE_IN_LINK, Severity.BLOCK, where, {"code": code})
        for code in email_html.unsafe_links(source)
    ]
    if any("{{" in link or "{%" in link for link in _LINK.findall(source)):
        found.append(Problem(ProblemCode.VARIABLE_IN_LINK, Severity.BLOCK, where))
    if found or where == "subject":
        return found
    uncounted = links.untracked_in_html if where == "html" else links.untracked_in_text
    return [
        Problem(ProblemCode.LINK_NOT_COUNTED, Severity.WARN, where, {"link": link})
        for link in uncounted(source)
    ]


def _words(source: str, where: str, seen: _Seen) -> list[Problem]:
    """Find what must not be said, in the source and in everything that it may become."""
    kind = TextKind.HTML if where == "html" else TextKind.TEXT
    try:
        texts = readings.readings(source, kind=kind, language=seen.language, context=seen.context)
    except TooManyChoices:
        return [Problem(ProblemCode.TOO_MANY_CHOICES, Severity.BLOCK, where)]
    written = readings.constants_of(source, kind=kind, language=seen.language)
    words: dict[str, Severity] = {}
    for text in (source, *texts, *written):
        words.update(word_search.banned(text))
    found = [
        Problem(
            ProblemCode.BANNED_WORD if severity is Severity.BLOCK else ProblemCode.RISKY_WORD,
            severity,
            where,
            {"word": word},
        )
        for word, severity in words.items()
    ]
    if seen.is_marketing:
        return found + _rates(texts, where)
    offers = dict.fromkeys(
        word for text in (source, *texts, *written) for word in word_search.offering(text)
    )
    return found + [
        Problem(ProblemCode.OFFER_IN_SERVICE, Severity.BLOCK, where, {"word": word})
        for word in offers
    ]


def _rates(texts: tuple[str, ...], where: str) -> list[Problem]:
    for text in texts:
        shown = word_search.without_tags(text) if where == "html" else text
        claim = rate_claims.without_annual_rate(shown)
        if claim:
            return [Problem(ProblemCode.RATE_WITHOUT_APR, Severity.BLOCK, where, {"claim": claim})]
    return []


def _example_sms(
    compiled: CompiledSms, signature: str, *, is_marketing: bool, names: frozenset[str]
) -> list[Problem]:
    context = dict.fromkeys(names | compiled.variables, "1") | content.example_context()
    context |= {
        f"link_{position}": "https://example.com/t/AAAAAAAAAAAAAAAAAAAAAAAAAAA/"
        for position, _target in enumerate(compiled.link_targets)
    }
    opt_out = sms_parts.OPT_OUT_TEXT if is_marketing else ""
    try:
        _text, parts = content.render_sms(
            compiled, context, signature=signature, opt_out_text=opt_out
        )
    except (MissingVariable, RenderFailed, OutputTooLong) as err:
        return [Problem(ProblemCode.EXAMPLE_FAILS, Severity.WARN, "text", {"error": err.code})]
    if parts > _MANY_PARTS:
        return [Problem(ProblemCode.MANY_PARTS, Severity.WARN, "text", {"parts": parts})]
    return []


def _marketing_email(text: str, html_source: str, seen: _Seen) -> list[Problem]:
    """Check identity and a way out in every part. Source: 广告法 article 43, RFC 8058, CAN-SPAM.

    Both must show whoever the text is about: what stands in a comment of the source or in one
    branch alone is no way out for those who get the other.
    """
    ways = {name: _SEEN.format(name) for name in ("unsubscribe_url", *_SENDER)}
    context = {**seen.context, **ways}
    found: list[Problem] = []
    is_named = False
    for where, source in (("text", text), ("html", html_source)):
        texts = _as_sent(source, where, seen.language, context) if source else ()
        if not texts:
            continue
        if not all(_shows(one, ways["unsubscribe_url"], where) for one in texts):
            found.append(Problem(ProblemCode.UNSUBSCRIBE_MISSING, Severity.BLOCK, where))
        is_named = is_named or all(any(ways[name] in one for name in _SENDER) for one in texts)
    if not is_named:
        found.append(Problem(ProblemCode.SENDER_MISSING, Severity.WARN, "text"))
    return found


def _as_sent(source: str, where: str, language: str, context: Mapping[str, Any]) -> tuple[str, ...]:
    """Return everything that a part may become on its way to a person."""
    is_html = where == "html"
    kind = TextKind.HTML if is_html else TextKind.TEXT
    sent = email_html.prepare(source) if is_html else source
    try:
        return readings.readings(sent, kind=kind, language=language, context=context)
    except TooManyChoices:
        # That is a finding of its own, which stops an approval too.
        return ()


def _shows(text: str, address: str, where: str) -> bool:
    return shown_links.shows_link(text, address) if where == "html" else address in text


def _is_image_only(source: str) -> bool:
    if "<img" not in source.lower():
        return False
    words = _CODE.sub("xxx", email_html.text_of(source))
    return sum(character.isalnum() for character in words) < _FEW_WORDS
