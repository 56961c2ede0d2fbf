"""The files of the Berka bank (PKDD 1999) in the words of loancrm.

Amounts are Czech crowns and are kept as they are. The instalments of a loan add up to its amount,
so the plan bears no interest. Status A is finished and paid, B finished and not paid, C running, D
running and in debt.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from customers.domain.events.event import LOAN_PAYMENT
from customers.domain.loans.instalments import add_months, months_between
from customers.domain.loans.loan import LoanStatus

SOURCE = "berka"
# The bank's records end with the year 1998; statuses are of that day.
RECORDS_END = date(1998, 12, 31)

STATUSES: Mapping[str, LoanStatus] = {
    "A": LoanStatus.SETTLED,
    "B": LoanStatus.CHARGED_OFF,
    "C": LoanStatus.ACTIVE,
    "D": LoanStatus.OVERDUE,
}
FREQUENCIES: Mapping[str, str] = {
    "POPLATEK MESICNE": "monthly",
    "POPLATEK TYDNE": "weekly",
    "POPLATEK PO OBRATU": "after_transaction",
}
OPERATIONS: Mapping[str, str] = {
    "VYBER KARTOU": "card_withdrawal",
    "credit card withdrawal": "card_withdrawal",
    "VKLAD": "cash_credit",
    "credit in cash": "cash_credit",
    "PREVOD Z UCTU": "collection_from_bank",
    "collection from another bank": "collection_from_bank",
    "VYBER": "cash_withdrawal",
    "withdrawal in cash": "cash_withdrawal",
    "PREVOD NA UCET": "remittance_to_bank",
    "remittance to another bank": "remittance_to_bank",
}
PURPOSES: Mapping[str, str] = {
    "POJISTNE": "insurance_payment",
    "insurrance payment": "insurance_payment",
    "SLUZBY": "statement_fee",
    "payment for statement": "statement_fee",
    "UROK": "interest_credited",
    "interest credited": "interest_credited",
    "SANKC. UROK": "penalty_interest",
    "sanction interest if negative balance": "penalty_interest",
    "SIPO": "household",
    "household": "household",
    "DUCHOD": "pension",
    "old-age pension": "pension",
    "UVER": "loan_payment",
    "loan payment": "loan_payment",
}
_CREDIT_TYPES = frozenset({"PRIJEM", "credit"})
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns each account, and which loan it carries."""

    client_of_account: Mapping[str, str]
    loan_of_account: Mapping[str, tuple[str, date]]

    @classmethod
    def of(
        cls, dispositions: Iterable[Mapping[str, Any]], loans: Iterable[Mapping[str, Any]]
    ) -> "Owners":
        """Return the owners from disp.csv (type OWNER) and the loans from loan.csv."""
        return cls(
            {x["account_id"]: x["client_id"] for x in dispositions if x["type"] == "OWNER"},
            {x["account_id"]: (x["loan_id"], date.fromisoformat(x["date"])) for x in loans},
        )


def products(loans: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one product row for each term that the loans have."""
    for months in sorted({int(loan["duration"]) for loan in loans}):
        yield {
            "code": product_code(months),
            "name_zh": f"个人贷款 {months} 期",
            "name_en": f"Personal loan, {months} months",
            "annual_rate": "0",
            "term_months": months,
        }


def product_code(months: int) -> str:
    """Return the code of the product of a term."""
    return f"berka-{months}m"


def loan_row(loan: Mapping[str, Any], owners: Owners) -> dict[str, Any]:
    """Return the loan of a line of loan.csv, with the state that the bank gives.

    A finished loan is closed, or charged off, at the end of its plan. What a running loan still
    owes is the part of its plan that falls due after the records end; arrears are not in the files.
    """
    months, disbursed = int(loan["duration"]), date.fromisoformat(loan["date"])
    status = STATUSES[loan["status"]]
    ended = min(add_months(disbursed, months), RECORDS_END).isoformat()
    left = months - months_between(disbursed, RECORDS_END)
    is_running = status in {LoanStatus.ACTIVE, LoanStatus.OVERDUE}
    owed = Decimal(loan["payments"]) * max(left, 0) if is_running else Decimal(0)
    return {
        "external_id": loan["loan_id"],
        "customer_id": owners.client_of_account.get(loan["account_id"], ""),
        "product": product_code(months),
        "principal_amount": loan["amount"],
        "annual_rate": "0",
        "term_months": months,
        "disbursed_on": loan["date"],
        "status": status.value,
        "closed_on": ended if status is LoanStatus.SETTLED else "",
        "charged_off_on": ended if status is LoanStatus.CHARGED_OFF else "",
        "outstanding_amount": str(owed),
    }


def instalment_rows(loan: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the monthly instalments of a line of loan.csv."""
    disbursed = date.fromisoformat(loan["date"])
    for number in range(1, int(loan["duration"]) + 1):
        yield {
            "loan_id": loan["loan_id"],
            "number": number,
            "due_on": add_months(disbursed, number).isoformat(),
            "principal_amount": loan["payments"],
        }


def repayment_row(transaction: Mapping[str, Any], owners: Owners) -> dict[str, Any] | None:
    """Return the repayment that a line of trans.csv is, or None when it is something else."""
    loan = owners.loan_of_account.get(transaction["account_id"])
    purpose = PURPOSES.get(transaction["k_symbol"].strip())
    if loan is None or purpose != LOAN_PAYMENT or date.fromisoformat(transaction["date"]) < loan[1]:
        return None
    return {
        "external_id": f"trans-{transaction['trans_id']}",
        "loan_id": loan[0],
        "paid_on": transaction["date"],
        "amount": transaction["amount"],
    }


def account_event(account: Mapping[str, Any], owners: Owners) -> dict[str, Any]:
    """Return the event that a line of account.csv is."""
    return {
        "external_id": owners.client_of_account.get(account["account_id"], ""),
        "event": "account_opened",
        "occurred_at": account["date"],
        "event_id": f"account-{account['account_id']}",
        "subject": f"account-{account['account_id']}",
        "channel": FREQUENCIES.get(account["frequency"], ""),
    }


def card_event(card: Mapping[str, Any], client_of_disposition: Mapping[str, str]) -> dict[str, Any]:
    """Return the event that a line of card.csv is."""
    return {
        "external_id": client_of_disposition.get(card["disp_id"], ""),
        "event": "card_issued",
        "occurred_at": card["issued"],
        "event_id": f"card-{card['card_id']}",
        "subject": card["type"],
    }


def transaction_event(transaction: Mapping[str, Any], owners: Owners) -> dict[str, Any]:
    """Return the event that a line of trans.csv is: money into or out of an account."""
    is_credit = transaction["type"] in _CREDIT_TYPES
    purpose = PURPOSES.get(transaction["k_symbol"].strip(), "")
    return {
        "external_id": owners.client_of_account.get(transaction["account_id"], ""),
        "event": "account_credited" if is_credit else "account_debited",
        "occurred_at": transaction["date"],
        "event_id": f"trans-{transaction['trans_id']}",
        "amount": str(Decimal(transaction["amount"]).quantize(_CENT)),
        "channel": OPERATIONS.get(transaction["operation"].strip(), ""),
        "subject": purpose,
    }
