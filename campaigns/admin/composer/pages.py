"""Writing a new campaign or a draft: the form, saved by its button or by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.admin.composer import picker
from campaigns.admin.forms import MOST_MESSAGES, CampaignForm, initial_of
from campaigns.admin.stored_messages import StoredMessage, stored_messages
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.labels import composer as composer_labels
from campaigns.models import Campaign, Channel
from campaigns.selectors.campaigns import corrections
from campaigns.selectors.content import faults
from campaigns.services.campaigns import authoring
from campaigns.services.campaigns.composer import autosaves
from customers.domain.consents.consent import Purpose
from customers.models import Segment
from loancrm import admin_pages, stale_forms
from loancrm.admin_site import object_url
from loancrm.kernel import access, clock
from loancrm.kernel.database import stale
from loancrm.kernel.errors import LoanCrmError

SERVICE = "campaigns.send_service_messages"
AUTOSAVE = "autosave"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form and what is asked of it."""

    form: CampaignForm
    is_to_be_saved: bool
    is_autosave: bool


def add(request: HttpRequest, model_admin: "ModelAdmin[Campaign]") -> HttpResponse:
    """Write a new campaign, or a copy of one that exists."""
    admin_pages.require(request, "campaigns.author_campaign")
    initial, copied = _beginning(request)
    sent = _sent(request, initial, messages=copied)
    if sent.is_to_be_saved and sent.form.is_valid():
        now = clock.now()
        if sent.is_autosave:
            return _autosaved(sent.form, lambda: _create(request, sent, now), now)
        with admin_pages.attempt(request, _("The draft is saved.")) as outcome:
            campaign = _create(request, sent, now)
        if outcome.is_done:
            return HttpResponseRedirect(object_url(campaign))
        sent.form.show_refusal(outcome.error)
    if sent.is_autosave:
        return _waiting(sent.form)
    return _page(request, model_admin, sent.form, title=_("New campaign"))


def edit(request: HttpRequest, model_admin: "ModelAdmin[Campaign]", pk: int) -> HttpResponse:
    """Change a draft; every changed text becomes a new version."""
    campaign = get_object_or_404(Campaign, pk=pk)
    admin_pages.require(request, "campaigns.author_campaign", campaign)
    is_correcting = corrections.is_editing(campaign)
    if campaign.status != CampaignStatus.DRAFT and not is_correcting:
        return _locked(request, campaign)
    if campaign.purpose == Purpose.SERVICE:
        admin_pages.require(request, SERVICE)
    written = stored_messages(campaign)
    sent = _sent(request, initial_of(campaign, written), campaign=campaign, messages=written)
    error: LoanCrmError | None = None
    if sent.is_to_be_saved and sent.form.is_valid():
        if sent.is_autosave:
            return _autosaved(sent.form, lambda: _save(request, campaign, sent), clock.now())
        with admin_pages.attempt(request, _("The draft is saved.")) as outcome:
            _save(request, campaign, sent)
        if outcome.is_done:
            return HttpResponseRedirect(object_url(campaign))
        error = outcome.error
        sent.form.show_refusal(error)
    if sent.is_autosave:
        return _waiting(sent.form)
    _explain(request, campaign, sent, is_correcting=is_correcting)
    title = _("Edit %(name)s") % {"name": campaign.name}
    return _page(request, model_admin, sent.form, title=title, campaign=campaign, error=error)


def _locked(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    words = _("Only a draft can be changed. Take it back to draft first.")
    if AUTOSAVE in request.POST:
        return _unsaved("refused", words)
    messages.warning(request, words)
    return HttpResponseRedirect(object_url(campaign))


def _explain(request: HttpRequest, campaign: Campaign, sent: _Sent, *, is_correcting: bool) -> None:
    """Say what a correction may change, and what is wrong with the stored texts."""
    if is_correcting:
        messages.info(
            request,
            _("A correction: only texts, the end and the amount of the budget can be changed."),
        )
    if not sent.is_to_be_saved:
        sent.form.show_faults(faults.findings_of(campaign, now=clock.now()))


def _beginning(request: HttpRequest) -> tuple[dict[str, Any], list[StoredMessage]]:
    """Return what a new campaign begins with: those of another, a segment, or nothing."""
    if admin_pages.is_key(request.GET.get("copy", "")):
        original = get_object_or_404(Campaign, pk=request.GET["copy"])
        admin_pages.require(request, "campaigns.view_campaign", original)
        copied = stored_messages(original)
        initial = initial_of(original, copied)
        # A copy is for another day: nobody has said which.
        for date in ("start_at", "end_at", "repeat_until"):
            initial[date] = None
        copy = _("%(name)s (copy)") % {"name": original.name}
        # What a template is called says nothing of the new one.
        initial["name"] = "" if original.is_template else copy
        return initial, copied
    if admin_pages.is_key(request.GET.get("segment", "")):
        return {"segment": request.GET["segment"]}, []
    return {}, []


def _create(request: HttpRequest, sent: _Sent, now: datetime) -> Campaign:
    return authoring.create_campaign(
        source=sent.form.spec(now=now),
        actor=admin_pages.actor_of(request),
        now=now,
        is_autosave=sent.is_autosave,
    )


@transaction.atomic
def _save(request: HttpRequest, campaign: Campaign, sent: _Sent) -> Campaign:
    """Store what changed, by the services that check it."""
    given: dict[str, Any] = {
        "actor": admin_pages.actor_of(request),
        "now": clock.now(),
        "is_autosave": sent.is_autosave,
    }
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    stale.refuse_stale(stale_forms.posted(request), initial_of(locked, stored_messages(locked)))
    changes = sent.form.changes()
    if not (changes or sent.is_autosave) and autosaves.has_only_saved_itself(locked):
        # From here on it has the slug that it has: a person has said so.
        changes = {"name": campaign.name}
    if changes:
        authoring.update_campaign(campaign=campaign, changes=changes, **given)
    authoring.revise_messages(campaign=campaign, messages=sent.form.described_messages(), **given)
    return campaign


def _autosaved(form: CampaignForm, save: Callable[[], Campaign], now: datetime) -> JsonResponse:
    """Save as the button would, and say when, or why not; the page stays where it is."""
    if any(message.is_out for message in form.messages):
        # The numbers of the messages after it would change below the author's hands.
        return _unsaved("waiting", _("Press “Save draft” to take the message out."))
    try:
        campaign = save()
    except stale.StaleSave:
        # What is stored is shown once the button is pressed, and the other may be the same person.
        words = _(
            "Somebody else, or you in another tab, has saved this since you opened it: nothing is"
            " saved by itself any more. Press “Save draft” to see what is stored beside what you"
            " wrote."
        )
        return _unsaved("stale", words)
    except access.PermissionRefused as error:
        return _unsaved("refused", error.message)
    except LoanCrmError as error:
        form.show_refusal(error)
        return _waiting(form) if form.errors else _unsaved("waiting", error.message)
    fresh = Campaign.objects.get(pk=campaign.pk)
    return JsonResponse(
        {
            "state": "saved",
            "words": _("Saved %(time)s") % {"time": f"{timezone.localtime(now):%H:%M}"},
            "seen": stale.digest_of(initial_of(fresh, stored_messages(fresh))),
            "edit": reverse("admin:campaigns_campaign_edit", args=[campaign.pk]),
            "checks": reverse("admin:campaigns_campaign_checks", args=[campaign.pk]),
        }
    )


def _waiting(form: CampaignForm) -> JsonResponse:
    """Name what keeps a draft from being saved by itself, field by field."""
    missing: list[str] = []
    wrong: list[str] = []
    for name, errors in form.errors.as_data().items():
        label = str(form.fields[name].label) if name in form.fields else ""
        if label and all(error.code == "required" for error in errors):
            missing.append(label)
            continue
        words = "; ".join(message for error in errors for message in error.messages)
        wrong.append(_("%(where)s: %(what)s") % {"where": label, "what": words} if label else words)
    said = []
    if missing:
        listed = _(", ").join(dict.fromkeys(missing))
        said.append(_("Not saved yet, to be filled in: %(fields)s") % {"fields": listed})
    if wrong:
        listed = " · ".join(dict.fromkeys(wrong))
        said.append(_("Not saved yet: %(problems)s") % {"problems": listed})
    return _unsaved("waiting", " · ".join(said))


def _unsaved(state: str, words: str) -> JsonResponse:
    return JsonResponse({"state": state, "words": words})


def _page(
    request: HttpRequest,
    model_admin: "ModelAdmin[Campaign]",
    form: CampaignForm,
    *,
    title: str,
    campaign: Campaign | None = None,
    error: LoanCrmError | None = None,
) -> HttpResponse:
    return admin_pages.page(
        request,
        "campaigns/form.html",
        title=title,
        model_admin=model_admin,
        form=form,
        messages_of_form=form.groups(),
        may_add_message=len(form.messages) < MOST_MESSAGES,
        campaign=campaign,
        templates=_templates(request, model_admin) if campaign is None else [],
        has_segments=Segment.objects.exists(),
        has_channels=Channel.objects.filter(is_active=True).exists(),
        add_segment_url=reverse("admin:customers_segment_add"),
        steps=[(step.value, term) for step, term in composer_labels.COMPOSING_STEPS.items()],
        samples=[(key.value, term) for key, term in composer_labels.SAMPLE_PEOPLE.items()],
        variables=picker.entries(),
        **(_stale_context(request, campaign, form, error) if campaign else {}),
    )


def _templates(request: HttpRequest, model_admin: "ModelAdmin[Campaign]") -> list[tuple[str, str]]:
    add_url = reverse("admin:campaigns_campaign_add")
    rows = model_admin.get_queryset(request).filter(is_template=True).order_by("name")
    return [(row.name, f"{add_url}?copy={row.pk}") for row in rows]


def _sent(
    request: HttpRequest,
    initial: Mapping[str, Any],
    *,
    messages: Sequence[StoredMessage],
    campaign: Campaign | None = None,
) -> _Sent:
    """Return the form, and whether it was sent to be saved.

    Asked for another message, it comes back as it was filled in, with an empty one more.
    """
    given: dict[str, Any] = {
        "campaign": campaign,
        "messages": messages,
        "may_write_service": request.user.has_perm(SERVICE),
    }
    is_autosave = AUTOSAVE in request.POST
    form = CampaignForm(request.POST or None, initial=initial, **given)
    if "add_message" not in request.POST:
        return _Sent(form, request.method == "POST", is_autosave)
    count = len(form.messages) + 1
    again = CampaignForm(initial=form.as_sent(), message_count=count, **given)
    return _Sent(again, is_to_be_saved=False, is_autosave=False)


def _stale_context(
    request: HttpRequest, campaign: Campaign, form: CampaignForm, error: LoanCrmError | None
) -> dict[str, Any]:
    """Return what the form carries, and what is stored where a save was refused as stale."""
    # Read again: a refused save has left its values in the object.
    fresh = Campaign.objects.get(pk=campaign.pk)
    stored = initial_of(fresh, stored_messages(fresh))
    is_stale = isinstance(error, stale.StaleSave)
    return stale_forms.context(
        request,
        stored,
        error=error,
        differences=stale_forms.differences_of(form) if is_stale else (),
    )
