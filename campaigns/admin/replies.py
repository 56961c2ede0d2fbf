"""Replies that may be refusals: read by who keeps the stop list, who says what they are."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from campaigns.domain.receipts.replies import ReplyDecision
from campaigns.labels import receipts as receipt_labels
from campaigns.models import UnclearReply
from campaigns.services.consents import unclear_replies
from customers import labels as customer_labels
from customers.selectors.profile import person
from loancrm import admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import is_allowed
from loancrm.kernel.admin.read_only import ReadOnlyAdmin


@admin.register(UnclearReply)
class UnclearReplyAdmin(ReadOnlyAdmin):
    """What waits comes first, the newest before the older."""

    list_display = ("sender", "channel_label", "received_at", "result")
    list_filter = (
        vocabulary_filter(
            "decision",
            gettext_lazy("decision"),
            ReplyDecision,
            receipt_labels.REPLY_DECISIONS.label,
        ),
    )
    ordering = ("decision", "-received_at", "-id")
    show_full_result_count = False
    empty_template = "campaigns/reply_empty.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnclearReply]:
        """Read everything in one query."""
        return UnclearReply.objects.select_related("customer", "channel")

    @admin.display(description=gettext_lazy("sender"))
    def sender(self, row: UnclearReply) -> str:
        """Return the customer, or the masked number of somebody who is none."""
        if row.customer is None:
            return row.sender_masked or _("unknown")
        return f"#{row.customer_id} {person.masked_name(row.customer)}".strip()

    @admin.display(description=gettext_lazy("channel"), ordering="channel")
    def channel_label(self, row: UnclearReply) -> str:
        """Return the channel's name."""
        return row.channel.name or customer_labels.CHANNELS.label(row.channel.kind)

    @admin.display(description=gettext_lazy("decision"), ordering="decision")
    def result(self, row: UnclearReply) -> str:
        """Return the decision as a coloured badge."""
        return admin_pages.badge(
            receipt_labels.REPLY_DECISIONS.tone(row.decision),
            receipt_labels.REPLY_DECISIONS.label(row.decision),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the words to who may decide; a sent form says what they are."""
        row = admin_pages.row_of(self.get_queryset(request), object_id)
        admin_pages.require(request, "campaigns.view_unclearreply", row)
        if request.method == "POST":
            return _decide(request, row)
        return _page(request, self, row)


@never_cache
def _page(request: HttpRequest, model_admin: UnclearReplyAdmin, row: UnclearReply) -> HttpResponse:
    actor = admin_pages.actor_of(request)
    may_read = is_allowed(actor, unclear_replies.PERMISSION)
    words = unclear_replies.read(actor=actor, reply_id=row.pk, now=clock.now()) if may_read else ""
    return admin_pages.page(
        request,
        "campaigns/reply.html",
        title=_("Is this reply a refusal?"),
        model_admin=model_admin,
        row=row,
        words=words,
        sender=model_admin.sender(row),
        customer_url=object_url(row.customer) if row.customer else "",
        channel=model_admin.channel_label(row),
        result=model_admin.result(row),
        is_open=row.decision == ReplyDecision.OPEN,
        may_read=may_read,
    )


def _decide(request: HttpRequest, row: UnclearReply) -> HttpResponse:
    """Store what the reply is; back to the list when it worked, else stay."""
    given = request.POST.get("decision", "")
    decision = ReplyDecision(given) if given in set(ReplyDecision) else ReplyDecision.OPEN
    noted = _("Noted: %(word)s.") % {"word": receipt_labels.REPLY_DECISIONS.label(decision)}
    with admin_pages.attempt(request, noted) as done:
        unclear_replies.decide(
            actor=admin_pages.actor_of(request),
            reply_id=row.pk,
            decision=decision,
            reason=request.POST.get("reason", "")[:500],
            now=clock.now(),
        )
    if done.is_done:
        return HttpResponseRedirect(reverse("admin:campaigns_unclearreply_changelist"))
    return HttpResponseRedirect(object_url(row))
