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
from campaigns.admin import calendar_fields, course_texts
from campaigns.admin.audience import waterfall
from campaigns.admin.starts import trigger_fields
from campaigns.admin.trials import power_texts
from campaigns.channels import registry
from campaigns.domain.campaigns.given import trigger_reading
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again
from campaigns.domain.sending.eligibility import Verdict
from campaigns.domain.sending.states import HoldReason, MessageState
from campaigns.models import Campaign, Message, Step, Variant
from campaigns.selectors import timeline
from campaigns.selectors.campaigns import (
    earlier_runs,
    empty_channels,
    live_progress,
    preview_people,
    status,
)
from campaigns.selectors.sending import channel_states
from campaigns.services.campaigns import (
    approval,
    authoring,
    corrections,
    dead_letters,
    forecasts,
    launch,
    previews,
    recurring,
    rollouts,
    ticking,
)
from campaigns.services.desk import patterns
from customers import labels as customer_labels
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
        actor = admin_pages.actor_of(request)
        if name == "winner":
            rollouts.choose_winner(
                campaign=campaign,
                variant=request.POST.get("variant", ""),
                actor=actor,
                now=clock.now(),
            )
        else:
            _take(name, campaign, actor, comment, request.POST.get("seen", ""))
    if outcome.is_done:
        is_held = (
            name == "launch" and campaign.dispatches.filter(hold_reason=HoldReason.LATE).exists()
        )
        held = _(
            "Launched, but held: its start was missed by more than the campaign allows. Release it"
            " if it may still go out."
        )
        admin_pages.show_message(request, held if is_held else _done(name), is_good=not is_held)
    # The other pages with such a button; a form leads nowhere else.
    others = (reverse("admin:index"), reverse("admin:campaigns_campaign_changelist"))
    asked = request.POST.get("next", "")
    return HttpResponseRedirect(asked if asked in others else object_url(campaign))


def _take(name: str, campaign: Campaign, actor: Actor, comment: str, seen: str) -> None:
    now = clock.now()
    plain: dict[str, Callable[..., Any]] = {
        "submit": authoring.submit_for_review,
        "draft": authoring.return_to_draft,
        "launch": launch.launch_campaign,
        "pause": ticking.pause_campaign,
        "cancel": ticking.cancel_campaign,
        "retry": dead_letters.retry,
        "mark_template": patterns.mark_template,
        "unmark_template": patterns.unmark_template,
        "submit_correction": corrections.submit_correction,
        "reopen_correction": corrections.reopen_correction,
        "discard_correction": corrections.discard_correction,
    }
    if name in plain:
        plain[name](campaign=campaign, actor=actor, now=now)
    elif name == "resume":
        ticking.resume_campaign(campaign=campaign, actor=actor, now=now, reason=comment)
    elif name == "approve":
        approval.approve_campaign(
            campaign=campaign, seen_digest=seen, actor=actor, now=now, comment=comment
        )
    elif name == "correct":
        corrections.start_correction(campaign=campaign, reason=comment, actor=actor, now=now)
    elif name == "approve_correction":
        corrections.approve_correction(
            campaign=campaign, seen_digest=seen, actor=actor, now=now, comment=comment
        )
    elif name == "reject_correction":
        corrections.reject_correction(campaign=campaign, actor=actor, now=now, comment=comment)
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
        "winner": _("Chosen. The rest of the people is written to now."),
        "mark_template": _("It is offered as a template now."),
        "unmark_template": _("It is no template any more."),
        "correct": _("Texts, end and budget can be changed now."),
        "submit_correction": _("Submitted. Another person can approve it now."),
        "approve_correction": _("Approved. It is used when somebody resumes the campaign."),
        "reject_correction": _("Sent back to its author."),
        "reopen_correction": _("It can be changed again."),
        "discard_correction": _("Everything is as it was before the correction."),
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
            "statusLabel": labels.CAMPAIGN_STATUSES.label(campaign.status),
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
        context["calendar"] = calendar_fields.sentence(campaign.recurrence)
        context["waits_for"] = trigger_fields.sentence(campaign.trigger)
        context["coming_runs"] = recurring.coming_runs(campaign, after=found.starts_at)
        if request.user.has_perm("campaigns.view_frequencyrule"):
            context["caps_url"] = reverse("admin:campaigns_frequencyrule_changelist")
        context["powers"] = power_texts.of_forecast(found)
        context["lines"] = waterfall.of_forecast(found)
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
        channel = variant.touchpoint.step.channel
        context["stands_still"] = channel_states.state_of(channel) if channel else None
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
                    "problem": labels.SKIP_REASONS.label(shown.problem),
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
        admin_pages.show_message(request, done, is_good=is_real)
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
        customer = preview_people.match_customer(named, today=clock.today())
        if customer is None:
            raise LoanCrmError(_("There is no such customer."))
        return variant, [customer]
    people = previews.examples(campaign=campaign, step=variant.touchpoint.step, now=clock.now())
    if not people:
        raise LoanCrmError(_("Nobody is in the campaign's segment at present."))
    return variant, people


def _known_fate(campaign: Campaign, variant: Variant, customer: Customer) -> tuple[str, str] | None:
    """Return (tone, text) where nothing is to be decided any more; None where the gates say it."""
    if campaign.next_run_at is not None:
        return _earlier_run(campaign, variant.touchpoint.step, customer)
    rows = Message.objects.filter(dispatch__touchpoint=variant.touchpoint_id, customer=customer)
    row = rows.order_by("-dispatch__run_number").first()
    if row is not None and row.state != MessageState.PLANNED:
        state = labels.MESSAGE_STATES.label(row.state)
        return "", _("Is decided already: %(state)s.") % {"state": state}
    if campaign.status in live_progress.OVER:
        return "", _("The campaign is over: nothing is sent any more.")
    return None


def _earlier_run(campaign: Campaign, step: Step, customer: Customer) -> tuple[str, str] | None:
    """Return (tone, text) where the campaign's own rule keeps her from its next run."""
    if earlier_runs.is_on_the_way(campaign, step, customer):
        return None
    if customer.pk not in earlier_runs.excluded(campaign, [customer.pk]):
        return None
    if earlier_runs.is_held_out(campaign, customer):
        return "", _("Is in the control group of the latest run and gets no message.")
    calendar = of_stored(campaign.recurrence) or trigger_reading.of_stored(campaign.trigger)
    if calendar is not None and calendar.again is Again.NOT_WITHIN_DAYS:
        text = _("Was in a run less than %(days)s days before the next one and is not in that.")
        return "", text % {"days": calendar.again_after_days}
    return "", _("Was in an earlier run and gets nothing more of this campaign.")


def _verdict(shown: previews.MessagePreview) -> tuple[str, str]:
    """Return (tone, text): whether this customer would get the message now."""
    if shown.problem:
        problem = labels.SKIP_REASONS.label(shown.problem)
        return "bad", _("Would not be sent: %(reason)s.") % {"reason": problem}
    reason = labels.SKIP_REASONS.label(shown.decision.reason or "")
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
            "channel": customer_labels.CHANNELS.label(row.dispatch.channel_kind),
            "state": labels.MESSAGE_STATES.label(row.state),
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
