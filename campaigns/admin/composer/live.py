"""The preview that stands beside a text while it is typed: one request, nothing is stored."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.domain.content.sample_people import SamplePerson
from campaigns.domain.content.written import LOCALES, TextSpec
from campaigns.models import Campaign, Channel
from campaigns.services.campaigns.composer import draft_previews
from campaigns.services.campaigns.composer.draft_previews import DraftPreview, DraftText
from customers.domain.consents.consent import Purpose
from loancrm import admin_pages
from loancrm.kernel import clock

E = TypeVar("E", bound=StrEnum)
MOST_CHARACTERS = 200_000
MOST_COST = Decimal(1_000_000)


@require_POST
def live(request: HttpRequest) -> JsonResponse:
    """Return one text as a made-up person would get it, and what is wrong with it."""
    draft = _draft(request)
    if draft is None or not (draft.text.text.strip() or draft.text.html.strip()):
        note = _("Write the text, and the message appears here as people get it.")
        if draft is None:
            note = _("Choose a channel, and the message appears here as you write it.")
        html = render_to_string("campaigns/live.html", {"note": note}, request)
        return JsonResponse({"html": html, "findings": [], "unknown": []})
    sample = _one_of(request.POST.get("sample", ""), SamplePerson, SamplePerson.TYPICAL)
    found = draft_previews.preview_draft(draft=draft, sample=sample, now=clock.now())
    context = {"preview": found, "sender": draft.channel.sender}
    return JsonResponse(
        {
            "html": render_to_string("campaigns/live.html", context, request),
            "findings": _findings(found),
            "unknown": found.unknown,
        }
    )


def _draft(request: HttpRequest) -> DraftText | None:
    """Return the text that is sent, after asking whether its writer may write it."""
    pk = request.POST.get("campaign", "")
    campaign = get_object_or_404(Campaign, pk=pk) if admin_pages.is_key(pk) else None
    admin_pages.require(request, "campaigns.author_campaign", campaign)
    key = request.POST.get("channel", "")
    channel = Channel.objects.filter(pk=key).first() if admin_pages.is_key(key) else None
    if channel is None:
        return None
    locale = request.POST.get("locale", "")
    parts = (request.POST.get(part, "")[:MOST_CHARACTERS] for part in ("subject", "text", "html"))
    is_email = channel.kind == "email"
    subject, text, html = parts
    return DraftText(
        channel=channel,
        text=TextSpec(
            locale if locale in LOCALES else LOCALES[0],
            subject if is_email else "",
            text,
            html if is_email else "",
        ),
        purpose=_one_of(request.POST.get("purpose", ""), Purpose, Purpose.MARKETING),
        name=request.POST.get("name", "")[:120],
        variant=request.POST.get("variant", "")[:2] or "A",
        unit_cost=_cost(request.POST.get("cost", "")),
    )


def _one_of(text: str, enum: type[E], otherwise: E) -> E:
    try:
        return enum(text)
    except ValueError:
        return otherwise


def _cost(text: str) -> Decimal | None:
    try:
        cost = Decimal(text)
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and 0 <= cost <= MOST_COST else None


def _findings(found: DraftPreview) -> list[dict[str, object]]:
    return [
        {
            "part": finding.place.part,
            "line": finding.place.line,
            "isBlocking": finding.is_blocking,
            "words": _("Line %(number)s: %(what)s")
            % {"number": finding.place.line, "what": finding.what}
            if finding.place.line
            else finding.what,
        }
        for finding in found.findings
    ]
