"""The part of a campaign's form that tests its texts, and how that reads in words."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from campaigns.domain.campaigns.given.content_test_reading import (
    LEAST_MARGIN,
    LEAST_SHARE,
    MOST_HOURS,
    MOST_MARGIN,
    MOST_SHARE,
    USUAL_HOURS,
    read_content_test,
)
from campaigns.domain.campaigns.given.problems import ValueProblem
from campaigns.domain.campaigns.given.reader import Reader
from campaigns.domain.campaigns.spec import untestable
from campaigns.domain.experiments.content_test import (
    USUAL_MARGIN,
    ContentTestPlan,
    GuardedHarm,
    WinnerMetric,
    WithoutWinner,
)
from campaigns.labels import experiments
from campaigns.labels import problems as problem_labels
from campaigns.models import Campaign
from campaigns.selectors.campaigns import content_tests


def _plain(share: Decimal) -> str:
    return f"{share * 100:f}".rstrip("0").rstrip(".")


class ContentTestFields(forms.Form):
    """Who is written to first, and how the text for the rest is found."""

    test_percent = forms.DecimalField(
        label=gettext_lazy("Test first, % of the people"),
        required=False,
        min_value=LEAST_SHARE * 100,
        max_value=MOST_SHARE * 100,
        decimal_places=1,
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
        help_text=gettext_lazy("Empty: everybody is written to at once, each with one variant."),
    )
    test_metric = forms.ChoiceField(
        label=gettext_lazy("The best variant is the one with most people"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    test_hours = forms.IntegerField(
        label=gettext_lazy("Decided after at most so many hours"),
        required=False,
        min_value=1,
        max_value=MOST_HOURS,
        initial=USUAL_HOURS,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy(
            "Counted from the end of the test's sending. A clear winner is sent earlier."
        ),
    )
    test_without_winner = forms.ChoiceField(
        label=gettext_lazy("If no variant is shown to be better"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    test_opted_out = forms.DecimalField(
        label=gettext_lazy("Opt-outs may be higher by, % points"),
        required=False,
        min_value=LEAST_MARGIN * 100,
        max_value=MOST_MARGIN * 100,
        decimal_places=2,
        initial=_plain(USUAL_MARGIN),
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )
    test_complained = forms.DecimalField(
        label=gettext_lazy("Complaints may be higher by, % points"),
        required=False,
        min_value=LEAST_MARGIN * 100,
        max_value=MOST_MARGIN * 100,
        decimal_places=2,
        initial=_plain(USUAL_MARGIN),
        widget=widgets.UnfoldAdminDecimalFieldWidget(),
    )

    def fill_content_test(self) -> None:
        """Fill the choices, in the reader's language."""
        for name, choices in (
            ("test_metric", experiments.WINNER_METRICS.choices()),
            ("test_without_winner", experiments.WITHOUT_WINNER.choices()),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type checker
            field.choices = choices

    def content_test_fields(self) -> list[forms.BoundField]:
        """Return the fields as they are drawn."""
        return [self[name] for name in ContentTestFields.base_fields]

    def described_content_test(self) -> dict[str, Any] | None:
        """Return the test as a file would give it; None for no test."""
        data = self.cleaned_data
        share = data.get("test_percent")
        if share is None:
            return None
        return {
            "test_share": str(share / 100),
            "metric": data.get("test_metric") or WinnerMetric.CLICKED.value,
            "decide_after_hours": data.get("test_hours") or USUAL_HOURS,
            "without_winner": data.get("test_without_winner") or WithoutWinner.CONTROL.value,
            "margins": {
                harm.value: str(_share(data.get(f"test_{harm}"), USUAL_MARGIN))
                for harm in GuardedHarm
            },
        }

    def content_test(self) -> ContentTestPlan | None:
        """Return the test that was filled in."""
        return read_content_test(self.described_content_test(), Reader(), "experiment")

    def refuse_untestable(self, *, variants: int, recurrence: Any) -> None:
        """Say beside the field why these texts cannot be tested.

        Args:
            variants: Of the first message.
            recurrence: When the campaign runs again; None where it runs once.
        """
        if self.cleaned_data.get("test_percent") is None:
            return
        if code := untestable(variants, recurrence):
            problem = ValueProblem("experiment", code)
            self.add_error("test_percent", problem_labels.problem(problem))


def _share(percent: Decimal | None, usual: Decimal) -> Decimal:
    return usual if percent is None else percent / 100


def initial_content_test(campaign: Campaign) -> dict[str, Any]:
    """Return the form's values for a stored test."""
    plan = content_tests.plan_of(content_tests.of_campaign(campaign))
    if plan is None:
        return {}
    return {
        "test_percent": _plain(plan.test_share),
        "test_metric": plan.metric.value,
        "test_hours": plan.decide_after_hours,
        "test_without_winner": plan.without_winner.value,
        **{f"test_{harm}": _plain(plan.margins[harm]) for harm in GuardedHarm},
    }


def sentence(plan: ContentTestPlan | None) -> str:
    """Return what was planned in words; empty without a test."""
    if plan is None:
        return ""
    return _(
        "%(share)s %% of the people are written to first. The rest gets the variant that is shown"
        " to have most people %(metric)s, at the latest %(hours)s hours after that; without one,"
        " %(without)s. Opt-outs may be higher by %(opted_out)s and complaints by %(complained)s"
        " percentage points."
    ) % {
        "share": _plain(plan.test_share),
        "metric": experiments.WINNER_METRICS.label(plan.metric),
        "hours": plan.decide_after_hours,
        "without": experiments.WITHOUT_WINNER.label(plan.without_winner),
        "opted_out": _plain(plan.margins[GuardedHarm.OPTED_OUT]),
        "complained": _plain(plan.margins[GuardedHarm.COMPLAINED]),
    }


def standing(campaign: Campaign) -> dict[str, Any] | None:
    """Return how a campaign's test stands, for its page; None without one."""
    test = content_tests.of_campaign(campaign)
    if test is None:
        return None
    return {
        "plan": sentence(content_tests.plan_of(test)),
        "tone": experiments.CONTENT_TEST_STATES.tone(test.state),
        "state": experiments.CONTENT_TEST_STATES.label(test.state),
        "winner": test.winner,
        "ground": experiments.DECISION_GROUNDS.label(test.ground) if test.ground else "",
        "decided_at": test.decided_at,
        "decided_by": test.decided_by,
        "is_asked": content_tests.is_asked(test, campaign),
        "variants": content_tests.variants_of(campaign),
    }
