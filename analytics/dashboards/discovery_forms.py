"""The choices of a search for segments, as a form."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold import widgets

from analytics.domain.discovery_choices import DiscoveryChoices, Method
from analytics.selectors.discovery_features import usable_features
from analytics.selectors.protected_features import overrides_in_force
from customers.models import Segment
from customers.selectors.segments.catalogue import Part, load_catalogue
from loancrm.kernel import clock


def _segments() -> list[tuple[str, str]]:
    rows = Segment.objects.filter(current_version__isnull=False).order_by("name", "slug")
    return list(rows.values_list("slug", "name"))


def _anybody() -> list[tuple[str, str]]:
    return [("", _("Everybody")), *_segments()]


def _events() -> list[tuple[str, str]]:
    language = get_language() or "en"
    known = load_catalogue({Part.EVENTS}).events.values()
    return [(event.name, event.label.read(language)) for event in known]


def _features() -> list[tuple[str, str]]:
    language = get_language() or "en"
    return [(name, label.read(language)) for name, label in usable_features().items()]


class _Shared(forms.Form):
    segment = forms.ChoiceField(
        label=gettext_lazy("Look at"),
        choices=_anybody,
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Whoever switched personal recommendations off is left out."),
    )


class RfmForm(_Shared):
    """RFM: what counts, and of how long."""

    event = forms.ChoiceField(
        label=gettext_lazy("What counts"),
        choices=_events,
        initial="repayment_made",
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Recency, number and mean amount of this event are scored 1 to 5."),
    )
    within_days = forms.IntegerField(
        label=gettext_lazy("Of the last … days"),
        min_value=1,
        max_value=3_660,
        initial=365,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )


class _WithFeatures(_Shared):
    features = forms.MultipleChoiceField(
        label=gettext_lazy("Columns to look at"),
        choices=_features,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None is all numbers. Protected attributes are never among them."),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Random seed"),
        min_value=0,
        max_value=2**31 - 1,
        initial=1,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("The same seed and people give the same groups."),
    )


def _features_with_leave() -> list[tuple[str, str]]:
    language = get_language() or "en"
    usable = usable_features(overrides=overrides_in_force(now=clock.now()))
    return [(name, label.read(language)) for name, label in usable.items()]


class ClustersForm(_WithFeatures):
    """Clusters: how many groups at most."""

    features = forms.MultipleChoiceField(
        label=gettext_lazy("Columns to look at"),
        choices=_features_with_leave,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "None is all numbers. Protected attributes are among them only by a recorded leave."
        ),
    )
    max_clusters = forms.IntegerField(
        label=gettext_lazy("At most … groups"),
        min_value=2,
        max_value=12,
        initial=8,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("The number that separates best and holds in samples is taken."),
    )
    explained = forms.IntegerField(
        label=gettext_lazy("Differences to keep, %"),
        min_value=1,
        max_value=100,
        required=False,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy(
            "Principal components: useful where many columns say the same. Empty is the columns "
            "themselves."
        ),
    )


class LookalikeForm(_WithFeatures):
    """Look-alikes: whom to resemble, and how many to take."""

    seed_segment = forms.ChoiceField(
        label=gettext_lazy("People like those of"),
        choices=_segments,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("At least 200 people; they are not in the result."),
    )
    share = forms.IntegerField(
        label=gettext_lazy("Take the best … % of the others"),
        min_value=1,
        max_value=100,
        initial=10,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )


FORMS: dict[Method, type[forms.Form]] = {
    Method.RFM: RfmForm,
    Method.CLUSTERS: ClustersForm,
    Method.LOOKALIKE: LookalikeForm,
}


def choices_of(method: Method, data: dict[str, Any]) -> DiscoveryChoices:
    """Return the choices of a valid form."""
    given = dict(data)
    if "share" in given:
        given["share"] = given["share"] / 100
    if given.get("explained"):
        given["explained"] = given["explained"] / 100
    if "features" in given:
        given["features"] = tuple(given["features"])
    return DiscoveryChoices(method=method, **given)
