"""The part of a campaign's form that says whom it leaves out, and how that reads in words."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold import widgets

from campaigns.domain.campaigns.exclusions import MOST_DAYS, USUAL_DAYS, Exclusions
from campaigns.domain.campaigns.given.exclusions_reading import exclusions_of
from campaigns.models import Campaign, CampaignTag
from customers.models import Segment


def _days(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        initial=USUAL_DAYS,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )


def _several(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        widget=widgets.UnfoldAdminSelectMultipleWidget(attrs={"size": 5}),
        help_text=help_text,
    )


class ExclusionFields(forms.Form):
    """Who gets nothing although the segment chooses her."""

    excluded_segments = _several(
        gettext_lazy("People of these segments"),
        gettext_lazy("By the rule that each segment has at the launch."),
    )
    messaged_campaigns = _several(gettext_lazy("Who got a message of these campaigns"))
    messaged_tags = _several(gettext_lazy("Who got a message of a campaign with these tags"))
    messaged_days = _days(gettext_lazy("Message, in the last so many days"))
    excludes_applied = forms.BooleanField(
        label=gettext_lazy("Who applied lately"),
        required=False,
        widget=widgets.UnfoldBooleanWidget(),
    )
    applied_days = _days(gettext_lazy("Application, in the last so many days"))
    excludes_called = forms.BooleanField(
        label=gettext_lazy("Who was called lately"),
        required=False,
        widget=widgets.UnfoldBooleanWidget(),
    )
    called_days = _days(gettext_lazy("Call, in the last so many days"))

    def fill_exclusions(self) -> None:
        """Fill the choices."""
        for name, choices in (
            ("excluded_segments", Segment.objects.order_by("name").values_list("slug", "name")),
            ("messaged_campaigns", Campaign.objects.order_by("name").values_list("slug", "name")),
            (
                "messaged_tags",
                CampaignTag.objects.order_by("name").values_list("name", "name").distinct(),
            ),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
            field.choices = list(choices)

    def exclusion_fields(self) -> list[forms.BoundField]:
        """Return the fields as they are drawn."""
        return [self[name] for name in ExclusionFields.base_fields]

    def has_exclusions(self) -> bool:
        """Return whether anybody is left out, as the form stands."""
        names = ("excluded_segments", "messaged_campaigns", "messaged_tags")
        ticks = ("excludes_applied", "excludes_called")
        return any(self[name].value() for name in (*names, *ticks))

    def described_exclusions(self) -> dict[str, Any]:
        """Return the exclusions as a file would give them."""
        data = self.cleaned_data
        return {
            "segments": data.get("excluded_segments") or [],
            "campaigns": data.get("messaged_campaigns") or [],
            "tags": data.get("messaged_tags") or [],
            "messaged_days": data.get("messaged_days") or USUAL_DAYS,
            "applied_days": _ticked(data, "applied"),
            "called_days": _ticked(data, "called"),
        }

    def exclusions(self) -> Exclusions:
        """Return the exclusions that were filled in."""
        return exclusions_of(self.described_exclusions())


def _ticked(data: Mapping[str, Any], deed: str) -> int | None:
    return (data.get(f"{deed}_days") or USUAL_DAYS) if data.get(f"excludes_{deed}") else None


def initial_exclusions(campaign: Campaign) -> dict[str, Any]:
    """Return the form's values for a campaign's exclusions."""
    stored = exclusions_of(campaign.exclusions)
    return {
        "excluded_segments": list(stored.segments),
        "messaged_campaigns": list(stored.campaigns),
        "messaged_tags": list(stored.tags),
        "messaged_days": stored.messaged_days,
        "excludes_applied": stored.applied_days is not None,
        "applied_days": stored.applied_days or USUAL_DAYS,
        "excludes_called": stored.called_days is not None,
        "called_days": stored.called_days or USUAL_DAYS,
    }


def sentences(campaign: Campaign) -> list[str]:
    """Return a campaign's exclusions in words, one a rule."""
    stored = exclusions_of(campaign.exclusions)
    found: list[str] = []
    comma = _(", ")
    if stored.segments:
        names = Segment.objects.filter(slug__in=stored.segments).order_by("name")
        listed = comma.join(names.values_list("name", flat=True))
        found.append(_("people of %(segments)s") % {"segments": listed})
    if stored.campaigns:
        rows = Campaign.objects.filter(slug__in=stored.campaigns).order_by("name")
        listed = comma.join(rows.values_list("name", flat=True))
        found.append(_messaged(listed, stored.messaged_days))
    if stored.tags:
        tags = _("campaigns with the tag %(tags)s") % {"tags": comma.join(stored.tags)}
        found.append(_messaged(tags, stored.messaged_days))
    if stored.applied_days is not None:
        text = ngettext(
            "who applied in the last %(days)d day",
            "who applied in the last %(days)d days",
            stored.applied_days,
        )
        found.append(text % {"days": stored.applied_days})
    if stored.called_days is not None:
        text = ngettext(
            "who was called in the last %(days)d day",
            "who was called in the last %(days)d days",
            stored.called_days,
        )
        found.append(text % {"days": stored.called_days})
    return found


def _messaged(campaigns: str, days: int) -> str:
    text = ngettext(
        "who got a message of %(campaigns)s in the last %(days)d day",
        "who got a message of %(campaigns)s in the last %(days)d days",
        days,
    )
    return text % {"campaigns": campaigns, "days": days}
