"""How churn, surveys and faults of files of purchases are read."""

from django.utils.translation import gettext_lazy

from analytics.domain.lifetime.vocabulary import ChurnState, PurchaseProblem
from customers.domain.events.survey import SurveyKind
from loancrm.kernel.words.phrases import worded
from loancrm.kernel.words.vocabulary import Term, Vocabulary

CHURN_STATES = Vocabulary(
    ChurnState,
    {
        ChurnState.ACTIVE: Term(gettext_lazy("Active borrower"), tone="good"),
        ChurnState.WAITING: gettext_lazy("Settled, may still come back"),
        ChurnState.CHURNED: Term(gettext_lazy("Churned"), tone="warn"),
        ChurnState.DEFAULTED: Term(gettext_lazy("In default"), tone="bad"),
        ChurnState.NEVER_BORROWED: gettext_lazy("Never borrowed"),
    },
)
SURVEY_KINDS = Vocabulary(
    SurveyKind,
    {
        SurveyKind.CSAT: gettext_lazy("Satisfied (4 and 5 of 5)"),
        SurveyKind.NPS: gettext_lazy("Net promoter score"),
    },
)
PURCHASE_PROBLEMS = Vocabulary(
    PurchaseProblem,
    {
        PurchaseProblem.NO_ROWS: gettext_lazy("The file has no rows."),
        PurchaseProblem.ROW_DAMAGED: gettext_lazy("A row is damaged."),
        PurchaseProblem.COLUMN_MISSING: gettext_lazy("There is no column %(column)s."),
        PurchaseProblem.CELL_EMPTY: gettext_lazy("The column %(column)s has an empty cell."),
        PurchaseProblem.NO_DATE: gettext_lazy(
            "A cell of the column %(column)s is no date such as 2026-01-31."
        ),
        PurchaseProblem.NO_AMOUNT: gettext_lazy(
            "A cell of the column %(column)s is no number from 0."
        ),
        PurchaseProblem.CONTRADICTION: gettext_lazy(
            "The columns %(column)s contradict each other."
        ),
        PurchaseProblem.CUSTOMER_TWICE: gettext_lazy("A customer comes twice."),
        PurchaseProblem.CUT_TOO_EARLY: gettext_lazy("Nobody bought anything by that day."),
        PurchaseProblem.NO_DAYS_TO_CUT: gettext_lazy(
            "The file is a summary: it has no days that could be cut."
        ),
        PurchaseProblem.NO_FIT: gettext_lazy(
            "The purchases are too few or too alike to tell the parameters from."
        ),
        PurchaseProblem.NO_CONTRACT_FIT: gettext_lazy(
            "The contracts are too few, too short or too alike to tell how long they last."
        ),
    },
)


def purchase_problem(problem: PurchaseProblem, *, column: str) -> str:
    """Return in words why a file does not say who bought when."""
    return worded(PURCHASE_PROBLEMS[problem].label) % {"column": column}
