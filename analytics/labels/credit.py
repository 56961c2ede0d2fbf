"""How buckets, decisions, reasons and assumptions of credit are read."""

from django.utils.translation import gettext_lazy as _

from analytics.domain.credit.assumptions import AssumptionName, ValueOrigin
from analytics.domain.credit.expected_loss import Stage
from analytics.domain.credit.granting import GrantProblem
from analytics.domain.credit.month_ends import BookState
from analytics.domain.credit.policy import (
    DecisionOutcome,
    DecisionReason,
    PolicyFact,
    RuleBound,
)
from analytics.domain.credit.policy_changes import PolicyTerm
from analytics.domain.credit.policy_text import PolicyProblem
from analytics.domain.credit.reject_inference import RejectMethod
from analytics.domain.credit.reviewing import PolicyState, ReviewKind
from analytics.domain.credit.swap_set import SwapGroup
from loancrm.kernel.words.vocabulary import Term, Vocabulary

BOOK_STATES = Vocabulary(
    BookState,
    {
        BookState.NEW: _("newly lent"),
        BookState.M0: _("M0 (not past due)"),
        BookState.M1: _("M1 (1–30 days)"),
        BookState.M2: _("M2 (31–60 days)"),
        BookState.M3: _("M3 (61–90 days)"),
        BookState.M3_PLUS: _("M3+ (over 90 days)"),
        BookState.CHARGED_OFF: _("charged off"),
        BookState.SETTLED: _("paid off"),
    },
)
STAGES = Vocabulary(
    Stage,
    {
        Stage.ONE: Term(
            _("Stage 1"), tone="good", hint=_("At most 30 days past due, no fallen score.")
        ),
        Stage.TWO: Term(
            _("Stage 2"),
            tone="warn",
            hint=_("More than 30 days past due, or the score fell by two bands or more."),
        ),
        Stage.THREE: Term(_("Stage 3"), tone="bad", hint=_("90 days past due or more.")),
    },
)
ASSUMPTIONS = Vocabulary(
    AssumptionName,
    {
        AssumptionName.LOSS_GIVEN_DEFAULT: _("Loss given default"),
        AssumptionName.PERFORMING_DEFAULT_RATE: _("Chance of a performing loan to default"),
        AssumptionName.DEFAULT_M0: _("Yearly default of M0"),
        AssumptionName.DEFAULT_M1: _("Yearly default of M1"),
        AssumptionName.DEFAULT_M2: _("Yearly default of M2"),
        AssumptionName.DEFAULT_M3: _("Yearly default of M3"),
    },
)
ORIGINS = Vocabulary(
    ValueOrigin,
    {
        ValueOrigin.BUILT_IN: Term(
            _("Built-in assumption"),
            tone="warn",
            hint=_("A customary value for consumer loans; nobody has set one of your own."),
        ),
        ValueOrigin.ASSUMED: Term(_("Assumption on record"), tone="busy"),
        ValueOrigin.ESTIMATED: Term(_("Estimated from the loan book"), tone="good"),
    },
)
OUTCOMES = Vocabulary(
    DecisionOutcome,
    {
        DecisionOutcome.APPROVED: Term(_("Credit granted"), tone="good"),
        DecisionOutcome.DECLINED: Term(_("Credit declined"), tone="bad"),
        DecisionOutcome.REVIEW: Term(_("A person decides"), tone="busy"),
    },
)
REASONS = Vocabulary(
    DecisionReason,
    {
        DecisionReason.NOT_OF_AGE: _("The applicant is not of age."),
        DecisionReason.INCOME_TOO_LOW: _("The monthly income on record is too low."),
        DecisionReason.PAYMENTS_TOO_HIGH: _(
            "Payments for present loans take too large a part of the income."
        ),
        DecisionReason.PAST_DUE_NOW: _("A present loan is past due."),
        DecisionReason.PAST_DUE_BEFORE: _("A loan was past due for long."),
        DecisionReason.CHARGED_OFF_BEFORE: _("An earlier loan was charged off."),
        DecisionReason.TOO_MANY_LOANS: _("There are too many open loans."),
        DecisionReason.TOO_MANY_APPLICATIONS: _(
            "There were too many applications within the last 30 days."
        ),
        DecisionReason.FACT_MISSING: _("A fact that the policy asks for is not on record."),
        DecisionReason.RISK_NOT_KNOWN: _("There is no chance of default on record."),
        DecisionReason.SCORE_TOO_OLD: _("The score is older than the policy allows."),
        DecisionReason.SCORE_HALTED: _("The model of the score was halted."),
        DecisionReason.SCORE_RETIRED: _("The model of the score was retired."),
        DecisionReason.SCORE_SHADOW: _("The model of the score is only on trial."),
        DecisionReason.SCORE_STALE: _("The model has not scored for too long."),
        DecisionReason.RISK_WITHOUT_REASON: _(
            "The risk is above the cut-off, and no fact on record explains it."
        ),
        DecisionReason.RISK_NEAR_CUT_OFF: _("The risk is close to the cut-off."),
        DecisionReason.LIMIT_TOO_SMALL: _(
            "The amount that could be lent is smaller than the smallest loan."
        ),
    },
)
FACTS = Vocabulary(
    PolicyFact,
    {
        PolicyFact.AGE_YEARS: _("Age in years"),
        PolicyFact.MONTHLY_INCOME: _("Monthly income (¥)"),
        PolicyFact.PAYMENT_TO_INCOME: _("Payments ÷ income"),
        PolicyFact.CURRENT_DPD_DAYS: _("Days past due now"),
        PolicyFact.WORST_DPD_DAYS: _("Most days past due ever"),
        PolicyFact.CHARGED_OFF_COUNT: _("Loans charged off"),
        PolicyFact.OPEN_LOAN_COUNT: _("Open loans"),
        PolicyFact.RECENT_APPLICATION_COUNT: _("Applications within 30 days"),
    },
)
BOUNDS = Vocabulary(
    RuleBound,
    {RuleBound.BELOW: _("at least"), RuleBound.ABOVE: _("at most")},
)
GRANT_PROBLEMS = Vocabulary(
    GrantProblem,
    {
        GrantProblem.BAND_UNKNOWN: _("Choose one of the policy's bands."),
        GrantProblem.LIMIT_MISSING: _(
            "Give a limit: the band's depends on an income nobody knows."
        ),
        GrantProblem.LIMIT_TOO_HIGH: _("The band lends no more than this amount:"),
        GrantProblem.LIMIT_TOO_SMALL: _("A limit below this amount is no loan:"),
    },
)
POLICY_TERMS = Vocabulary(
    PolicyTerm,
    {
        PolicyTerm.SCORE_MODEL: _("Score"),
        PolicyTerm.SCORE_AGE_DAYS: _("Oldest score that is relied on"),
        PolicyTerm.HARD_RULE: _("Hard rule"),
        PolicyTerm.EXPLANATION: _("Explanation"),
        PolicyTerm.CUT_OFF: _("Cut-off"),
        PolicyTerm.REVIEW_FROM: _("A person decides above"),
        PolicyTerm.RATE_FLOOR: _("Lowest rate"),
        PolicyTerm.RATE_CAP: _("Highest rate"),
        PolicyTerm.LEAST_AMOUNT: _("Smallest loan"),
        PolicyTerm.BAND: _("Band"),
        PolicyTerm.MOST_RISK: _("up to a chance of default"),
        PolicyTerm.ANNUAL_RATE: _("annual rate"),
        PolicyTerm.LIMIT_AMOUNT: _("limit"),
        PolicyTerm.INCOME_MULTIPLE: _("limit by income"),
    },
)
POLICY_STATES = Vocabulary(
    PolicyState,
    {
        PolicyState.PROPOSED: Term(_("Waiting for a second person"), tone="busy"),
        PolicyState.ACTIVE: Term(_("Policy in force"), tone="good"),
        PolicyState.ENDED: _("Replaced"),
    },
)
REVIEW_KINDS = Vocabulary(
    ReviewKind,
    {
        ReviewKind.POLICY: _("The policy asks for a person"),
        ReviewKind.CONTEST: Term(_("The customer contests the decision"), tone="warn"),
    },
)
PROBLEMS = Vocabulary(
    PolicyProblem,
    {
        PolicyProblem.NOT_A_POLICY: _("These keys are needed, and no others:"),
        PolicyProblem.FACT_UNKNOWN: _("A policy does not know this fact:"),
        PolicyProblem.AGE_MISUSED: _("Age may only ask whether somebody is 18:"),
        PolicyProblem.VALUE_WRONG: _("The value is missing or wrong:"),
        PolicyProblem.BANDS_MISSING: _("1 to 26 bands are needed:"),
        PolicyProblem.BANDS_NOT_RISING: _("Bands need names of their own and rising risks:"),
        PolicyProblem.CUT_OFF_NOT_COVERED: _("The last band has to end at the cut-off:"),
        PolicyProblem.RATE_OUTSIDE: _("The rate leaves floor and cap:"),
        PolicyProblem.RATE_NOT_RISING: _("The rate is lower than that of a lower risk:"),
        PolicyProblem.LIMIT_NOT_FALLING: _("The limit is higher than that of a lower risk:"),
    },
)
REJECT_METHODS = Vocabulary(
    RejectMethod,
    {
        RejectMethod.ACCEPTED_ONLY: _("Accepted only"),
        RejectMethod.AUGMENTATION: _("Declined default as the accepted of their band"),
        RejectMethod.PARCELLING: _("Declined default at a multiple of the accepted"),
    },
)
SWAP_GROUPS = Vocabulary(
    SwapGroup,
    {
        SwapGroup.KEPT_IN: _("Accepted before and after"),
        SwapGroup.SWAPPED_IN: Term(_("Comes in"), tone="good"),
        SwapGroup.SWAPPED_OUT: Term(_("Goes out"), tone="warn"),
        SwapGroup.KEPT_OUT: _("Declined before and after"),
    },
)
