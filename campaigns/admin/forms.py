"""The form in which a marketer writes a campaign; it becomes the same description as a file."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns import labels
from campaigns.admin.audience.exclusion_fields import ExclusionFields, initial_exclusions
from campaigns.admin.calendar_fields import CalendarFields, initial_calendar
from campaigns.admin.message_fields import (
    MessageFields,
    field_of,
    initial_messages,
)
from campaigns.admin.starts.trigger_fields import TriggerFields, initial_trigger
from campaigns.admin.stored_messages import StoredMessage
from campaigns.admin.trials.content_test_fields import ContentTestFields, initial_content_test
from campaigns.domain.campaigns.campaign import CampaignStatus
from campaigns.domain.campaigns.correction import CORRECTABLE
from campaigns.domain.campaigns.given import trigger_reading
from campaigns.domain.campaigns.given.changes import MAX_HOLDOUT
from campaigns.domain.campaigns.given.exclusions_reading import exclusions_of
from campaigns.domain.campaigns.given.recurrence_reading import of_stored
from campaigns.domain.compliance.offers import product_kind_for
from campaigns.domain.sending.service_messages import ServiceKind, kind_for
from campaigns.labels import compliance as labels_of_rules
from campaigns.models import Campaign
from campaigns.selectors.campaigns import content_tests
from campaigns.selectors.content.faults import TextFinding
from campaigns.services.campaigns.composer import autosaves
from campaigns.services.content.writing import TextUnreadable
from customers import labels as customer_labels
from customers.domain.consents.consent import Purpose
from customers.domain.events.event import EventName
from customers.models import Segment
from loancrm.kernel.errors import LoanCrmError

COUNT = "message_count"
# Who sends more to the same people begins another campaign.
MOST_MESSAGES = 10
GOALS = (
    EventName.APPLICATION_SUBMITTED,
    EventName.APPLICATION_STARTED,
    EventName.APPLICATION_APPROVED,
    EventName.LOAN_DISBURSED,
    EventName.REPAYMENT_MADE,
    EventName.APP_LOGIN,
    EventName.LINK_CLICKED,
    EventName.CONVERSION_REPORTED,
)


class NamedSegments(forms.ModelChoiceField):  # type: ignore[type-arg] # not at run time
    """Segments by name, with their last count."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the segment's name and how many people it had when last counted."""
        return f"{obj.name} · {obj.last_count:,}" if obj.last_count is not None else obj.name


class MomentInput(forms.DateTimeInput):
    """One input for date and time in the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        """Use the theme's look."""
        super().__init__(attrs={"class": " ".join(widgets.INPUT_CLASSES)}, format="%Y-%m-%dT%H:%M")


def _most(label: Any, help_text: Any) -> forms.IntegerField:
    widget = widgets.UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(
        label=label, required=False, min_value=1, widget=widget, help_text=help_text
    )


class CampaignForm(CalendarFields, TriggerFields, ContentTestFields, ExclusionFields):
    """Everything about a campaign on one page; rules are the service's."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=widgets.UnfoldAdminTextInputWidget()
    )
    segment = NamedSegments(
        label=_("Segment"),
        queryset=Segment.objects.none(),
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Who gets the message. The audience is frozen at launch."),
    )
    goal_event = forms.ChoiceField(
        label=_("Goal"),
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("The event that counts as success."),
    )
    goal_window_days = forms.IntegerField(
        label=_("Goal window in days"),
        min_value=1,
        max_value=365,
        initial=7,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=_("Success counts this many days after the message."),
    )
    stops_at_goal = forms.BooleanField(
        label=_("No message after the goal"),
        required=False,
        initial=True,
        widget=widgets.UnfoldBooleanWidget(),
        help_text=_("Who reaches the goal before her message goes out gets none."),
    )
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        initial=Purpose.MARKETING,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Marketing needs a marketing consent; service messages only inform."),
    )
    service_kind = forms.ChoiceField(
        label=_("Kind of service message"),
        required=False,
        initial=ServiceKind.NOTICE,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Only of service messages. One-time codes and fraud warnings go at any hour."),
    )
    product_kind = forms.ChoiceField(
        label=_("What it is about"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("An offer of credit always needs a consent for marketing."),
    )
    description = forms.CharField(
        label=_("Note for colleagues"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    start_at = forms.DateTimeField(
        label=_("Start"),
        required=False,
        widget=MomentInput(),
        help_text=_("Empty: as soon as somebody launches it. Quiet hours are always kept."),
    )
    end_at = forms.DateTimeField(
        label=_("End"),
        required=False,
        widget=MomentInput(),
        help_text=_("Nothing is sent from then on, whatever is left. Empty: no end."),
    )
    late_limit_hours = forms.IntegerField(
        label=_("Latest start, hours late"),
        min_value=1,
        initial=24,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=_("If the start is missed by more, a person has to decide."),
    )
    holdout_percent = forms.DecimalField(
        label=_("Control group, %"),
        min_value=0,
        max_value=MAX_HOLDOUT * 100,
        initial=10,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=_("These people get nothing; comparing with them shows what the campaign did."),
    )
    budget_amount = forms.DecimalField(
        label=_("Budget, CNY"),
        required=False,
        min_value=Decimal("0.01"),
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=_("Sending stops before it is exceeded. Empty: no limit."),
    )
    message_limit = _most(_("Most messages"), _("Sending stops there. Empty: no limit."))
    daily_message_limit = _most(
        _("Most messages a day"), _("The rest waits for the next day. Empty: no limit.")
    )
    cost_per_message = forms.DecimalField(
        label=_("Cost a message, CNY"),
        required=False,
        min_value=0,
        max_digits=10,
        decimal_places=4,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=_("Empty: the channel's own price a part."),
    )

    def __init__(
        self,
        *args: Any,
        campaign: Campaign | None = None,
        messages: Sequence[StoredMessage] = (),
        message_count: int = 0,
        may_write_service: bool = False,
        **kwargs: Any,
    ) -> None:
        """Fill the choices.

        Args:
            campaign: The draft that is edited; None for a new one.
            messages: Those of the draft, or of the campaign that is copied; each has its fields.
            message_count: How many messages are shown at least.
            may_write_service: Whether the reader may write messages that go without a consent.
        """
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        self.text_faults: dict[str, list[TextFinding]] = {}
        self.fill_calendar()
        self.fill_trigger()
        self.fill_content_test()
        self.fill_exclusions()
        self._choice("goal_event", [(g, customer_labels.event(g)) for g in GOALS])
        self._queryset("segment", Segment.objects.order_by("name"))
        self._choice("product_kind", [("", "–"), *labels_of_rules.PRODUCT_KINDS.choices()])
        if may_write_service:
            self._choice("service_kind", labels.SERVICE_KINDS.choices())
            self._choice("purpose", [(p, customer_labels.PURPOSES.label(p)) for p in Purpose])
        else:
            del self.fields["service_kind"]
            marketing = (Purpose.MARKETING, customer_labels.PURPOSES.label(Purpose.MARKETING))
            self._choice("purpose", [marketing])
        count = min(max(message_count, _sent_count(self.data)), MOST_MESSAGES)
        count = max(count, len(messages), 1)
        self.initial[COUNT] = count
        self.fields[COUNT] = forms.IntegerField(required=False, widget=forms.HiddenInput())
        if campaign is not None and campaign.status == CampaignStatus.PAUSED:
            # A correction: what it may not change stays, whatever is sent.
            for name in set(self.base_fields) - CORRECTABLE:
                if name in self.fields:
                    self.fields[name].disabled = True
        self.messages = [
            MessageFields(self, number + 1, messages[number] if number < len(messages) else None)
            for number in range(count)
        ]

    def _choice(self, name: str, choices: list[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = choices

    def _queryset(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = rows

    def show_faults(self, findings: Iterable[TextFinding]) -> None:
        """Put findings about the stored texts beside their fields."""
        for finding in findings:
            name = field_of(finding)
            if name in self.fields:
                self.text_faults.setdefault(name, []).append(finding)

    def show_refusal(self, error: LoanCrmError | None) -> None:
        """Put what the service refused beside the field that it is about."""
        problems: Any = error.facts.get("problems", ()) if error is not None else ()
        if "slug" in dict(problems):
            self.add_error("name", _("There is a campaign of this name already; choose another."))
        if isinstance(error, TextUnreadable) and (name := field_of(error.finding)) in self.fields:
            self.add_error(name, str(error.finding))

    def as_sent(self) -> dict[str, Any]:
        """Return what was filled in, unchecked, as values for another form."""
        return {
            name: field.widget.value_from_datadict(self.data, self.files, name)
            for name, field in self.fields.items()
        }

    def groups(self) -> list[dict[str, Any]]:
        """Return the messages as they are drawn."""
        return [
            {"fields": message, "blocks": list(message.blocks(self.text_faults))}
            for message in self.messages
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for every text that is not there, in words beside its field."""
        cleaned: dict[str, Any] = super().clean() or {}
        for message in self.messages:
            message.clean()
        if all(message.is_out for message in self.messages):
            self.add_error(None, _("A campaign needs at least one message; leave one in."))
        elif not self.errors:
            self.refuse_unclear_trigger(has_calendar=self.calendar() is not None)
            first = self.described_messages()[0]
            self.refuse_untestable(
                variants=len(first.get("variants", ())),
                recurrence=self.calendar() or self.trigger(),
            )
        return cleaned

    def described_messages(self) -> list[dict[str, Any]]:
        """Return the messages' descriptions, as a file would give them."""
        return [message.described() for message in self.messages if not message.is_out]

    def spec(self, *, now: datetime) -> dict[str, Any]:
        """Return the campaign's description, as a file would give it."""
        data = self.cleaned_data
        start_at, end_at = data.get("start_at"), data.get("end_at")
        return {
            "slug": autosaves.slug_of(data["name"], at=now),
            "name": data["name"],
            "description": data.get("description", ""),
            "purpose": data["purpose"],
            "service_kind": data.get("service_kind", ""),
            "product_kind": data.get("product_kind", ""),
            "goal": {
                "event": data["goal_event"],
                "window_days": data["goal_window_days"],
                "stops_messages": data["stops_at_goal"],
            },
            "segment": data["segment"].slug,
            "message_limit": data.get("message_limit"),
            "daily_message_limit": data.get("daily_message_limit"),
            "exclude": self.described_exclusions(),
            "steps": self.described_messages(),
            "holdout_share": str(data["holdout_percent"] / 100),
            "schedule": {
                "start_at": start_at.isoformat() if start_at else None,
                "end_at": end_at.isoformat() if end_at else None,
                "late_limit_hours": data["late_limit_hours"],
                "repeat": self.described_calendar(),
                "trigger": self.described_trigger(),
            },
            "budget_amount": _number(data.get("budget_amount")),
            "cost_per_message": _number(data.get("cost_per_message")),
            "experiment": self.described_content_test(),
        }

    def changes(self) -> dict[str, Any]:
        """Return the fields of the draft that differ from what is stored."""
        data = self.cleaned_data
        wanted = {
            **{
                name: data[name]
                for name in (
                    "name", "description", "segment", "purpose", "goal_event", "goal_window_days",
                    "stops_at_goal", "start_at", "end_at", "late_limit_hours", "budget_amount",
                    "cost_per_message", "message_limit", "daily_message_limit",
                )
            },
            "service_kind": kind_for(data["purpose"], data.get("service_kind", "")),
            "product_kind": product_kind_for(data["purpose"], data.get("product_kind", "")),
            "holdout_share": data["holdout_percent"] / 100,
        }  # fmt: skip
        changed: dict[str, Any] = {
            name: value for name, value in wanted.items() if getattr(self.campaign, name) != value
        }
        calendar = self.calendar()
        if self.campaign is not None and calendar != of_stored(self.campaign.recurrence):
            changed["recurrence"] = calendar
        trigger = self.trigger()
        if self.campaign is not None and trigger != trigger_reading.of_stored(
            self.campaign.trigger
        ):
            changed["trigger"] = trigger
        if self.campaign is not None:
            if (excluded := self.exclusions()) != exclusions_of(self.campaign.exclusions):
                changed["exclusions"] = excluded
            stored = content_tests.plan_of(content_tests.of_campaign(self.campaign))
            if (plan := self.content_test()) != stored:
                changed["content_test"] = plan
        return changed


def _sent_count(sent: Mapping[str, Any]) -> int:
    """Return how many messages the form had that was sent."""
    told = str(sent.get(COUNT) or "")
    return int(told) if re.fullmatch("[0-9]{1,3}", told) else 0


def _number(value: Any) -> str | None:
    return None if value is None else str(value)


def initial_of(campaign: Campaign, messages: Sequence[StoredMessage]) -> dict[str, Any]:
    """Return the form's values for an existing campaign, to edit it or to copy it."""
    values: dict[str, Any] = {
        name: getattr(campaign, name)
        for name in (
            "name", "segment", "goal_event", "goal_window_days", "stops_at_goal", "purpose",
            "service_kind", "product_kind", "description", "late_limit_hours", "budget_amount",
            "cost_per_message", "message_limit", "daily_message_limit",
        )
    }  # fmt: skip
    values["holdout_percent"] = f"{campaign.holdout_share * 100:f}".rstrip("0").rstrip(".")
    values["end_at"] = campaign.end_at
    is_own = campaign.status in {CampaignStatus.DRAFT, CampaignStatus.PAUSED}
    values["start_at"] = campaign.start_at if is_own else None
    values |= initial_calendar(campaign.recurrence) | initial_content_test(campaign)
    values |= initial_exclusions(campaign)
    values |= initial_trigger(campaign.trigger)
    return values | initial_messages(messages)
