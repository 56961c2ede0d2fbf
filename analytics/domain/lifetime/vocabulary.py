"""Why a file says too little of purchases; a page loads it without a numeric library."""

from enum import StrEnum


class PurchaseProblem(StrEnum):
    """Why a file does not say who bought when."""

    NO_ROWS = "no_rows"
    ROW_DAMAGED = "row_damaged"
    COLUMN_MISSING = "column_missing"
    CELL_EMPTY = "cell_empty"
    NO_DATE = "no_date"
    NO_AMOUNT = "no_amount"
    CONTRADICTION = "contradiction"
    CUSTOMER_TWICE = "customer_twice"
    CUT_TOO_EARLY = "cut_too_early"
    NO_DAYS_TO_CUT = "no_days_to_cut"
    NO_FIT = "no_fit"
    NO_CONTRACT_FIT = "no_contract_fit"


class ChurnState(StrEnum):
    """Whether a customer has left.

    WAITING: All is settled and the window in which a new draw would keep them still runs.
    """

    ACTIVE = "active"
    WAITING = "waiting"
    CHURNED = "churned"
    DEFAULTED = "defaulted"
    NEVER_BORROWED = "never_borrowed"
