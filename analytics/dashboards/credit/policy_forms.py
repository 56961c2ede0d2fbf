"""The form of a credit policy: rules as rows, terms by band, in the units that people use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from analytics.domain.credit.policy import BOUND_OF, PolicyFact
from analytics.domain.credit.policy_text import (
    LONGEST_BAND_NAME,
    MOST_BANDS,
    MOST_SCORE_AGE_DAYS,
    OF_AGE,
    PolicyInvalid,
    parse_policy,
)
from analytics.labels.credit import BOUNDS, FACTS, PROBLEMS
from analytics.services.credit.policies import SHORTEST_REASON
from customers.labels import score_model

SPARE_ROWS = 3
_HUNDRED = Decimal(100)
_LONGEST_REASON = 1000
_SHARES = frozenset({PolicyFact.PAYMENT_TO_INCOME})
_RULES = ("hard_rules", "explanations")


def _percent(label: Any, *, is_required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=is_required,
        min_value=0,
        max_digits=10,
        decimal_places=4,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )


def _amount(label: Any, *, is_required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=is_required,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )


class PolicyTermsForm(forms.Form):
    """Everything of a policy but its rules and bands, and why it changes."""

    score_model = forms.ChoiceField(
        label=_("Score that holds the chance of default"),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    score_age_days = forms.IntegerField(
        label=_("Oldest score that is relied on, in days"),
        min_value=1,
        max_value=MOST_SCORE_AGE_DAYS,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=_("Older scores, and those of a halted or retired model, go to a person."),
    )
    cut_off = _percent(_("Cut-off: highest chance of default, %"))
    review_from = _percent(_("A person decides above, %"))
    rate_floor = _percent(_("Lowest annual rate, %"))
    rate_cap = _percent(_("Highest annual rate, %"))
    least_amount = _amount(_("Smallest loan, ¥"))
    reason = forms.CharField(
        label=_("Why it changes"),
        min_length=SHORTEST_REASON,
        max_length=_LONGEST_REASON,
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 3}),
    )

    def __init__(self, *args: Any, models: Iterable[str], **options: Any) -> None:
        """Offer the scores that are chances of default."""
        super().__init__(*args, **options)
        choices: Any = self.fields["score_model"]
        choices.choices = [(name, score_model(name)) for name in sorted(models)]


class PolicyRuleForm(forms.Form):
    """One fact of the catalogue: what declines, and what explains a risk above the cut-off."""

    def __init__(self, data: Any, *, fact: PolicyFact, initial: dict[str, Any]) -> None:
        """Ask for both values in the fact's unit; of age one is or is not."""
        super().__init__(data, prefix=fact.value, initial=initial)
        self.fact = fact
        self.name = FACTS.label(fact)
        self.operator = BOUNDS.label(BOUND_OF[fact])
        self.unit = "%" if fact in _SHARES else ""
        for name, label in zip(
            _RULES, (_("Hard rule: declines"), _("Explains a risk")), strict=True
        ):
            self.fields[name] = self._field(label)
            self.fields[name].widget.attrs["aria-label"] = f"{self.name} · {label}"

    def _field(self, label: Any) -> forms.Field:
        if self.fact is PolicyFact.AGE_YEARS:
            return forms.ChoiceField(
                label=label,
                required=False,
                choices=[("", "–"), (str(OF_AGE), str(OF_AGE))],
                widget=widgets.UnfoldAdminSelectWidget(),
            )
        return forms.DecimalField(
            label=label,
            required=False,
            min_value=0,
            max_digits=14,
            decimal_places=4,
            widget=widgets.UnfoldAdminDecimalFieldWidget(),
        )

    @property
    def cells(self) -> list[Any]:
        """Return both fields to be drawn."""
        return [self[name] for name in _RULES]


class PolicyBandForm(forms.Form):
    """One row of the terms; a row without a name is no band."""

    name = forms.CharField(
        label=_("Band"),
        required=False,
        max_length=LONGEST_BAND_NAME,
        widget=widgets.UnfoldAdminTextInputWidget(),
    )
    most_risk = _percent(_("Up to a chance of default, %"), is_required=False)
    annual_rate = _percent(_("Annual rate, %"), is_required=False)
    limit_amount = _amount(_("Limit, ¥"), is_required=False)
    income_multiple = forms.DecimalField(
        label=_("Months of income at most"),
        required=False,
        min_value=0,
        max_digits=6,
        decimal_places=2,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for all of a band's terms where there is any of them."""
        found: dict[str, Any] = super().clean() or {}
        given = [value for value in found.values() if value not in (None, "")]
        for name in ("name", "most_risk", "annual_rate", "limit_amount"):
            if given and found.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, _("A band needs this."))
        return found

    @property
    def cells(self) -> list[Any]:
        """Return the fields to be drawn."""
        return list(self)


class PolicyJsonForm(forms.Form):
    """The whole policy as JSON, for experts."""

    content = forms.JSONField(
        label=_("content"),
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 24, "spellcheck": "false"}),
    )


@dataclass(frozen=True, slots=True)
class PolicyForms:
    """The parts of the form together.

    Attributes:
        terms: `PolicyTermsForm`.
        rules: One for every fact of the catalogue.
        bands: One for every band, and spare rows.
    """

    terms: PolicyTermsForm
    rules: Sequence[PolicyRuleForm]
    bands: Sequence[PolicyBandForm]

    def content(self) -> dict[str, Any] | None:
        """Return the policy that was filled in; None where it cannot stand: the fields say why."""
        parts = [self.terms, *self.rules, *self.bands]
        if not all([part.is_valid() for part in parts]):  # noqa: C419 - all of them say what is wrong
            return None
        content = self._content()
        try:
            parse_policy(content)
        except PolicyInvalid as error:
            self._blame(error)
            return None
        return content

    def _content(self) -> dict[str, Any]:
        given = self.terms.cleaned_data
        shares = ("cut_off", "review_from", "rate_floor", "rate_cap")
        return {
            "score_model": given["score_model"],
            "score_age_days": given["score_age_days"],
            **{name: _share(given[name]) for name in shares},
            "least_amount": _plain(given["least_amount"]),
            **{part: self._rules(part) for part in _RULES},
            "bands": [_band(row.cleaned_data) for row in self._filled()],
        }

    def _rules(self, part: str) -> dict[str, str]:
        found = {}
        for row in self.rules:
            value = row.cleaned_data[part]
            if value in (None, ""):
                continue
            number = Decimal(value)
            found[row.fact.value] = _share(number) if row.fact in _SHARES else _plain(number)
        return found

    def _filled(self) -> list[PolicyBandForm]:
        return [row for row in self.bands if row.cleaned_data.get("name")]

    def _blame(self, error: PolicyInvalid) -> None:
        """Say what is wrong beside the field that it is about."""
        words = PROBLEMS.label(error.problem).rstrip(":：")
        place, _dot, field = error.place.partition(".")
        if place.startswith("bands["):
            row = self._filled()[int(place[len("bands[") : -1])]
            row.add_error(field or "most_risk", words)
            return
        first = place.split(",")[0]
        self.terms.add_error(first if first in self.terms.fields else None, words)


def policy_forms(
    content: Mapping[str, Any], *, models: Iterable[str], reason: str = "", data: Any = None
) -> PolicyForms:
    """Return the form of a policy, filled in with what it says or with what was sent.

    Args:
        content: A policy that may stand.
        models: Scores that are chances; that of the policy is always among them.
    """
    policy = parse_policy(content)
    initial = {
        "score_model": policy.score_model,
        "score_age_days": policy.score_age_days,
        "cut_off": _times(policy.cut_off),
        "review_from": _times(policy.review_from),
        "rate_floor": _times(policy.rate_floor),
        "rate_cap": _times(policy.rate_cap),
        "least_amount": _plain(policy.least_amount),
        "reason": reason,
    }
    names = {policy.score_model, *models}
    values = {part: {rule.fact: rule.value for rule in getattr(policy, part)} for part in _RULES}
    rules = [
        PolicyRuleForm(
            data,
            fact=fact,
            initial={part: _shown(fact, values[part].get(fact)) for part in _RULES},
        )
        for fact in PolicyFact
    ]
    rows = [
        {
            "name": band.name,
            "most_risk": _times(band.most_risk),
            "annual_rate": _times(band.annual_rate),
            "limit_amount": _plain(band.limit_amount),
            "income_multiple": None
            if band.income_multiple is None
            else _plain(band.income_multiple),
        }
        for band in policy.bands
    ]
    count = _row_count(data, len(rows))
    rows += [{} for _row in range(count - len(rows))]
    bands = [
        PolicyBandForm(data, prefix=f"band-{at}", initial=row)
        for at, row in enumerate(rows[:count])
    ]
    return PolicyForms(PolicyTermsForm(data, models=names, initial=initial), rules, bands)


def _row_count(data: Any, filled: int) -> int:
    """Return how many rows there are to fill in; what was sent says how many it has."""
    sent = "" if data is None else str(data.get("rows", ""))
    count = int(sent) if sent.isascii() and sent.isdecimal() and len(sent) <= 2 else 0
    return min(count or filled + SPARE_ROWS, MOST_BANDS)


def _band(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "name": given["name"],
        "most_risk": _share(given["most_risk"]),
        "annual_rate": _share(given["annual_rate"]),
        "limit_amount": _plain(given["limit_amount"]),
    }
    if given["income_multiple"] is not None:
        found["income_multiple"] = _plain(given["income_multiple"])
    return found


def _shown(fact: PolicyFact, value: Decimal | None) -> str | None:
    if value is None:
        return None
    return _times(value) if fact in _SHARES else _plain(value)


def _times(value: Decimal) -> str:
    return _plain(value * _HUNDRED)


def _share(value: Decimal) -> str:
    return _plain(value / _HUNDRED)


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
