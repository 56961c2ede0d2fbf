"""What is wrong with a text before it may be approved.

Every check is about the source or its example rendering; nothing about one person is known here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.domain.compliance.rules import RuleCheck, RuleSeverity, RulesInForce
from campaigns.domain.content import (
    email_html,
    links,
    rule_checks,
    shown_links,
    sms_parts,
    word_search,
)
from campaigns.domain.content import texts as content
from campaigns.domain.content.lint_problems import LintProblem, LintProblemCode
from campaigns.domain.content.texts import CompiledEmail, CompiledSms
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a text is looked at: by which rules, in which language, filled with what."""

    language: str
    is_marketing: bool
    context: Mapping[str, Any]
    rules: RulesInForce


_LINK = re.compile(r"https?://[^\s\"'<>]*", re.IGNORECASE)
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_FEW_WORDS = 20
# Stands for a value while a text is read; no filter leaves it as it is, and no author writes it.
_SEEN = "https://example.com/u/SeenByTheReader-{}/"
_SENDER = ("brand", "sender_address", "hotline")
_MANY_PARTS = 4


def blocks(problems: tuple[LintProblem, ...]) -> bool:
    """Return whether any finding stops an approval."""
    return any(problem.severity is RuleSeverity.BLOCK for problem in problems)


def refusal(source: str, *, language: str, where: str) -> LintProblem | None:
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
        return LintProblem(
            LintProblemCode.TEMPLATE_REFUSED,
            RuleSeverity.BLOCK,
            where,
            {"reason": "too_deep", "line": 1},
        )
    return None


def check_sms(
    *,
    text: str,
    language: str,
    signature: str,
    is_marketing: bool,
    rules: RulesInForce,
    known_names: frozenset[str] = frozenset(),
    constants: Mapping[str, Any] | None = None,
) -> tuple[LintProblem, ...]:
    """Return what is wrong with a text message.

    Args:
        text: The author's template.
        language: `zh-hans` or `en`.
        signature: The channel's registered signature, without brackets.
        is_marketing: Whether the rules for marketing apply.
        rules: Those of the day and of this lender.
        known_names: Variables beside the catalogue that will have values, such as attributes.
        constants: What the text will tell everybody, such as the products on offer; examples
            stand for what is not given.
    """
    if not text.strip():
        return (LintProblem(LintProblemCode.EMPTY, RuleSeverity.BLOCK, "text"),)
    found: list[LintProblem] = []
    strictness = rules.severity_of(RuleCheck.SIGNATURE)
    if strictness and not signature:
        found.append(LintProblem(LintProblemCode.SIGNATURE_MISSING, strictness, "text"))
    if _is_signed((text,), signature):
        found.append(LintProblem(LintProblemCode.SIGNATURE_IN_BODY, RuleSeverity.BLOCK, "text"))
    try:
        compiled = content.compile_sms(text=text, language=language)
    except TemplateRefused as err:
        return (*found, _refused(err, "text"))
    seen = _Seen(language, is_marketing, _examples(constants), rules)
    is_signed_by_code = _is_signed(_as_sent(text, "text", language, seen.context), signature)
    if is_signed_by_code and not _is_signed((text,), signature):
        found.append(LintProblem(LintProblemCode.SIGNATURE_IN_BODY, RuleSeverity.BLOCK, "text"))
    found += _unknown(compiled, known_names)
    found += _links(text, "text")
    found += _words(text, "text", seen)
    found += _example_sms(compiled, signature, is_marketing=is_marketing, names=known_names)
    return tuple(found)


def check_email(  # noqa: PLR0913 - what a mail consists of, and by what it is looked at
    *,
    subject: str,
    text: str,
    html_source: str,
    language: str,
    is_marketing: bool,
    rules: RulesInForce,
    known_names: frozenset[str] = frozenset(),
    constants: Mapping[str, Any] | None = None,
) -> tuple[LintProblem, ...]:
    """Return what is wrong with an e-mail; arguments as for `check_sms`."""
    found = [
        LintProblem(LintProblemCode.EMPTY, RuleSeverity.BLOCK, where)
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
    seen = _Seen(language, is_marketing, _examples(constants), rules)
    for where, part in (("subject", subject), ("text", text), ("html", html_source)):
        found += _links(part, where)
        found += _words(part, where, seen)
    if is_marketing:
        found += _marketing_email(text, html_source, seen)
    if html_source and _is_image_only(html_source):
        found.append(LintProblem(LintProblemCode.IMAGE_ONLY, RuleSeverity.WARN, "html"))
    return tuple(found)


def _examples(constants: Mapping[str, Any] | None) -> dict[str, Any]:
    return content.example_context() | dict(constants or {})


def _refused(err: TemplateRefused, where: str) -> LintProblem:
    return LintProblem(LintProblemCode.TEMPLATE_REFUSED, RuleSeverity.BLOCK, where, dict(err.facts))


def _is_signed(texts: tuple[str, ...], signature: str) -> bool:
    """Return whether brackets that only the channel's signature may have stand in a text."""
    bodies = (text.removeprefix(f"【{signature}】") for text in texts)
    return any("【" in body or "】" in body for body in bodies)


def _unknown(
    compiled: CompiledSms | CompiledEmail, known_names: frozenset[str]
) -> list[LintProblem]:
    return [
        LintProblem(LintProblemCode.UNKNOWN_VARIABLE, RuleSeverity.BLOCK, "text", {"name": name})
        for name in content.unknown_variables(compiled.variables)
        if name not in known_names
    ]


def _links(source: str, where: str) -> list[LintProblem]:
    """Find addresses that a person's data would become part of, and those that nobody counts."""
    found = [
        LintProblem(LintProblemCode.VARIABLE_IN_LINK, RuleSeverity.BLOCK, where, {"code": code})
        for code in email_html.unsafe_links(source)
    ]
    if any("{{" in link or "{%" in link for link in _LINK.findall(source)):
        found.append(LintProblem(LintProblemCode.VARIABLE_IN_LINK, RuleSeverity.BLOCK, where))
    if found or where == "subject":
        return found
    uncounted = links.untracked_in_html if where == "html" else links.untracked_in_text
    return [
        LintProblem(LintProblemCode.LINK_NOT_COUNTED, RuleSeverity.WARN, where, {"link": link})
        for link in uncounted(source)
    ]


def _words(source: str, where: str, seen: _Seen) -> list[LintProblem]:
    """Find what must not be said, in the source and in everything that it may become."""
    kind = TextKind.HTML if where == "html" else TextKind.TEXT
    try:
        texts = readings.readings(source, kind=kind, language=seen.language, context=seen.context)
    except TooManyChoices:
        return [LintProblem(LintProblemCode.TOO_MANY_CHOICES, RuleSeverity.BLOCK, where)]
    written = readings.constants_of(source, kind=kind, language=seen.language)
    words: dict[str, RuleSeverity] = {}
    listed = seen.rules.banned_words()
    for text in (source, *texts, *written):
        words.update(word_search.banned(text, listed))
    found = [
        LintProblem(
            LintProblemCode.BANNED_WORD
            if severity is RuleSeverity.BLOCK
            else LintProblemCode.RISKY_WORD,
            severity,
            where,
            {"word": word},
        )
        for word, severity in words.items()
    ]
    if seen.is_marketing:
        return found + _rates(texts, where, seen.rules)
    severity = seen.rules.severity_of(RuleCheck.NO_OFFER_IN_SERVICE)
    if severity is None:
        return found
    offering = dict.fromkeys(
        word for text in (source, *texts, *written) for word in word_search.offering(text)
    )
    return found + [
        LintProblem(LintProblemCode.OFFER_IN_SERVICE, severity, where, {"word": word})
        for word in offering
    ]


def _rates(texts: tuple[str, ...], where: str, rules: RulesInForce) -> list[LintProblem]:
    """Find the first price without what has to stand beside it, and the first too high."""
    found: dict[LintProblemCode, LintProblem] = {}
    for text in texts:
        shown = word_search.without_tags(text) if where == "html" else text
        for problem in rule_checks.rate_problems(shown, where, rules):
            found.setdefault(problem.code, problem)
    return list(found.values())


def _example_sms(
    compiled: CompiledSms, signature: str, *, is_marketing: bool, names: frozenset[str]
) -> list[LintProblem]:
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
        return [
            LintProblem(
                LintProblemCode.EXAMPLE_FAILS, RuleSeverity.WARN, "text", {"error": err.code}
            )
        ]
    if parts > _MANY_PARTS:
        return [
            LintProblem(LintProblemCode.MANY_PARTS, RuleSeverity.WARN, "text", {"parts": parts})
        ]
    return []


def _marketing_email(text: str, html_source: str, seen: _Seen) -> list[LintProblem]:
    """Check identity and a way out in every part. Source: 广告法 article 43, RFC 8058, CAN-SPAM.

    Both must show whoever the text is about: what stands in a comment of the source or in one
    branch alone is no way out for those who get the other.
    """
    ways = {name: _SEEN.format(name) for name in ("unsubscribe_url", *_SENDER)}
    context = {**seen.context, **ways}
    found: list[LintProblem] = []
    opt_out = seen.rules.severity_of(RuleCheck.OPT_OUT)
    naming = seen.rules.severity_of(RuleCheck.SENDER_NAMED)
    is_named = False
    for where, source in (("text", text), ("html", html_source)):
        texts = _as_sent(source, where, seen.language, context) if source else ()
        if not texts:
            continue
        if opt_out and not all(_shows(one, ways["unsubscribe_url"], where) for one in texts):
            found.append(LintProblem(LintProblemCode.UNSUBSCRIBE_MISSING, opt_out, where))
        is_named = is_named or all(any(ways[name] in one for name in _SENDER) for one in texts)
    if naming and not is_named:
        found.append(LintProblem(LintProblemCode.SENDER_MISSING, naming, "text"))
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
