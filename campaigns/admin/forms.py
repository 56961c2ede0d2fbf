"""The form in which a marketer writes a campaign; it becomes the same description as a file."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from campaigns import labels
from campaigns.domain.campaign import CampaignStatus
from campaigns.domain.given.changes import MAX_HOLDOUT
from campaigns.domain.spec import LOCALES
from campaigns.models import Campaign, Channel, ContentVersion
from campaigns.selectors.content_faults import TextFinding
from customers import labels as customer_labels
from customers.domain.consent import Purpose
from customers.domain.events import EventName
from customers.models import Segment

VARIANT_KEYS = ("A", "B", "C")
FALLBACK_KEY = "F"
PARTS = ("subject", "text", "html")
LOCALE_NAMES = {"zh-hans": "中文", "en": "English"}
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


class ChannelSelect(widgets.UnfoldAdminSelectWidget):  # type: ignore[misc] # no types shipped
    """A choice of channels whose options carry the kind, so that the page shows fitting fields."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return one option with its channel's kind."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        channel = getattr(value, "instance", None)
        if channel is not None:
            option["attrs"]["data-kind"] = channel.kind
        return option


class NamedSegments(forms.ModelChoiceField):  # type: ignore[type-arg] # not at run time
    """Segments by name, with their last count."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the segment's name and how many people it had when last counted."""
        return f"{obj.name} · {obj.last_count:,}" if obj.last_count is not None else obj.name


class NamedChannels(forms.ModelChoiceField):  # type: ignore[type-arg] # not at run time
    """Channels by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the channel's name."""
        return str(obj.name or obj.slug)


class MomentInput(forms.DateTimeInput):
    """One input for date and time in the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        """Use the theme's look."""
        super().__init__(attrs={"class": " ".join(widgets.INPUT_CLASSES)}, format="%Y-%m-%dT%H:%M")


def field_of(finding: TextFinding) -> str:
    """Return the name of the form's field that a finding is about."""
    key = FALLBACK_KEY if finding.is_fallback else finding.variant
    return _text_name(key, finding.locale, finding.place.part)


def _text_name(key: str, locale: str, part: str) -> str:
    return f"{key}_{locale.replace('-', '_')}_{part}"


class CampaignForm(forms.Form):
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
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        initial=Purpose.MARKETING,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Marketing needs a marketing consent; service messages only inform."),
    )
    service_kind = forms.ChoiceField(
        label=_("Kind of service message"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Only of service messages. One-time codes and fraud warnings go at any hour."),
    )
    description = forms.CharField(
        label=_("Note for colleagues"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    channel = NamedChannels(
        label=_("Channel"), queryset=Channel.objects.none(), widget=ChannelSelect()
    )
    fallback_channel = NamedChannels(
        label=_("Fallback channel"),
        queryset=Channel.objects.none(),
        required=False,
        widget=ChannelSelect(),
        help_text=_("For people whom the first message does not reach."),
    )
    start_at = forms.DateTimeField(
        label=_("Start"),
        required=False,
        widget=MomentInput(),
        help_text=_("Empty: as soon as somebody launches it. Quiet hours are always kept."),
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
        min_value=0,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=_("Sending stops before it is exceeded. Empty: no limit."),
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

    def __init__(self, *args: Any, campaign: Campaign | None = None, **kwargs: Any) -> None:
        """Fill the choices; for an existing draft lock what only a new campaign may choose."""
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        self.text_faults: dict[str, list[TextFinding]] = {}
        self._choice(
            "service_kind",
            [("", "—"), *((kind, str(name)) for kind, name in labels.SERVICE_KINDS.items())],
        )
        self._choice("purpose", [(p, customer_labels.purpose(p)) for p in Purpose])
        self._choice("goal_event", [(g, customer_labels.event(g)) for g in GOALS])
        self._queryset("segment", Segment.objects.order_by("name"))
        for name in ("channel", "fallback_channel"):
            self._queryset(name, Channel.objects.filter(is_active=True).order_by("name"))
        for key in (*VARIANT_KEYS, FALLBACK_KEY):
            self._add_texts(key)
        for key in VARIANT_KEYS:
            self.fields[f"{key}_weight"] = forms.IntegerField(
                label=_("Weight"),
                min_value=0,
                required=False,
                initial=1,
                widget=widgets.UnfoldAdminIntegerFieldWidget(),
            )
        if campaign is not None:
            for name in ("channel", "fallback_channel", *(f"{k}_weight" for k in VARIANT_KEYS)):
                self.fields[name].disabled = True

    def _choice(self, name: str, choices: list[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
        field.choices = choices

    def _queryset(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type checker
        field.queryset = rows

    def _add_texts(self, key: str) -> None:
        for locale in LOCALES:
            self.fields[_text_name(key, locale, "subject")] = forms.CharField(
                label=_("Subject"),
                required=False,
                max_length=300,
                widget=widgets.UnfoldAdminTextInputWidget(),
            )
            for part, label, rows in (("text", _("Text"), 4), ("html", _("HTML"), 8)):
                self.fields[_text_name(key, locale, part)] = forms.CharField(
                    label=label,
                    required=False,
                    strip=False,
                    widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": rows}),
                )

    def show_faults(self, findings: Iterable[TextFinding]) -> None:
        """Put findings about the stored texts beside their fields."""
        for finding in findings:
            name = field_of(finding)
            if name in self.fields:
                self.text_faults.setdefault(name, []).append(finding)

    def blocks(self) -> Iterator[dict[str, Any]]:
        """Yield the message blocks: each variant, then the fallback, with fields by language."""
        for position, key in enumerate((*VARIANT_KEYS, FALLBACK_KEY)):
            locales: list[dict[str, Any]] = [
                {
                    "code": locale,
                    "name": LOCALE_NAMES[locale],
                    **{part: self[_text_name(key, locale, part)] for part in PARTS},
                    "faults": {
                        part: self.text_faults.get(_text_name(key, locale, part), [])
                        for part in PARTS
                    },
                }
                for locale in LOCALES
            ]
            is_used = any(cell[part].value() for cell in locales for part in PARTS)
            yield {
                "key": key,
                "is_fallback": key == FALLBACK_KEY,
                "is_shown": is_used or position == 0,
                "weight": None if key == FALLBACK_KEY else self[f"{key}_weight"],
                "locales": locales,
            }

    def clean(self) -> dict[str, Any]:
        """Ask for a text in at least one language."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.content(VARIANT_KEYS[0]):
            self.add_error(
                _text_name(VARIANT_KEYS[0], LOCALES[0], "text"),
                _("Write the message in at least one language."),
            )
        if (
            self.campaign is None
            and cleaned.get("fallback_channel")
            and not self.content(FALLBACK_KEY)
        ):
            self.add_error(
                _text_name(FALLBACK_KEY, LOCALES[0], "text"),
                _("Write the fallback message too; it has a text of its own."),
            )
        return cleaned

    def content(self, key: str) -> dict[str, dict[str, str]]:
        """Return one variant's texts by language, languages without any text left out."""
        found: dict[str, dict[str, str]] = {}
        for locale in LOCALES:
            texts = {
                part: str(self.cleaned_data.get(_text_name(key, locale, part)) or "")
                for part in PARTS
            }
            if texts["text"].strip() or texts["html"].strip():
                found[locale] = texts
        return found

    def spec(self, *, now: datetime) -> dict[str, Any]:
        """Return the campaign's description, as a file would give it."""
        data = self.cleaned_data
        variants = [
            {"key": key, "weight": data.get(f"{key}_weight") or 1, "content": self.content(key)}
            for key in VARIANT_KEYS
            if self.content(key)
        ]
        step: dict[str, Any] = {"channel": data["channel"].slug, "variants": variants}
        if data.get("fallback_channel"):
            step["fallback_channel"] = data["fallback_channel"].slug
            step["fallback_content"] = self.content(FALLBACK_KEY)
        start_at = data.get("start_at")
        return {
            "slug": slugify(data["name"]) or f"campaign-{now:%Y%m%d-%H%M%S}",
            "name": data["name"],
            "description": data.get("description", ""),
            "purpose": data["purpose"],
            "service_kind": data["service_kind"],
            "goal": {"event": data["goal_event"], "window_days": data["goal_window_days"]},
            "segment": data["segment"].slug,
            "steps": [step],
            "holdout_share": str(data["holdout_percent"] / 100),
            "schedule": {
                "start_at": start_at.isoformat() if start_at else None,
                "late_limit_hours": data["late_limit_hours"],
            },
            "budget_amount": _number(data.get("budget_amount")),
            "cost_per_message": _number(data.get("cost_per_message")),
        }

    def changes(self) -> dict[str, Any]:
        """Return the fields of the draft that differ from what is stored."""
        data = self.cleaned_data
        wanted = {
            **{
                name: data[name]
                for name in (
                    "name", "description", "segment", "goal_event", "goal_window_days",
                    "start_at", "late_limit_hours", "budget_amount", "cost_per_message",
                )
            },
            "holdout_share": data["holdout_percent"] / 100,
        }  # fmt: skip
        return {
            name: value for name, value in wanted.items() if getattr(self.campaign, name) != value
        }


def _number(value: Any) -> str | None:
    return None if value is None else str(value)


def initial_of(campaign: Campaign) -> dict[str, Any]:
    """Return the form's values for an existing campaign, to edit it or to copy it."""
    values: dict[str, Any] = {
        name: getattr(campaign, name)
        for name in (
            "name", "segment", "goal_event", "goal_window_days", "purpose", "service_kind",
            "description", "late_limit_hours", "budget_amount", "cost_per_message",
        )
    }  # fmt: skip
    values["holdout_percent"] = f"{campaign.holdout_share * 100:f}".rstrip("0").rstrip(".")
    values["start_at"] = campaign.start_at if campaign.status == CampaignStatus.DRAFT else None
    for step in campaign.steps.select_related("channel").order_by("position"):
        values["fallback_channel" if step.is_fallback else "channel"] = step.channel
        for variant in step.variants.order_by("key"):
            key = FALLBACK_KEY if step.is_fallback else variant.key
            if step.is_fallback and f"{key}_used" in values:
                continue
            values[f"{key}_used"] = True
            values[f"{key}_weight"] = variant.weight
            values.update(_texts(key, variant.contents.filter(is_current=True)))
    return values


def _texts(key: str, contents: Any) -> Mapping[str, str]:
    rows: list[ContentVersion] = list(contents)
    return {_text_name(key, row.locale, part): getattr(row, part) for row in rows for part in PARTS}
