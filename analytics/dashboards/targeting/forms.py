"""The three steps of a targeting as forms: whom, what, how much."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from analytics.domain.targeting.list_names import offer_slug
from analytics.labels.warning import SEVERITIES
from analytics.selectors.targeting.people import known_models
from campaigns.domain.campaigns.fairness import LIMIT
from campaigns.labels.fairness import FAIRNESS_ATTRIBUTES
from campaigns.models import Channel
from campaigns.selectors.campaigns.used_scores import uses_of
from customers.labels import SCORE_FAULTS, score_model
from customers.models import Segment
from loancrm.kernel import clock

OFFERS = 3


def _anybody() -> list[tuple[str, str]]:
    rows = Segment.objects.filter(current_version__isnull=False).order_by("name", "slug")
    return [("", _("Everybody")), *rows.values_list("slug", "name")]


def _models() -> list[tuple[str, str]]:
    """Return the models that scored anybody; of those that may not choose people also why."""
    faults = {use.model_name: use.fault for use in uses_of(known_models(), now=clock.now())}
    return [
        ("", _("None")),
        *(
            (
                name,
                f"{score_model(name)} – {SCORE_FAULTS.label(faults[name] or '')}"
                if faults[name]
                else score_model(name),
            )
            for name in faults
        ),
    ]


def _severities() -> list[tuple[str, str]]:
    return [("", _("None")), *SEVERITIES.choices()]


def _channels() -> list[tuple[str, str]]:
    rows = Channel.objects.filter(is_active=True).order_by("name", "slug")
    return [
        (row.slug, _("%(name)s (¥%(price)s a message)") % _priced(row.name or row.slug, row))
        for row in rows
    ]


def _priced(name: str, row: Channel) -> dict[str, str]:
    return {"name": name, "price": f"{row.cost_per_part:f}"}


def _select(label: Any, choices: Any, *, help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=help_text,
    )


def _amount(label: Any, *, most: float = 1e9, help_text: Any = "") -> forms.FloatField:
    return forms.FloatField(
        label=label,
        min_value=0,
        max_value=most,
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=help_text,
    )


def _count(label: Any, *, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=10**9,
        required=False,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=help_text,
    )


class WhomForm(forms.Form):
    """Step one: the people, and the scores that say what they are worth."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Begins the names of the segments that are made."),
    )
    slug = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=40,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy(
            "Letters, digits and hyphens. A targeting of the same short name replaces its lists;"
            " the list of an offer that is left out is emptied, unless a campaign uses it."
        ),
    )
    segment = _select(
        gettext_lazy("Choose from"),
        _anybody,
        help_text=gettext_lazy("Whoever switched personal recommendations off is left out."),
    )
    uplift = _select(
        gettext_lazy("Score of the uplift"),
        _models,
        help_text=gettext_lazy(
            "How much more likely the contact makes it. Best where there is one."
        ),
    )
    response = _select(
        gettext_lazy("Score of the response"),
        _models,
        help_text=gettext_lazy(
            "Used where there is no uplift; also says who takes an incentive without having"
            " needed it."
        ),
    )
    pd = _select(gettext_lazy("Score of the default risk (PD)"), _models)
    complaint = _select(gettext_lazy("Score of a complaint"), _models)

    def clean(self) -> dict[str, Any]:
        """Refuse a targeting that knows of no effect."""
        data = super().clean() or {}
        if not data.get("uplift") and not data.get("response"):
            self.add_error("uplift", _("Choose the score of the uplift, or of the response."))
        return data


class OfferForm(forms.Form):
    """Step two, an offer."""

    name = forms.CharField(
        label=gettext_lazy("Offer"),
        max_length=80,
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget(),
    )
    margin = _amount(gettext_lazy("Margin of a converted customer, CNY"))
    lgd = _amount(gettext_lazy("Loss given default, %"), most=100)
    ead = _amount(gettext_lazy("Exposure at default, CNY"))
    incentive = _amount(
        gettext_lazy("Incentive, CNY"),
        help_text=gettext_lazy(
            "Paid to everybody who takes the offer, also to those who would have come anyway."
        ),
    )

    def __init__(
        self, *args: Any, has_risk: bool = False, has_response: bool = True, **options: Any
    ) -> None:
        """Remember whether the risk of default is weighed, and whether a response is known."""
        super().__init__(*args, **options)
        self._has_risk = has_risk
        self._has_response = has_response

    def clean(self) -> dict[str, Any]:
        """Ask for the margin of an offer that is named, and for what a default of it costs.

        A risk that is weighed by nothing would be left out without a word.
        """
        data = super().clean() or {}
        if data.get("name") and self._has_risk:
            for name in ("lgd", "ead"):
                if data.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Needed, because a score of the default risk is used."))
        if data.get("incentive") and not self._has_response:
            self.add_error(
                "incentive",
                _("Choose the score of the response in step one: it says who takes the incentive."),
            )
        if data.get("name") and data.get("margin") is None:
            self.add_error("margin", _("This field is required."))
        if data.get("margin") is not None and not data.get("name"):
            self.add_error("name", _("This field is required."))
        return data


class OffersFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """Step two, the offers."""

    def clean(self) -> None:
        """Ask for one offer at least, and for names that tell them apart."""
        if any(self.errors):
            return
        names = [offer_slug(offer["name"]) for offer in offers_of(self)]
        if not names:
            raise forms.ValidationError(_("At least one offer is needed."))
        if len(set(names)) < len(names):
            raise forms.ValidationError(_("Two offers have the same name."))


def offers_of(formset: forms.BaseFormSet) -> list[dict[str, Any]]:  # type: ignore[type-arg]
    """Return the offers that were filled in."""
    return [form.cleaned_data for form in formset.forms if form.cleaned_data.get("name")]


OffersForm = forms.formset_factory(OfferForm, formset=OffersFormSet, extra=OFFERS, max_num=OFFERS)


class ChannelsForm(forms.Form):
    """Step two, the channels."""

    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Channels"),
        choices=_channels,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("A contact costs what the channel's messages cost."),
    )
    parts = forms.IntegerField(
        label=gettext_lazy("Messages a contact"),
        min_value=1,
        max_value=20,
        initial=1,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("A long text message is charged as several."),
    )


class HowMuchForm(forms.Form):
    """Step three: the caps."""

    # A form that is sent twice starts one targeting.
    token = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)
    budget = _amount(
        gettext_lazy("Budget, CNY"),
        help_text=gettext_lazy("Contacts, and incentives as far as they are expected."),
    )
    people = _count(gettext_lazy("People at most"))
    expected_loss = _amount(
        gettext_lazy("Expected loss at most, CNY"),
        help_text=gettext_lazy("Of those who are expected to take the offer."),
    )
    pd = _amount(
        gettext_lazy("Default risk at most, %"),
        most=100,
        help_text=gettext_lazy("Nobody above it is contacted."),
    )
    alert = _select(
        gettext_lazy("Open alert from which nobody is contacted"),
        _severities,
        help_text=gettext_lazy("By early warning, at the time of the choice."),
    )
    complaint_cost = _amount(gettext_lazy("Cost of a complaint, CNY"))
    fair_by = forms.MultipleChoiceField(
        label=gettext_lazy("Keep the impact ratio by"),
        choices=FAIRNESS_ATTRIBUTES.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Costs profit, and spares the check before the launch: each group is chosen nearly as"
            " often as the one chosen most."
        ),
    )
    min_impact_ratio = forms.FloatField(
        label=gettext_lazy("Lowest impact ratio"),
        min_value=0,
        max_value=1,
        initial=LIMIT,
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )

    def __init__(self, *args: Any, channels: Sequence[str] = (), **options: Any) -> None:
        """Add a cap for each channel of the step before."""
        super().__init__(*args, **options)
        names = dict(Channel.objects.filter(slug__in=channels).values_list("slug", "name"))
        for slug in channels:
            self.fields[f"of_{slug}"] = _count(
                _("People at most through “%(name)s”") % {"name": names.get(slug) or slug}
            )


def whom_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what step one adds to a targeting's description."""
    uses = ("uplift", "response", "pd", "complaint")
    return {
        "slug": data["slug"],
        "name": data["name"],
        "whom": {"segment": data["segment"]},
        # An empty uplift is an answer; without one the champion's would be taken.
        "scores": {use: data[use] for use in uses if data[use] or use == "uplift"},
    }


def what_of(offers: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what step two adds."""
    return {
        "offers": [
            {
                "slug": offer_slug(offer["name"]),
                "name": offer["name"],
                "margin": offer["margin"],
                "lgd": (offer["lgd"] or 0) / 100,
                "ead": offer["ead"] or 0,
                "incentive": offer["incentive"] or 0,
            }
            for offer in offers
        ],
        "channels": [{"channel": slug, "parts": data["parts"]} for slug in data["channels"]],
    }


def how_much_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what step three adds."""
    caps = {
        "budget": data["budget"],
        "people": data["people"],
        "expected_loss": data["expected_loss"],
        "pd": None if data["pd"] is None else data["pd"] / 100,
        "alert": data["alert"] or None,
        "per_channel": {
            key.removeprefix("of_"): most
            for key, most in data.items()
            if key.startswith("of_") and most is not None
        },
        "fairness": [
            {"attribute": one, "min_impact_ratio": _floor(data["min_impact_ratio"])}
            for one in data["fair_by"]
        ],
    }
    return {
        "caps": {key: value for key, value in caps.items() if value not in (None, {}, [])},
        "complaint_cost": data["complaint_cost"] or 0,
    }


def _floor(ratio: float | None) -> float:
    """Return the floor that was given; left empty it is the one that is checked before a launch."""
    return LIMIT if ratio is None else ratio
