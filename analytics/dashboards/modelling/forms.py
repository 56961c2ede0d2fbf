"""The choices of a training, as a form; every field has a value that does for a first run."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold import widgets

from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.life.choices import (
    DEFAULT_THRESHOLDS,
    ModelPurpose,
    TrainingChoices,
)
from analytics.labels.modelling import KINDS
from analytics.selectors.modelling.columns import columns_for
from campaigns.models import Dispatch


def _campaigns(**chosen: Any) -> list[tuple[str, str]]:
    rows = (
        Dispatch.objects.filter(campaign__isnull=False, frozen_at__isnull=False, **chosen)
        .exclude(goal_event="")
        .order_by("campaign__name")
        .values_list("campaign__slug", "campaign__name")
        .distinct()
    )
    return [("", _("All that were sent")), *rows]


def _campaigns_with_holdout() -> list[tuple[str, str]]:
    return _campaigns(campaign__holdout_share__gt=0)


def _kinds() -> list[tuple[str, str]]:
    return [*KINDS.choices(), ("", _("Both; the rule says which is kept"))]


class _Training(forms.Form):
    """What every purpose asks for."""

    purpose: ModelPurpose
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of model"),
        choices=_kinds,
        required=False,
        initial=ModelKind.SCORECARD.value,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("A scorecard can be read and added up; begin with it."),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Random seed"),
        min_value=0,
        max_value=2**31 - 1,
        initial=1,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("The same data and seed give the same model."),
    )
    takes_values_of_today = forms.BooleanField(
        label=gettext_lazy("Take attributes as they stand today"),
        required=False,
        widget=widgets.UnfoldBooleanWidget(),
        help_text=gettext_lazy(
            "Else only what was written down by the time that is looked at from. The model card "
            "says so."
        ),
    )
    excluded = forms.MultipleChoiceField(
        label=gettext_lazy("Columns to leave out"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Protected attributes are never among the columns."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the columns of the purpose."""
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        field = self.fields["excluded"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [
            (name, column.label.read(language))
            for name, column in columns_for(self.purpose).items()
        ]

    def choices(self) -> TrainingChoices:
        """Return the choices of a valid form."""
        given = dict(self.cleaned_data)
        given["excluded"] = tuple(given["excluded"])
        kind = given.pop("kind", "")
        given["kind"] = ModelKind(kind) if kind else None
        if "threshold_days" in given:
            given["threshold_days"] = int(given["threshold_days"])
        return TrainingChoices(purpose=self.purpose, **given)


class DefaultRiskForm(_Training):
    """Default: how late, by which month."""

    purpose = ModelPurpose.DEFAULT_RISK
    threshold_days = forms.ChoiceField(
        label=gettext_lazy("Bad is ever so many days past due"),
        choices=[(str(days), f"{days}+") for days in DEFAULT_THRESHOLDS],
        initial="90",
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Good is never 30 days past due; what lies between is left out."),
    )
    months = forms.IntegerField(
        label=gettext_lazy("By month on book"),
        min_value=1,
        max_value=36,
        initial=12,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("Loans that have not been on book so long are left out."),
    )
    field_order = ("kind", "threshold_days", "months")


class _WithinDays(_Training):
    window_days = forms.IntegerField(
        label=gettext_lazy("Within … days"),
        min_value=1,
        max_value=730,
        initial=90,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    field_order: tuple[str, ...] = ("kind", "window_days")


class ResponseForm(_WithinDays):
    """Response: to which campaign."""

    purpose = ModelPurpose.RESPONSE
    campaign = forms.ChoiceField(
        label=gettext_lazy("Campaign to learn from"),
        choices=_campaigns,
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("A campaign with a window of its own keeps it."),
    )
    field_order = ("kind", "campaign", "window_days")


class UpliftForm(_Training):
    """Uplift: of which campaign; how it is learned is found out."""

    purpose = ModelPurpose.UPLIFT
    campaign = forms.ChoiceField(
        label=gettext_lazy("Campaign to learn from"),
        choices=_campaigns_with_holdout,
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Only campaigns that held a group out say what a message changes."),
    )
    field_order = ("campaign",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Leave out the kind: several learners are tried."""
        super().__init__(*args, **kwargs)
        del self.fields["kind"]


class ChurnForm(_WithinDays):
    """Early settlement: within which time."""

    purpose = ModelPurpose.CHURN


class NeedForm(_WithinDays):
    """Need for a loan: within which time."""

    purpose = ModelPurpose.NEED


FORMS: dict[ModelPurpose, type[_Training]] = {
    form.purpose: form for form in (DefaultRiskForm, ResponseForm, ChurnForm, NeedForm, UpliftForm)
}
