"""Schedules and payments of many loans, as the pure loan functions take them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, DecimalField, Q, Value

from customers.domain.loans.instalments import ScheduledInstalment
from customers.domain.loans.loan import LoanStatus, Payment
from customers.models import Instalment, Loan, Repayment

ZERO = Decimal(0)
DEFAULT_DAYS = 90
_NO_INSTALMENT = -1
NOT_BOOKED = (LoanStatus.CANCELLED, LoanStatus.PENDING)
# A loan went bad when it was ever 90 days past due or charged off; a reported state has no days
# past due, so the bank's own word "in debt" is its default.
IS_BAD = (
    Q(status=LoanStatus.CHARGED_OFF)
    | Q(is_state_reported=False, max_dpd_days__gte=DEFAULT_DAYS)
    | Q(is_state_reported=True, status=LoanStatus.OVERDUE)
)


@dataclass(frozen=True, slots=True)
class LoanBook:
    """The plan and the payments of one loan; a reversal is a payment with a negative amount."""

    schedule: tuple[ScheduledInstalment, ...] = field(default=())
    payments: tuple[Payment, ...] = field(default=())

    @property
    def margin_amount(self) -> Decimal:
        """Return interest and fees of the whole schedule."""
        return sum((x.interest_amount + x.fee_amount for x in self.schedule), ZERO)


def load_books(*, loan_ids: Collection[int]) -> dict[int, LoanBook]:
    """Return {loan id: book} of loans that have a schedule or a payment, in one query."""
    nothing = Value(ZERO, output_field=DecimalField(max_digits=14, decimal_places=2))
    due = Instalment.objects.filter(loan_id__in=loan_ids).values_list(
        "loan_id", "number", "due_on", "principal_amount", "interest_amount", "fee_amount"
    )
    # In the shape of an instalment.
    received = Repayment.objects.filter(loan_id__in=loan_ids).values_list(
        "loan_id",
        Value(_NO_INSTALMENT),
        "paid_on",
        "amount",
        nothing,
        nothing,
    )
    plans: dict[int, list[ScheduledInstalment]] = defaultdict(list)
    payments: dict[int, list[Payment]] = defaultdict(list)
    for loan_id, number, on, amount, interest, fee in due.union(received, all=True):
        if number == _NO_INSTALMENT:
            payments[loan_id].append(Payment(on, amount))
        else:
            plans[loan_id].append(ScheduledInstalment(number, on, amount, interest, fee))
    return {
        loan_id: LoanBook(tuple(plans[loan_id]), tuple(payments[loan_id]))
        for loan_id in plans.keys() | payments.keys()
    }


def best_source(external_ids: Collection[str]) -> str:
    """Return the source that has most loans with these external ids, or "" when none has any."""
    best = (
        Loan.objects.filter(external_id__in=external_ids)
        .values("source")
        .annotate(known=Count("pk"))
        .order_by("-known", "source")
        .first()
    )
    return best["source"] if best else ""
