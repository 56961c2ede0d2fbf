"""The steps of one campaign as end points: each is one service call."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from campaigns import labels
from campaigns.admin import course_texts
from campaigns.channels import registry
from campaigns.domain.sending.eligibility import Verdict
from campaigns.domain.sending.states import MessageState
from campaigns.models import Campaign, Message, Variant
from campaigns.selectors import timeline
from campaigns.selectors.campaigns import empty_channels, live_progress, preview_people, status
from campaigns.services.campaigns import (
    approval,
    authoring,
    dead_letters,
    forecasts,
    launch,
    previews,
    ticking,
)
from customers.models import Customer
from customers.selectors.profile import person
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError

MESSAGES_SHOWN = 50


@require_POST
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take one step with a campaign and go back to its page."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    comment = request.POST.get("comment", "").strip()
    with admin_pages.attempt(request, "") as outcome:
        _take(name, campaign, admin_pages.actor_of(request), comment, request.POST.get("seen", ""))
    if outcome.is_done:
        is_held = name == "launch" and campaign.dispatches.filter(hold_reason="late").exists()
        held = _(
            "Launched, but held: its start was missed by more than the campaign allows. Release it"
            " if it may still go out."
        )
        admin_pages.tell(request, held if is_held else _done(name), is_good=not is_held)
    return HttpResponseRedirect(object_url(campaign))


def _take(name: str, campaign: Campaign, actor: Actor, comment: str, seen: str) -> None:
    now = clock.now()
    plain: dict[str, Callable[..., Any]] = {
        "submit": authoring.submit_for_review,
        "draft": authoring.return_to_draft,
        "launch": launch.launch_campaign,
        "pause": ticking.pause_campaign,
        "resume": ticking.resume_campaign,
        "cancel": ticking.cancel_campaign,
        "retry": dead_letters.retry,
    }
    if name in plain:
        plain[name](campaign=campaign, actor=actor, now=now)
    elif name == "approve":
        approval.approve_campaign(
            campaign=campaign, seen_digest=seen, actor=actor, now=now, comment=comment
        )
    elif name == "reject":
        approval.reject_campaign(campaign=campaign, actor=actor, now=now, comment=comment)
    else:
        raise LoanCrmError(_("There is no such step."), step=name)


def _done(name: str) -> str:
    return {
        "submit": _("Submitted. Another person can approve it now."),
        "draft": _("Back to draft."),
        "approve": _("Approved."),
        "reject": _("Sent back to its author."),
        "launch": _("Launched. Progress appears below."),
        "pause": _("Paused."),
        "resume": _("Going on."),
        "cancel": _("Cancelled."),
        "retry": _("They are tried again."),
    }.get(name, "")


@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the state counts of a campaign for the live bar; they add up to the audience."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    found = status.status_of(campaign)
    runs = course_texts.runs(live_progress.dispatches(campaign))
    return JsonResponse(
        {
            "audience": found.audience,
            "states": found.states,
            "status": campaign.status,
            "statusLabel": labels.read(labels.CAMPAIGN_STATUSES, campaign.status),
            "isFinished": campaign.status in live_progress.OVER,
            "facts": {
                "sent": f"{found.sent_count:,}",
                "spent": f"¥{found.cost_amount}",
                "standstill": course_texts.standing_still(campaign),
                "waiting": course_texts.waiting(campaign),
                **{f"run-{run.pk}": state for run, _name, state, _hold in runs},
            },
        }
    )


@require_GET
def forecast(request: HttpRequest, pk: int) -> HttpResponse:
    """Return what a launch would do now, as a piece of the page."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    context: dict[str, Any] = {
        "error": "",
        "campaign": campaign,
        "empty_channels": empty_channels.of_campaign(campaign),
    }
    try:
        found = forecasts.forecast(
            campaign=campaign, actor=admin_pages.actor_of(request), now=clock.now()
        )
        context["forecast"] = found
        if request.user.has_perm("campaigns.view_frequencyrule"):
            context["caps_url"] = reverse("admin:campaigns_frequencyrule_changelist")
        context["skipped"] = [
            (labels.read(labels.REASONS, reason), count) for reason, count in found.skipped.items()
        ]
    except LoanCrmError as error:
        context["error"] = error.message
    return render(request, "campaigns/forecast.html", context)


@require_POST
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Return one variant as some customers would get it, as a piece of the page."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.view_campaign", campaign)
    context: dict[str, Any] = {
        "error": "",
        "previews": [],
        "empty_channels": empty_channels.of_campaign(campaign),
    }
    try:
        variant, people = _choice(request, campaign)
        found = previews.preview(
            campaign=campaign,
            variant=variant,
            customers=people,
            actor=admin_pages.actor_of(request),
            now=clock.now(),
        )
        for customer, shown in zip(people, found, strict=True):
            context["previews"].append(
                {
                    "customer": customer,
                    "customer_name": person.masked_name(customer),
                    "customer_url": object_url(customer),
                    "preview": shown,
                    "verdict": _known_fate(campaign, variant, customer) or _verdict(shown),
                    "problem": labels.read(labels.REASONS, shown.problem),
                }
            )
    except LoanCrmError as error:
        context["error"] = error.message
    return render(request, "campaigns/preview.html", context)


@require_POST
def test_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one message, written as for a customer, to the reader's own address."""
    campaign = get_object_or_404(Campaign, pk=pk)
    with admin_pages.attempt(request, "") as outcome:
        variant, (customer, *_others) = _choice(request, campaign)
        previews.send_test(
            campaign=campaign,
            step=variant.touchpoint.step,
            variant=variant,
            customer=customer,
            to=request.POST.get("to", ""),
            actor=admin_pages.actor_of(request),
            now=clock.now(),
        )
    if outcome.is_done:
        channel = variant.touchpoint.step.channel
        is_real = channel is None or not registry.reaches_nobody(channel.backend)
        nobody = _("Nothing was sent: this channel only writes into a log or into memory.")
        done = _("The test message is on its way.") if is_real else nobody
        admin_pages.tell(request, done, is_good=is_real)
    return HttpResponseRedirect(object_url(campaign))


def _choice(request: HttpRequest, campaign: Campaign) -> tuple[Variant, list[Customer]]:
    """Return the variant and the customer that the form names; the first ones where it does not."""
    variants = Variant.objects.filter(touchpoint__step__campaign=campaign).select_related(
        "touchpoint__channel", "touchpoint__step"
    )
    wanted = request.POST.get("variant", "")
    variant = variants.filter(pk=wanted).first() if admin_pages.is_key(wanted) else None
    variant = variant or variants.order_by("touchpoint__step__position", "key").first()
    if variant is None:
        raise LoanCrmError(_("The campaign has no message yet."))
    if named := request.POST.get("customer", "").strip():
        customer = preview_people.find(named, today=clock.today())
        if customer is None:
            raise LoanCrmError(_("There is no such customer."))
        return variant, [customer]
    people = previews.examples(campaign=campaign, step=variant.touchpoint.step, now=clock.now())
    if not people:
        raise LoanCrmError(_("Nobody is in the campaign's segment at present."))
    return variant, people


def _known_fate(campaign: Campaign, variant: Variant, customer: Customer) -> tuple[str, str] | None:
    """Return (tone, text) where nothing is to be decided any more; None where the gates say it."""
    rows = Message.objects.filter(dispatch__touchpoint=variant.touchpoint_id, customer=customer)
    row = rows.order_by("-dispatch__run_number").first()
    if campaign.next_run_at is not None:
        # She may be in the next run, whatever became of this one's message.
        row = None
    if row is not None and row.state != MessageState.PLANNED:
        state = labels.read(labels.MESSAGE_STATES, row.state)
        return "", _("Is decided already: %(state)s.") % {"state": state}
    if campaign.status in live_progress.OVER:
        return "", _("The campaign is over: nothing is sent any more.")
    return None


def _verdict(shown: previews.Preview) -> tuple[str, str]:
    """Return (tone, text): whether this customer would get the message now."""
    if shown.problem:
        problem = labels.read(labels.REASONS, shown.problem)
        return "bad", _("Would not be sent: %(reason)s.") % {"reason": problem}
    reason = labels.read(labels.REASONS, shown.decision.reason or "")
    match shown.decision.verdict:
        case Verdict.PASS:
            return "good", _("Would be sent now.")
        case Verdict.DEFER:
            return "warn", _("Would be sent later: %(reason)s.") % {"reason": reason}
        case Verdict.SKIP | Verdict.HOLD_OUT:
            return "bad", _("Would not be sent: %(reason)s.") % {"reason": reason}


@require_GET
def customer_messages(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Return what one customer was sent or not sent, and why, as a piece of the profile page."""
    admin_pages.require(request, "campaigns.view_campaign")
    rows = list(timeline.messages_of(customer_id).order_by("-told_at", "-pk")[: MESSAGES_SHOWN + 1])
    shown = [
        {
            "message": row,
            "campaign": row.dispatch.campaign,
            "campaign_url": object_url(row.dispatch.campaign) if row.dispatch.campaign else "",
            "channel": labels.read(labels.CHANNEL_KINDS, row.dispatch.channel_kind),
            "state": labels.read(labels.MESSAGE_STATES, row.state),
            "why": timeline.refusal_notes(row),
        }
        for row in rows[:MESSAGES_SHOWN]
    ]
    more = (
        ngettext(
            "The newest %(count)s is shown.", "The newest %(count)s are shown.", MESSAGES_SHOWN
        )
        % {"count": MESSAGES_SHOWN}
        if len(rows) > MESSAGES_SHOWN
        else ""
    )
    return render(request, "campaigns/customer_messages.html", {"rows": shown, "more": more})
