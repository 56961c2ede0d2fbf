"""The part of a campaign's form that says what it waits for, and how that reads in words."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold import widgets

from campaigns.admin import calendar_fields
from campaigns.domain.campaigns.given.trigger_reading import of_stored
from campaigns.domain.campaigns.recurrence import Again
from campaigns.domain.campaigns.trigger import (
    LONGEST_CONDITION,
    MOST_DELAY_MINUTES,
    TRIGGER_EVENTS,
    Trigger,
    TriggerKind,
    TriggerRefusal,
)
from campaigns.labels import triggers as labels_of_triggers
from campaigns.labels.calendar import AGAIN
from campaigns.models import Campaign
from campaigns.selectors.triggers import listening
from customers import labels as customer_labels


class TriggerFields(forms.Form):
    """What a campaign waits for."""

    trigger_on = forms.ChoiceField(
        label=gettext_lazy("Waits for"), required=False, widget=widgets.UnfoldAdminSelectWidget()
    )
    trigger_event = forms.ChoiceField(
        label=gettext_lazy("Event"), required=False, widget=widgets.UnfoldAdminSelectWidget()
    )
    trigger_channel = forms.CharField(
        label=gettext_lazy("Channel of the event"),
        required=False,
        max_length=LONGEST_CONDITION,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Empty: any."),
    )
    trigger_subject = forms.CharField(
        label=gettext_lazy("What the event is about"),
        required=False,
        max_length=LONGEST_CONDITION,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Empty: anything."),
    )
    trigger_amount_at_least = forms.DecimalField(
        label=gettext_lazy("Amount at least"),
        required=False,
        min_value=0,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )
    trigger_amount_at_most = forms.DecimalField(
        label=gettext_lazy("Amount at most"),
        required=False,
        min_value=0,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )
    trigger_delay_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes from the trigger to the message"),
        required=False,
        min_value=0,
        max_value=MOST_DELAY_MINUTES,
        initial=0,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("Who reaches the goal meanwhile gets no message."),
    )
    trigger_again = forms.ChoiceField(
        label=gettext_lazy("Who had an earlier message of it"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    trigger_again_after_days = forms.IntegerField(
        label=gettext_lazy("Again after so many days"),
        required=False,
        min_value=1,
        max_value=3650,
        initial=30,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )

    def fill_trigger(self) -> None:
        """Fill the choices, in the reader's language."""
        nothing = [("", _("nothing: it starts at its time"))]
        events = [(name.value, customer_labels.event(name)) for name in TRIGGER_EVENTS]
        for name, choices in (
            ("trigger_on", nothing + labels_of_triggers.KINDS.choices()),
            ("trigger_event", [("", "–"), *events]),
            ("trigger_again", AGAIN.choices()),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
            field.choices = choices

    def trigger_fields(self) -> list[forms.BoundField]:
        """Return the fields as they are drawn, the first one apart."""
        return [self[name] for name in TriggerFields.base_fields if name != "trigger_on"]

    def described_trigger(self) -> dict[str, Any] | None:
        """Return what it waits for as a file would give it; None for nothing."""
        data = self.cleaned_data
        kind = data.get("trigger_on")
        if not kind:
            return None
        described = {
            "on": kind,
            "delay_minutes": data.get("trigger_delay_minutes") or 0,
            "again": data.get("trigger_again") or Again.EVERY_RUN.value,
            "again_after_days": data.get("trigger_again_after_days") or 30,
        }
        if kind == TriggerKind.EVENT:
            described |= {
                "event": data.get("trigger_event", ""),
                "channel": data.get("trigger_channel", ""),
                "subject": data.get("trigger_subject", ""),
                "amount_at_least": _number(data.get("trigger_amount_at_least")),
                "amount_at_most": _number(data.get("trigger_amount_at_most")),
            }
        return described

    def trigger(self) -> Trigger | None:
        """Return what was filled in."""
        return of_stored(self.described_trigger())

    def refuse_unclear_trigger(self, *, has_calendar: bool) -> None:
        """Put what does not go together beside its field."""
        data = self.cleaned_data
        kind = data.get("trigger_on")
        if not kind:
            return
        if has_calendar:
            self.add_error("trigger_on", _("A campaign waits for something or has a calendar."))
        least, most = data.get("trigger_amount_at_least"), data.get("trigger_amount_at_most")
        if kind == TriggerKind.EVENT and not data.get("trigger_event"):
            self.add_error("trigger_event", _("Say which event it waits for."))
        if least is not None and most is not None and most < least:
            self.add_error("trigger_amount_at_most", _("Not less than the amount at least."))


def initial_trigger(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the form's values for what a campaign waits for."""
    trigger = of_stored(value)
    if trigger is None:
        return {"trigger_on": ""}
    return {
        "trigger_on": trigger.kind.value,
        "trigger_event": trigger.event,
        "trigger_channel": trigger.channel,
        "trigger_subject": trigger.subject,
        "trigger_amount_at_least": trigger.amount_at_least,
        "trigger_amount_at_most": trigger.amount_at_most,
        "trigger_delay_minutes": trigger.delay_minutes,
        "trigger_again": trigger.again.value,
        "trigger_again_after_days": trigger.again_after_days,
    }


def short(value: Mapping[str, Any] | None) -> str:
    """Return what a campaign waits for in a few words; empty for nothing."""
    trigger = of_stored(value)
    if trigger is None:
        return ""
    if trigger.kind is TriggerKind.API:
        return labels_of_triggers.KINDS.label(trigger.kind)
    return _("on event: %(event)s") % {"event": customer_labels.event(trigger.event)}


def sentence(value: Mapping[str, Any] | None) -> str:
    """Return what a campaign waits for in words; empty for nothing."""
    trigger = of_stored(value)
    if trigger is None:
        return ""
    parts = [short(value)]
    if trigger.channel:
        parts.append(_("through %(channel)s") % {"channel": trigger.channel})
    if trigger.subject:
        parts.append(_("about %(subject)s") % {"subject": trigger.subject})
    if trigger.amount_at_least is not None:
        parts.append(_("at least ¥%(amount)s") % {"amount": trigger.amount_at_least})
    if trigger.amount_at_most is not None:
        parts.append(_("at most ¥%(amount)s") % {"amount": trigger.amount_at_most})
    count = trigger.delay_minutes
    parts.append(
        ngettext("after %(count)s minute", "after %(count)s minutes", count) % {"count": count}
        if count
        else _("at once")
    )
    if trigger.again is Again.NOT_WITHIN_DAYS:
        days = trigger.again_after_days
        parts.append(
            ngettext(
                "nobody twice within %(count)s day", "nobody twice within %(count)s days", days
            )
            % {"count": days}
        )
    elif trigger.again is Again.NEVER_TWICE:
        parts.append(AGAIN.label(trigger.again))
    return " · ".join(parts)


def standing(campaign: Campaign) -> dict[str, Any]:
    """Return what a campaign's page says of its calendar or of its triggers."""
    return {
        "calendar": calendar_fields.sentence(campaign.recurrence),
        "waits_for": sentence(campaign.trigger),
        "triggers": counts(campaign),
    }


def counts(campaign: Campaign) -> list[tuple[str, str, int]]:
    """Return (key, words, count) of what became of a campaign's triggers; empty without any."""
    found = listening.counts_of(campaign)
    if found is None:
        return []
    return [
        ("received", _("received"), found.received),
        ("waiting", _("still waiting"), found.waiting),
        ("enrolled", _("became messages"), found.enrolled),
        *(
            (reason, labels_of_triggers.REFUSALS.label(TriggerRefusal(reason)), count)
            for reason, count in found.refused.items()
        ),
    ]


def _number(value: Any) -> str | None:
    return None if value is None else str(value)
