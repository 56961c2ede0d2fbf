"""What is wrong with a text before it may be approved.

Every check is about the source or its example rendering; nothing about one person is known here.
"""

import html
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaigns.domain import banned_words, content, email_html, sms_parts
from campaigns.domain.content import CompiledEmail, CompiledSms
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.text_templates import TemplateRefused


class Severity(StrEnum):
    """Whether a finding stops an approval or only asks for attention."""

    BLOCK = "block"
    WARN = "warn"


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
    IMAGE_ONLY = "image_only"
    MANY_PARTS = "many_parts"


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


_RATE_CLAIM = re.compile(r"日息|日利率|日费率|月息|月利率|月费率|月费|月供低至|利息低至|免息")
_APR = re.compile(r"年化|annual(?:ised|ized)?|APR", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s\"'<>]*")
_TAG = re.compile(r"<[^>]*>")
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_FEW_WORDS = 20
_MANY_PARTS = 4


def blocks(problems: tuple[Problem, ...]) -> bool:
    """Return whether any finding stops an approval."""
    return any(problem.severity is Severity.BLOCK for problem in problems)


def check_sms(
    *,
    text: str,
    language: str,
    signature: str,
    is_marketing: bool,
    known_names: frozenset[str] = frozenset(),
) -> tuple[Problem, ...]:
    """Return what is wrong with a text message.

    Args:
        text: The author's template.
        language: `zh-hans` or `en`.
        signature: The channel's registered signature, without brackets.
        is_marketing: Whether the rules for marketing apply.
        known_names: Variables beside the catalogue that will have values, such as attributes.
    """
    if not text.strip():
        return (Problem(ProblemCode.EMPTY, Severity.BLOCK, "text"),)
    found: list[Problem] = []
    if not signature:
        found.append(Problem(ProblemCode.SIGNATURE_MISSING, Severity.BLOCK, "text"))
    body = text.removeprefix(f"【{signature}】")
    if "【" in body or "】" in body:
        found.append(Problem(ProblemCode.SIGNATURE_IN_BODY, Severity.BLOCK, "text"))
    try:
        compiled = content.compile_sms(text=text, language=language)
    except TemplateRefused as err:
        return (*found, _refused(err, "text"))
    found += _unknown(compiled, known_names)
    found += _links(text, "text")
    found += _words(text, "text", is_marketing=is_marketing)
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
    for where, part in (("subject", subject), ("text", text), ("html", html_source)):
        found += _links(part, where)
        found += _words(part, where, is_marketing=is_marketing)
    if is_marketing:
        found += _marketing_email(text, html_source, compiled)
    if html_source and _is_image_only(html_source):
        found.append(Problem(ProblemCode.IMAGE_ONLY, Severity.WARN, "html"))
    return tuple(found)


def banned(text: str) -> tuple[tuple[str, Severity], ...]:
    """Return the forbidden and risky words in a text, however they are dressed up.

    Width, case, blanks, punctuation, emoji, HTML entities, tags, traditional characters,
    look-alikes and pinyin with or without tones make no difference.
    """
    bare = _bare(text)
    found = [(word, Severity.BLOCK) for word in banned_words.BLOCKED if word in bare]
    letters = _letters(text)
    found += [
        (word, Severity.BLOCK)
        for pinyin, word in banned_words.PINYIN.items()
        if pinyin in letters and (word, Severity.BLOCK) not in found
    ]
    found += [(word, Severity.WARN) for word in banned_words.WARNED if word in bare]
    return tuple(found)


def _refused(err: TemplateRefused, where: str) -> Problem:
    return Problem(ProblemCode.TEMPLATE_REFUSED, Severity.BLOCK, where, dict(err.facts))


def _unknown(compiled: CompiledSms | CompiledEmail, known_names: frozenset[str]) -> list[Problem]:
    return [
        Problem(ProblemCode.UNKNOWN_VARIABLE, Severity.BLOCK, "text", {"name": name})
        for name in content.unknown_variables(compiled.variables)
        if name not in known_names
    ]


def _links(source: str, where: str) -> list[Problem]:
    """Find addresses that a person's data would become part of."""
    found = [
        Problem(ProblemCode.VARIABLE_IN_LINK, Severity.BLOCK, where, {"code": code})
        for code in email_html.unsafe_links(source)
    ]
    if any("{{" in link or "{%" in link for link in _LINK.findall(source)):
        found.append(Problem(ProblemCode.VARIABLE_IN_LINK, Severity.BLOCK, where))
    return found


def _words(source: str, where: str, *, is_marketing: bool) -> list[Problem]:
    found = [
        Problem(
            ProblemCode.BANNED_WORD if severity is Severity.BLOCK else ProblemCode.RISKY_WORD,
            severity,
            where,
            {"word": word},
        )
        for word, severity in banned(source)
    ]
    if is_marketing and _RATE_CLAIM.search(_bare(source)) and not _APR.search(source):
        found.append(Problem(ProblemCode.RATE_WITHOUT_APR, Severity.BLOCK, where))
    return found


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
    except LoanCrmError as err:
        return [Problem(ProblemCode.EXAMPLE_FAILS, Severity.WARN, "text", {"error": err.code})]
    if parts > _MANY_PARTS:
        return [Problem(ProblemCode.MANY_PARTS, Severity.WARN, "text", {"parts": parts})]
    return []


def _marketing_email(text: str, html_source: str, compiled: CompiledEmail) -> list[Problem]:
    """Check identity and a way out in every part. Source: 广告法 article 43, RFC 8058, CAN-SPAM."""
    found = [
        Problem(ProblemCode.UNSUBSCRIBE_MISSING, Severity.BLOCK, where)
        for where, part in (("text", text), ("html", html_source))
        if part and "unsubscribe_url" not in part
    ]
    if not compiled.variables & {"brand", "sender_address", "hotline"}:
        found.append(Problem(ProblemCode.SENDER_MISSING, Severity.WARN, "text"))
    return found


def _is_image_only(source: str) -> bool:
    if "<img" not in source.lower():
        return False
    words = _CODE.sub("xxx", email_html.text_of(source))
    return sum(character.isalnum() for character in words) < _FEW_WORDS


def _bare(source: str) -> str:
    """Return the letters and digits alone, in one spelling."""
    plain = html.unescape(_TAG.sub("", _CODE.sub("", source)))
    folded = unicodedata.normalize("NFKC", plain).casefold()
    return "".join(
        banned_words.VARIANTS.get(character, character)
        for character in folded
        if character.isalnum()
    )


def _letters(source: str) -> str:
    """Return the Latin letters alone, without accents, for words written in pinyin."""
    plain = html.unescape(_TAG.sub("", _CODE.sub("", source)))
    split = unicodedata.normalize("NFKD", plain).casefold()
    return "".join(character for character in split if "a" <= character <= "z")
