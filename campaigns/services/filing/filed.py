"""Under which filings a finished text message goes out."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns.domain.filing import filed_texts
from campaigns.domain.filing.filed_texts import FiledMessage
from campaigns.domain.filing.filing import FilingDemand, FilingStatus
from campaigns.domain.sending.states import HoldReason
from campaigns.selectors.filing.standing import FiledNow
from loancrm.kernel.errors import LoanCrmError


class FilingLapsed(LoanCrmError):
    """A text's template is not approved with the provider now; nobody is failed for it."""

    code = "filing_lapsed"


class TemplateMismatch(LoanCrmError):
    """One person's finished text is none of the filed templates."""

    code = "template_mismatch"


def unfiled(filed: FiledNow) -> HoldReason | None:
    """Return why nothing may go out under what a channel has filed; None where it may."""
    if filed.demand is FilingDemand.NOTHING:
        return None
    if filed.signature_id is None:
        return HoldReason.SIGNATURE_NOT_FILED
    if filed.demand is FilingDemand.TEMPLATE and not filed.has_approved_template:
        return HoldReason.TEMPLATE_NOT_FILED
    return None


def filed_as(
    *, filed: FiledNow, body: str, context: Mapping[str, Any]
) -> tuple[FiledMessage | None, tuple[int, ...]]:
    """Return the filed template that a finished text is, and the filings it goes out under.

    Args:
        filed: What the channel has filed, as it stands.
        body: The finished text.
        context: What it was written from.

    Raises:
        FilingLapsed: The provider has not approved the text's template.
        TemplateMismatch: The text is no filed template.
    """
    signed = () if filed.signature_id is None else (filed.signature_id,)
    if filed.demand is not FilingDemand.TEMPLATE:
        return None, signed
    found = filed_texts.matching(filed.templates, finished=body, context=context)
    if found is None:
        raise TemplateMismatch(_("The finished text is none of the filed templates."))
    template, values = found
    if template.status is not FilingStatus.APPROVED:
        raise FilingLapsed(_("The template of a text is not approved by the provider now."))
    return FiledMessage(template.code, values), (*signed, template.filing_id)
