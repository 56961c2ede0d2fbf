"""How tests of texts are read aloud."""

from django.utils.translation import gettext_lazy as _

from campaigns.domain.experiments.content_test import (
    ContentTestState,
    DecisionGround,
    GuardedHarm,
    WinnerMetric,
    WithoutWinner,
)
from campaigns.domain.experiments.global_control import PeriodLength
from campaigns.domain.experiments.guardrails import GuardrailVerdict
from campaigns.domain.experiments.winner import ExperimentOutcome
from loancrm.kernel.words.vocabulary import Term, Vocabulary

WINNER_METRICS = Vocabulary(
    WinnerMetric,
    {
        WinnerMetric.CLICKED: _("who clicked"),
        WinnerMetric.CONVERTED: _("who reached the goal"),
        WinnerMetric.DELIVERED: _("whom the message reached"),
    },
)
PERIOD_LENGTHS = Vocabulary(
    PeriodLength,
    {
        PeriodLength.MONTH: _("calendar month"),
        PeriodLength.QUARTER: _("calendar quarter"),
        PeriodLength.HALF_YEAR: _("calendar half-year"),
        PeriodLength.YEAR: _("calendar year"),
    },
)
WITHOUT_WINNER = Vocabulary(
    WithoutWinner,
    {
        WithoutWinner.CONTROL: _("the first variant is sent to the rest"),
        WithoutWinner.PERSON: _("a person chooses the variant for the rest"),
    },
)
HARMS = Vocabulary(
    GuardedHarm,
    {
        GuardedHarm.OPTED_OUT: _("Opt-outs"),
        GuardedHarm.COMPLAINED: _("Complaints"),
    },
)
CONTENT_TEST_STATES = Vocabulary(
    ContentTestState,
    {
        ContentTestState.READING: Term(_("The test goes on"), tone="busy"),
        ContentTestState.WAITING: Term(_("A person has to choose"), tone="warn"),
        ContentTestState.DECIDED: Term(_("Decided"), tone="good"),
    },
)
DECISION_GROUNDS = Vocabulary(
    DecisionGround,
    {
        DecisionGround.SHOWN_BETTER: _("it is shown to be better than the first variant"),
        DecisionGround.CONTROL_SHOWN: _("every other variant is shown to be worse"),
        DecisionGround.TIME_UP: _("the time was over and no variant was shown to be better"),
        DecisionGround.PERSON: _("a person chose it"),
        DecisionGround.CORRECTED: _("its texts were corrected while they were tested"),
    },
)
GUARDRAILS = Vocabulary(
    GuardrailVerdict,
    {
        GuardrailVerdict.KEPT: Term(_("not worse than is borne"), tone="good"),
        GuardrailVerdict.OPEN: Term(_("too few people to tell"), tone="warn"),
        GuardrailVerdict.BROKEN: Term(_("worse than is borne"), tone="bad"),
    },
)
EXPERIMENT_OUTCOMES = Vocabulary(
    ExperimentOutcome,
    {
        ExperimentOutcome.UNDECIDED: Term(_("No variant is shown to be better yet."), tone="warn"),
        ExperimentOutcome.WON: Term(
            _("A variant is shown to be better than the first one."), tone="good"
        ),
        ExperimentOutcome.CONTROL_WON: Term(
            _("Every other variant is shown to be worse than the first one."), tone="good"
        ),
    },
)
