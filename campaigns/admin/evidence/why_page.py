"""One page: why somebody got a campaign's message, or none. Nothing on it names the person."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from campaigns import labels
from campaigns.domain.evidence.gates import GateLine
from campaigns.domain.sending.states import OPEN_STATES, MessageState
from campaigns.labels import evidence as evidence_labels
from campaigns.labels import receipts as receipt_labels
from campaigns.models import Campaign, Message, MessageText
from campaigns.selectors import timeline
from campaigns.selectors.campaigns import preview_people
from campaigns.selectors.evidence import reasons
from campaigns.selectors.evidence.reasons import MessageReason, Reasons
from campaigns.services.evidence import reading
from campaigns.services.evidence.reading import TextDamaged
from customers import labels as customer_labels
from customers.models import Customer
from customers.selectors.profile import person
from customers.services.privacy.reveals import RevealRefused
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock

_REVEALS = "customers.reveal_pii"


@require_GET
def look_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to the page of the person that a form names."""
    campaign = get_object_or_404(Campaign, pk=pk)
    _require(request, campaign)
    customer = preview_people.match_customer(request.GET.get("customer", ""), today=clock.today())
    if customer is None:
        admin_pages.show_message(request, _("There is no such customer."), is_good=False)
        return HttpResponseRedirect(object_url(campaign))
    return HttpResponseRedirect(reverse("why:person", args=[campaign.pk, customer.pk]))


@never_cache
@require_GET
def why(request: HttpRequest, pk: int, customer_id: int) -> HttpResponse:
    """Show why a person got the messages of a campaign, or did not."""
    campaign = get_object_or_404(Campaign.objects.select_related("segment__current_version"), pk=pk)
    _require(request, campaign)
    customer = get_object_or_404(Customer, pk=customer_id)
    found = reasons.reasons_of(
        campaign=campaign,
        customer=customer,
        now=clock.now(),
        zone=clock.company_zone(),
        language=get_language() or "en",
    )
    return _page(request, customer, found, campaign)


@never_cache
@require_GET
def why_message(request: HttpRequest, message_id: int) -> HttpResponse:
    """Show the way of one message; that of a campaign has its place on the campaign's page."""
    message = get_object_or_404(
        Message.objects.select_related("dispatch__campaign", "dispatch__channel", "customer"),
        pk=message_id,
    )
    campaign = message.dispatch.campaign
    _require(request, campaign)
    if campaign is not None:
        url = reverse("why:person", args=[campaign.pk, message.customer_id])
        return HttpResponseRedirect(url)
    return _page(request, message.customer, reasons.reasons_of_message(message), None)


@never_cache
@require_POST
def text(request: HttpRequest, text_id: int) -> HttpResponse:
    """Return one text to the letter, as a piece of the page, or why it is not shown."""
    rows = MessageText.objects.select_related("message__dispatch__campaign")
    row = get_object_or_404(rows, pk=text_id)
    _require(request, row.message.dispatch.campaign)
    admin_pages.require(request, _REVEALS, row.message.customer)
    template = "campaigns/message_text.html"
    try:
        shown = reading.read_text(
            actor=admin_pages.actor_of(request),
            text_id=text_id,
            reason=request.POST.get("reason", ""),
            now=clock.now(),
        )
    except (RevealRefused, TextDamaged) as refusal:
        return TemplateResponse(request, template, {"text_id": text_id, "problem": refusal.message})
    except MessageText.DoesNotExist as error:
        raise Http404 from error
    return TemplateResponse(request, template, {"text_id": text_id, "shown": shown})


def _require(request: HttpRequest, campaign: Campaign | None) -> None:
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    admin_pages.require(request, "customers.view_customer")


def _page(
    request: HttpRequest, customer: Customer, found: Reasons, campaign: Campaign | None
) -> HttpResponse:
    name = campaign.name if campaign else found.messages[0].message.dispatch.name
    return admin_pages.page(
        request,
        "campaigns/why.html",
        title=_("Why: “%(name)s” and this person") % {"name": name},
        campaign=campaign,
        campaign_url=object_url(campaign) if campaign else "",
        customer=customer,
        customer_url=object_url(customer),
        masked=person.masked_name(customer) or f"#{customer.pk}",
        found=found,
        messages_shown=[_shown(one) for one in found.messages],
        nothing=_nothing(customer, found),
        may_read=access.is_allowed(admin_pages.actor_of(request), _REVEALS, customer),
    )


def _shown(one: MessageReason) -> dict[str, Any]:
    """Return one message in words."""
    row = one.message
    tone, summary = _summary(row)
    return {
        "row": row,
        "at": row.sent_at or row.closed_at or row.planned_at,
        "tone": tone,
        "summary": summary,
        "state": labels.MESSAGE_STATES.label(row.state),
        "channel": customer_labels.CHANNELS.label(row.dispatch.channel_kind),
        "notes": timeline.refusal_notes(row),
        "gates": [_gate(line) for line in one.gates],
        "texts": one.texts,
        "receipts": [
            (receipt_labels.REPORT_KINDS.label(line.kind), line.at, line.detail)
            for line in one.receipts
        ],
        "visits": [
            (line, [evidence_labels.MACHINE_SIGNS.label(sign) for sign in line.signs])
            for line in one.visits
        ],
    }


def _gate(line: GateLine) -> tuple[str, str, str]:
    """Return (gate, tone, answer)."""
    outcomes = evidence_labels.GATE_OUTCOMES
    return (
        labels.GATES.label(line.gate),
        outcomes.tone(line.outcome),
        outcomes.label(line.outcome),
    )


def _summary(row: Message) -> tuple[str, str]:
    """Return (tone, sentence) of what became of a message."""
    state = labels.MESSAGE_STATES.label(row.state)
    reason = labels.message_reason(row.reason) if row.reason else ""
    tone, words = _SUMMARIES[MessageState(row.state)]
    if reason and MessageState(row.state) in OPEN_STATES:
        words = gettext_lazy("The person was chosen; the message waits: %(reason)s.")
    return tone, str(words) % {"reason": reason or state}


_WAITS = gettext_lazy("The person was chosen; the message has not been handed over yet.")
_LOST = gettext_lazy("It was handed over and did not arrive: %(reason)s.")
_SUMMARIES: Mapping[MessageState, tuple[str, Any]] = {
    MessageState.PLANNED: ("", _WAITS),
    MessageState.SENDING: ("", _WAITS),
    MessageState.SENT: (
        "good",
        gettext_lazy("The person was chosen, every gate let it pass, and the provider took it."),
    ),
    MessageState.DELIVERED: (
        "good",
        gettext_lazy("The person was chosen, every gate let it pass, and it was delivered."),
    ),
    MessageState.BOUNCED: ("bad", _LOST),
    MessageState.FAILED: ("bad", _LOST),
    MessageState.UNKNOWN: (
        "warn",
        gettext_lazy("It was handed over, and nobody knows whether it arrived."),
    ),
    MessageState.SKIPPED: (
        "bad",
        gettext_lazy("The person was chosen and got no message: %(reason)s."),
    ),
    MessageState.HELD_OUT: (
        "warn",
        gettext_lazy("The person was chosen and drawn into the control group, which gets nothing."),
    ),
    MessageState.CANCELLED: (
        "bad",
        gettext_lazy("The person was chosen, and the rest of the campaign was given up."),
    ),
}


def _nothing(customer: Customer, found: Reasons) -> str:
    """Return why there is no message at all; empty where there is one."""
    if found.messages:
        return ""
    if found.moment is None:
        words = _("Nobody has been chosen yet. The conditions below are asked as of now.")
    elif customer.created_at > found.moment:
        words = _("The person was not stored here yet when the people were chosen.")
    elif customer.merged_into_id is not None:
        words = _("This record was merged into another; look at that one.")
    elif found.failed_then:
        words = _("The person did not meet the conditions marked below when people were chosen.")
    elif found.failing_now:
        words = _(
            "The person was not among those chosen. What the marked conditions compare may have"
            " been the same then; it has no history."
        )
    else:
        words = _(
            "The person was not among those chosen, but meets every condition now: what decided has"
            " changed since, or an earlier run or share of the campaign took them out."
        )
    return words
