"""Messages of unknown fate: found by channel, campaign and day, and decided by who found out."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.admin.unknown import confirmations, decisions
from campaigns.domain.sending.fates import FateDecision
from campaigns.models import Campaign, Channel, Dispatch, Message, MessageTemplate
from campaigns.selectors.receipts import unknown_messages, unknown_traces
from campaigns.selectors.receipts.unknown_messages import Filters
from campaigns.selectors.receipts.unknown_traces import MessageTrace
from campaigns.services.channels import fates
from campaigns.services.receipts import unknown_export
from customers import labels as customer_labels
from customers.domain.exports import csv_lines
from customers.selectors.profile import person
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock

ROWS_A_PAGE = 50
# What is decided at once: it is named in the confirmation, id by id.
MOST_AT_ONCE = 10_000
# The look of each answer's button.
_KINDS = {
    FateDecision.WAS_SENT: "primary",
    FateDecision.WAS_NOT_SENT: "",
    FateDecision.SEND_AGAIN: "danger",
}


def address_of(campaign: Campaign) -> str:
    """Return where the messages of one campaign are listed."""
    return f"{reverse('admin:campaigns_unknown')}?{urlencode({'campaign': campaign.slug})}"


def unknown(request: HttpRequest) -> HttpResponse:
    """List messages of unknown fate; a POST asks about those chosen, then decides."""
    admin_pages.require(request, "campaigns.view_campaign")
    filters = _filters(request.GET)
    if request.method == "POST":
        return _posted(request, filters)
    rows = unknown_messages.found(filters)
    every = unknown_messages.found(Filters())
    related = rows.select_related(
        "customer",
        "channel",
        "dispatch__campaign",
        "dispatch__channel",
        "dispatch__request__template",
    )
    page = Paginator(related, ROWS_A_PAGE).get_page(request.GET.get("page"))
    traces = unknown_traces.of_messages(list(page))
    return admin_pages.page(
        request,
        "campaigns/unknown.html",
        title=_("Messages of unknown fate"),
        page=page,
        rows=[_row(message, traces[message.pk]) for message in page],
        filters=filters,
        page_query=f"{_query(filters)}&" if _query(filters) else "",
        campaigns=unknown_messages.by_campaign(every),
        channels=unknown_messages.by_channel(every),
        days=unknown_messages.by_day(every),
        buttons=(found := _buttons(request, filters.campaign)),
        deciders=[] if found else decisions.deciders(),
        export_url=_export_url(request, filters),
        most_at_once=MOST_AT_ONCE,
        # They are of no campaign, so a chosen part of the messages shows none of them.
        confirmations={} if _query(filters) else confirmations.section(request, clock.now()),
    )


def _filters(query: QueryDict) -> Filters:
    """Return the filters of an address; what names nothing is left open."""
    day = query.get("day", "")
    return Filters(
        campaign=Campaign.objects.filter(slug=_slug(query, "campaign")).first(),
        channel=Channel.objects.filter(slug=_slug(query, "channel")).first(),
        day=_day(day),
    )


def _slug(query: QueryDict, name: str) -> str:
    text = query.get(name, "")[:80]
    return text if text.isascii() and text.isprintable() else ""


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    # The first and the last days have no day before or after them in another zone.
    return found if 1970 <= found.year <= 9000 else None


def _query(filters: Filters) -> str:
    chosen = {
        "campaign": filters.campaign.slug if filters.campaign else "",
        "channel": filters.channel.slug if filters.channel else "",
        "day": filters.day.isoformat() if filters.day else "",
    }
    return urlencode({name: value for name, value in chosen.items() if value})


def export(request: HttpRequest) -> HttpResponse:
    """Send what the filters find as a file with which one can ask the provider."""
    filters = _filters(request.GET)
    admin_pages.require(request, decisions.DECIDES, filters.campaign)
    rows = unknown_export.export_unknown(
        actor=admin_pages.actor_of(request), filters=filters, now=clock.now()
    )
    # The mark at the beginning tells spreadsheet programs how it is written.
    answer = HttpResponse("\ufeff" + csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="unknown_messages.csv"'
    return answer


def _export_url(request: HttpRequest, filters: Filters) -> str:
    """Return where the file is, for who may decide about what it lists."""
    if not access.is_allowed(admin_pages.actor_of(request), decisions.DECIDES, filters.campaign):
        return ""
    return f"{reverse('admin:campaigns_unknown_export')}?{_query(filters)}"


def _row(message: Message, trace: MessageTrace) -> dict[str, Any]:
    channel = message.channel or message.dispatch.channel
    return {
        "message": message,
        "trace": trace,
        "name": person.masked_name(message.customer) or message.customer_id,
        "customer_url": object_url(message.customer),
        "campaign_url": object_url(_owner(message.dispatch)),
        "channel": (channel and channel.name)
        or customer_labels.CHANNELS.label(message.dispatch.channel_kind),
        "reason": labels.unknown_reason(message.reason),
    }


def _owner(dispatch: Dispatch) -> Campaign | MessageTemplate:
    """Return whose messages they are: a campaign's, or those of a template that was asked for."""
    return dispatch.campaign or dispatch.request.template


def _buttons(request: HttpRequest, chosen: Campaign | None) -> list[dict[str, str]]:
    if not access.is_allowed(admin_pages.actor_of(request), decisions.DECIDES, chosen):
        return []
    again = chosen is None or fates.may_be_sent_again(chosen)
    offered = [fate for fate in _KINDS if again or fate is not FateDecision.SEND_AGAIN]
    return decisions.buttons(labels.FATES, _KINDS, offered=offered)


def _posted(request: HttpRequest, filters: Filters) -> HttpResponse:
    ids = _chosen(request.POST, filters)
    return decisions.answer(
        request,
        kind=FateDecision,
        ids=ids,
        ask=lambda fate: _question(request, fate, ids, filters),
        decide=lambda fate: fates.decide_selection(
            message_ids=ids, fate=fate, actor=admin_pages.actor_of(request), now=clock.now()
        ),
        back=HttpResponseRedirect(request.get_full_path()),
    )


def _chosen(post: QueryDict, filters: Filters) -> list[int]:
    """Return the messages that a form names: single ones, or all that its filters find."""
    if post.get("all") == "on":
        rows = unknown_messages.found(filters)
        return list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])
    named = [*post.getlist("message"), *post.get("messages", "").split(",")]
    return decisions.keys(named, most=MOST_AT_ONCE)


def _question(
    request: HttpRequest, fate: FateDecision, ids: list[int], filters: Filters
) -> HttpResponse:
    """Say what a decision will do, for each campaign and template."""
    chosen = unknown_messages.found(Filters()).filter(pk__in=ids)
    owners = [*unknown_messages.by_campaign(chosen), *unknown_messages.by_template(chosen)]
    return decisions.question(
        request,
        "campaigns/unknown_confirm.html",
        title=_("Messages of unknown fate"),
        fate=fate,
        fates=labels.FATES,
        kinds=_KINDS,
        counts=[(name, count) for _slug, name, count in owners],
        total=sum(count for _slug, _name, count in owners),
        messages_chosen=",".join(str(pk) for pk in ids),
        query=_query(filters),
    )
