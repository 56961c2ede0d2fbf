"""Messages of unknown fate: listed with their campaign, and decided by whoever found out."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns import labels
from campaigns.domain.campaign import MessageState
from campaigns.models import Campaign, Message
from campaigns.services.accounts import fates
from campaigns.services.accounts.fates import Fate
from customers.selectors import profile_person
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock

ROWS_A_PAGE = 50
_FATES = {
    Fate.WAS_SENT: ("check", "primary"),
    Fate.WAS_NOT_SENT: ("close", ""),
    Fate.SEND_AGAIN: ("replay", "danger"),
}


def address_of(campaign: Campaign) -> str:
    """Return where the messages of one campaign are listed."""
    return f"{reverse('admin:campaigns_unknown')}?campaign={campaign.slug}"


def unknown(request: HttpRequest) -> HttpResponse:
    """List messages of unknown fate; a POST decides about those chosen, or about all shown."""
    admin_pages.require(request, "campaigns.view_campaign")
    slug = request.GET.get("campaign", "")[:80]
    chosen = Campaign.objects.filter(slug=slug).first() if slug.isascii() and slug else None
    if request.method == "POST":
        _decide(request, chosen)
        return HttpResponseRedirect(request.get_full_path())
    rows = Message.objects.filter(state=MessageState.UNKNOWN)
    counts = list(
        rows.values_list("dispatch__campaign__slug", "dispatch__campaign__name")
        .annotate(count=Count("pk"))
        .order_by("dispatch__campaign__name")
    )
    if chosen is not None:
        rows = rows.filter(dispatch__campaign=chosen)
    related = rows.select_related("customer", "dispatch__campaign", "dispatch__channel")
    page = Paginator(related.order_by("pk"), ROWS_A_PAGE).get_page(request.GET.get("page"))
    return admin_pages.page(
        request,
        "campaigns/unknown.html",
        title=_("Messages of unknown fate"),
        page=page,
        rows=[_row(message) for message in page],
        counts=counts,
        chosen=chosen,
        buttons=_buttons(request, chosen),
    )


def _row(message: Message) -> dict[str, Any]:
    return {
        "message": message,
        "name": profile_person.masked_name(message.customer) or message.customer_id,
        "customer_url": object_url(message.customer),
        "campaign_url": object_url(message.dispatch.campaign),
        "channel": labels.read(labels.CHANNEL_KINDS, message.dispatch.channel_kind),
        "reason": labels.unknown_reason(message.reason),
    }


def _buttons(request: HttpRequest, chosen: Campaign | None) -> list[dict[str, str]]:
    actor = admin_pages.actor_of(request)
    if chosen is None or not access.is_allowed(actor, "campaigns.launch_campaign", chosen):
        return []
    return [
        {
            "fate": fate.value,
            "text": labels.read(labels.FATES, fate.value),
            "icon": icon,
            "kind": kind,
        }
        for fate, (icon, kind) in _FATES.items()
    ]


def _decide(request: HttpRequest, chosen: Campaign | None) -> None:
    ids = [int(pk) for pk in request.POST.getlist("message") if pk.isascii() and pk.isdigit()]
    fate = request.POST.get("fate", "")
    if chosen is None or fate not in set(Fate):
        admin_pages.tell(request, _("Choose a campaign and say what happened."), is_good=False)
        return
    with admin_pages.attempt(request, ""):
        count = fates.decide(
            campaign=chosen,
            message_ids=None if request.POST.get("all") == "on" else [i for i in ids if i < 2**63],
            fate=Fate(fate),
            actor=admin_pages.actor_of(request),
            now=clock.now(),
        )
        text = ngettext("%(count)s message was decided.", "%(count)s messages were decided.", count)
        admin_pages.tell(request, text % {"count": count}, is_good=count > 0)
