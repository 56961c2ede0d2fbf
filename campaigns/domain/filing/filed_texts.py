"""Filed templates: their text, their variables, and which one a finished message is.

The provider puts the values into the text itself, so a message may only go out where the template
with the values put in is, character by character, what was rendered and checked here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from campaigns.domain.content import sms_parts
from campaigns.domain.filing.filing import FilingStatus
from loancrm.kernel.texts.templates import (
    MissingVariable,
    OutputTooLong,
    RenderFailed,
    TextKind,
    TextTemplate,
    compile_text,
)

# As the providers write them: ${name}, {name}, {1}.
_VARIABLE = re.compile(r"\$?\{\s*([A-Za-z_0-9]{1,40})\s*\}")
_UNFILLED = (MissingVariable, RenderFailed, OutputTooLong)


@dataclass(frozen=True, slots=True)
class FiledMessage:
    """A template of a provider with the values of one person.

    Attributes:
        code: The provider's own name of the template.
        values: By the provider's name of each variable.
    """

    code: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FiledTemplate:
    """A template as it was filed, ready to be filled.

    Attributes:
        filing_id: Its row.
        code: The provider's own name of it.
        text: As filed, without the signature.
        expressions: What each of the provider's variables holds, as texts say it.
    """

    filing_id: int
    code: str
    text: str
    status: FilingStatus
    expressions: Mapping[str, TextTemplate] = field(repr=False)

    def filled(self, context: Mapping[str, Any]) -> tuple[str, dict[str, str]] | None:
        """Return the text with the values put in, and the values; None where one is missing."""
        values = {}
        for name, expression in self.expressions.items():
            try:
                values[name] = expression.render(dict(context)).strip()
            except _UNFILLED:
                return None
        return _VARIABLE.sub(lambda found: values.get(found.group(1), ""), self.text), values


def names_in(text: str) -> tuple[str, ...]:
    """Return the provider's variables in a filed text, each once, in their order."""
    return tuple(dict.fromkeys(found.group(1) for found in _VARIABLE.finditer(text)))


def compiled_expression(written: str, *, language: str) -> TextTemplate:
    """Compile what a variable holds, such as `name` or `offer_amount | money`.

    Raises:
        TemplateRefused: It is nothing that texts may say.
    """
    return compile_text("{{ " + written + " }}", kind=TextKind.TEXT, language=language)


def same_text(finished: str, filled: str) -> bool:
    """Return whether a finished message is a filled template.

    The signature is put before it by the provider and filed on its own.
    """
    return _body(finished) == _body(filled)


def matching(
    templates: Sequence[FiledTemplate], *, finished: str, context: Mapping[str, Any]
) -> tuple[FiledTemplate, dict[str, str]] | None:
    """Return the filed template that a finished message is, an approved one before others.

    Args:
        templates: All that are filed with the provider, whatever their state.
        finished: The message as it was rendered and checked.
        context: What it was rendered from.
    """
    ordered = sorted(templates, key=lambda template: template.status is not FilingStatus.APPROVED)
    for template in ordered:
        filled = template.filled(context)
        if filled is not None and same_text(finished, filled[0]):
            return template, filled[1]
    return None


def _body(text: str) -> str:
    stripped = text.strip()
    signature = sms_parts.leading_signature(stripped)
    return stripped.removeprefix(f"【{signature}】").strip() if signature else stripped
