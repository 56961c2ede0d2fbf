"""Forms of early warning: the outcome of a case, the numbers of a rule."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from analytics.domain.warning.cases import CLOSING_OUTCOMES
from analytics.domain.warning.rules import Severity, WarningAction
from analytics.domain.warning.signals import Signal
from analytics.labels.warning import ACTIONS, CASE_OUTCOMES, SEVERITIES
from analytics.models import WarningRule
from analytics.selectors.warning.champions import banded_scores
from customers.labels import score_model
from loancrm.kernel.words.vocabulary import Label

_MOST = 3650
_CHANCE = _("Speaks when chance alone does this less often than (0.005 is 0.5 %)")
# The numbers that each signal reads, so that nobody is asked for one that means nothing, and what
# each means there (docs/early_warning.md).
_NUMBERS: Mapping[Signal, Mapping[str, Label]] = {
    Signal.FIRST_PAYMENT_MISSED: {"days": _("Days late at least")},
    Signal.BUCKET_UP: {
        "days": _("Days past due at least"),
        "window_days": _("In a worse bucket than … days ago"),
    },
    Signal.PARTIAL_PAYMENTS: {
        "count": _("Instalments in a row, paid in part"),
        "window_days": _("The last of them within … days"),
    },
    Signal.UTILISATION_HIGH: {
        "level": _("Share of the limits used, in two reports in a row (0.9 is 90 %)"),
        "rise": _("Or a rise by this share (0.3 is 30 points)"),
        "window_days": _("A rise within … days"),
    },
    Signal.INQUIRIES_MANY: {
        "count": _("Inquiries within 30 days at least"),
        "window_days": _("Of a report at most … days old"),
    },
    Signal.CONTACT_CHANGED: {
        "days": _("Days without any activity at least"),
        "window_days": _("Changed within the last … days"),
    },
    Signal.SALARY_STOPPED: {
        "days": _("Days without money coming in at least"),
        "window_days": _("Days without money coming in at most"),
    },
    Signal.SCORE_DROPPED: {
        "count": _("Worse by more bands than"),
        "window_days": _("Within … days"),
    },
    Signal.PARTNER_FIRST_DEFAULT: {
        "days": _("First instalments that were due … days ago"),
        "window_days": _("Of loans of the last … days"),
        "rate": _("Share of missed first payments that is usual (0.03 is 3 %)"),
        "level": _CHANCE,
    },
    Signal.SEGMENT_ARREARS: {
        "days": _("Days past due at least"),
        "count": _("Running loans of the segment at least"),
        "level": _CHANCE,
    },
    Signal.SEGMENT_DRIFT: {
        "level": _("PSI above"),
        "window_days": _("Against … days ago"),
        "count": _("Members of the segment at least"),
    },
}
_OF_GROUPS = (Signal.PARTNER_FIRST_DEFAULT, Signal.SEGMENT_ARREARS, Signal.SEGMENT_DRIFT)


class CloseForm(forms.Form):
    """What came of a case."""

    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=lambda: [(o.value, CASE_OUTCOMES.label(o)) for o in CLOSING_OUTCOMES],
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    note = forms.CharField(
        label=_("What was done, or why it was nothing"),
        max_length=1000,
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 3}),
    )


class RuleForm(forms.Form):
    """The numbers that the rule's signal reads, and what is done."""

    severity = forms.ChoiceField(
        label=_("Severity"),
        choices=lambda: [(s.value, SEVERITIES.label(s)) for s in Severity],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("From “High” on, marketing to the person stops while the alert is open."),
    )
    action = forms.ChoiceField(
        label=_("What to do"),
        choices=lambda: [(a.value, ACTIONS.label(a)) for a in WarningAction],
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    answer_hours = forms.IntegerField(
        label=_("To be looked at within … hours"),
        min_value=1,
        max_value=_MOST,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    cool_down_days = forms.IntegerField(
        label=_("No new alert for … days after the last"),
        min_value=0,
        max_value=_MOST,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    owner = forms.ModelChoiceField(
        label=_("Owner"),
        queryset=get_user_model().objects.none(),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Who gets its cases first."),
    )
    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        widget=widgets.UnfoldBooleanWidget(),
        help_text=_("Switched off, its open alerts end at once."),
    )

    def __init__(self, data: Any = None, *, rule: WarningRule) -> None:
        """Ask for the numbers that the rule's signal reads, as they are now."""
        names = tuple(_NUMBERS[Signal(rule.signal)])
        fields = ("severity", "action", *names, "answer_hours", "cool_down_days")
        initial = {name: _plain(getattr(rule, name)) for name in (*fields, "is_active")}
        super().__init__(data, initial=initial | {"owner": rule.owner_id})
        users = get_user_model().objects.filter(is_active=True, is_staff=True)
        owner: Any = self.fields["owner"]
        owner.queryset = users.order_by("username")
        if rule.signal in _OF_GROUPS:
            self.fields["severity"].help_text = _(
                "It is about a group: marketing to its people goes on, whatever the severity."
            )
        if rule.signal == Signal.SCORE_DROPPED:
            self.fields["score_model"] = _score(rule.score_model)
            names = ("score_model", *names)
            fields = ("severity", "action", *names, "answer_hours", "cool_down_days")
            self.initial["score_model"] = rule.score_model
        for name in names:
            if name in self.fields:
                continue
            self.fields[name] = _number(name, _NUMBERS[Signal(rule.signal)][name])
        self.order_fields((*fields, "owner", "is_active"))


def _plain(value: Any) -> Any:
    """Return a number without the zeros that its column adds."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _score(current: str) -> forms.ChoiceField:
    """Return the choice of a score; empty is that of the champion for the risk of default."""
    names = sorted({*banded_scores(), *([current] if current else [])})
    return forms.ChoiceField(
        label=_("Score"),
        required=False,
        choices=[
            ("", _("Champion for the risk of default")),
            *((n, score_model(n)) for n in names),
        ],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("Only bands of one version of a model are compared."),
    )


def _number(name: str, label: Any) -> forms.Field:
    if name in {"level", "rise", "rate"}:
        return forms.DecimalField(
            label=label,
            min_value=0,
            max_value=1,
            decimal_places=6,
            widget=widgets.UnfoldAdminDecimalFieldWidget(),
        )
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=_MOST,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
