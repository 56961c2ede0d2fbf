"""What keeps a text from being sent because of what is filed with the provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns.domain.compliance.rules import RuleSeverity
from campaigns.domain.content import sms_parts, texts
from campaigns.domain.content.lint_problems import LintProblem, LintProblemCode
from campaigns.domain.filing import filed_texts
from campaigns.domain.filing.filing import FilingDemand, FilingStatus
from campaigns.models import Channel, Filing
from campaigns.selectors.filing import standing
from campaigns.selectors.filing.standing import FiledNow
from loancrm.kernel.texts.survey import TemplateRefused
from loancrm.kernel.texts.templates import MissingVariable, OutputTooLong, RenderFailed

_UNWRITTEN = (TemplateRefused, MissingVariable, OutputTooLong, RenderFailed)


@dataclass
class Filings:
    """What providers have approved at a moment; each channel is asked for once."""

    now: datetime
    _known: dict[int, FiledNow] = field(default_factory=dict)

    def faults_of(
        self,
        channel: Channel,
        *,
        text: str,
        language: str,
        constants: Mapping[str, Any],
        is_marketing: bool,
    ) -> tuple[LintProblem, ...]:
        """Return why the provider of a channel would drop a text message, by example values.

        Args:
            channel: Through which it is to go.
            text: The author's template.
            language: `zh-hans` or `en`.
            constants: What the text tells everybody.
            is_marketing: Whether it ends with the opt-out words.
        """
        filed = self._of(channel)
        if filed.demand is FilingDemand.NOTHING:
            return ()
        named = {"channel": channel.name, "signature": standing.signature_of(channel)}
        if filed.signature_id is None:
            return (_fault(LintProblemCode.SIGNATURE_NOT_FILED, named),)
        if filed.demand is FilingDemand.SIGNATURE:
            return ()
        context = texts.example_context() | dict(constants)
        try:
            compiled = texts.compile_sms(text=text, language=language)
            finished, _parts = texts.render_sms(
                compiled,
                context,
                signature=named["signature"],
                opt_out_text=sms_parts.OPT_OUT_TEXT if is_marketing else "",
            )
        except _UNWRITTEN:
            # Said by the check of the text itself.
            return ()
        return _template_faults(filed, finished, context, named)

    def _of(self, channel: Channel) -> FiledNow:
        if channel.pk not in self._known:
            self._known[channel.pk] = standing.filed_now(channel, now=self.now)
        return self._known[channel.pk]


def _template_faults(
    filed: FiledNow, finished: str, context: Mapping[str, Any], named: Mapping[str, str]
) -> tuple[LintProblem, ...]:
    found = filed_texts.matching(filed.templates, finished=finished, context=context)
    if found is None:
        return (_fault(LintProblemCode.TEMPLATE_MISMATCH, named),)
    if found[0].status is FilingStatus.APPROVED:
        return ()
    template = Filing.objects.get(pk=found[0].filing_id).name
    return (_fault(LintProblemCode.TEMPLATE_NOT_FILED, {**named, "template": template}),)


def _fault(code: LintProblemCode, facts: Mapping[str, str]) -> LintProblem:
    return LintProblem(code, RuleSeverity.BLOCK, "text", dict(facts))
