"""A message template as it stands: what its approval covers, and who may not give it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Sum

from campaigns.domain.content import approval
from campaigns.domain.content.approval import ApprovedPart
from campaigns.domain.requests.template import TemplateStatus
from campaigns.domain.sending.states import DispatchStatus
from campaigns.models import Channel, Dispatch, MessageTemplate
from campaigns.selectors.content import approved_touchpoint, current_texts, faults
from campaigns.selectors.content.faults import TextFinding
from loancrm.kernel.auditing import audit


def shown(template: MessageTemplate) -> dict[str, Any]:
    """Return everything that an approval covers, in full, as it stands in the database now."""
    touchpoint = template.touchpoint
    rows = Channel.objects.prefetch_related("stand_ins__other")
    channel = rows.filter(pk=touchpoint.channel_id or 0).first()
    texts = current_texts.of_touchpoint(touchpoint)
    return {
        **approved_touchpoint.shown(channel, texts, name=template.name),
        ApprovedPart.PURPOSE: [
            template.purpose,
            template.service_kind,
            template.product_kind,
        ],
        ApprovedPart.TERMS: [template.name, list(template.variables)],
    }


def stored(template: MessageTemplate) -> dict[str, Any]:
    """Return what people write of a template, as it is stored."""
    texts = template.touchpoint.variants.get(key="A").contents.filter(is_current=True)
    return {
        "name": template.name,
        "channel": template.touchpoint.channel_id,
        "purpose": template.purpose,
        "service_kind": template.service_kind,
        "product_kind": template.product_kind,
        "variables": list(template.variables),
        "texts": [
            [text.locale, text.subject, text.text, text.html] for text in texts.order_by("locale")
        ],
    }


def digest_of(parts: Mapping[str, Any]) -> str:
    """Return the one digest of what `shown` returned."""
    return approval.part_digest({str(part): value for part, value in parts.items()})


def is_approved(template: MessageTemplate) -> bool:
    """Return whether the template as it stands now is the one that was approved."""
    if template.status != TemplateStatus.APPROVED or not template.approved_digest:
        return False
    return digest_of(shown(template)) == template.approved_digest


def is_barred(template: MessageTemplate, user: User) -> bool:
    """Return whether a person wrote the template, or changed it since it was approved last."""
    if user.pk == template.author_id:
        return True
    seen = template.approved_edit_number
    since = audit.seen_by(template, action="message_template.approved")
    texts = current_texts.of_touchpoint(template.touchpoint)
    return (
        template.edits.filter(editor=user, pk__gt=seen).exists()
        or any(text.written.author_id == user.pk for text in texts)
        or (
            approved_touchpoint.has_changed_products(user, since=since)
            and approved_touchpoint.has_products(texts)
        )
    )


def findings_of(template: MessageTemplate, *, now: datetime) -> list[TextFinding]:
    """Return every finding about the template's texts."""
    return faults.findings_of_touchpoint(
        template.touchpoint,
        name=template.name,
        purpose=template.purpose,
        own_names=template.variables,
        now=now,
    )


def held(template: MessageTemplate) -> Sequence[tuple[str, int]]:
    """Return (why, how many dispatches) of what waits for a person."""
    rows = Dispatch.objects.filter(request__template=template, status=DispatchStatus.HELD)
    return list(rows.order_by("hold_reason").values_list("hold_reason").annotate(count=Count("pk")))


def asked_for(template: MessageTemplate) -> int:
    """Return how many messages systems have asked for."""
    found = Dispatch.objects.filter(request__template=template)
    return found.aggregate(total=Sum("audience_count"))["total"] or 0
