"""How loans roll from bucket to bucket, and the flow of balances through each.

Roll rate = what stands in bucket j at the end of a month ÷ what stood in bucket i at its start.
Source: OCC Comptroller's Handbook, Retail Lending (roll rates and flow models).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from analytics.domain.credit.month_ends import END_STATES, OPEN_STATES, BookState

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class RollCount:
    """What went from one state to another within one month; amounts in cents."""

    month: date
    opening: BookState
    closing: BookState
    loan_count: int
    opening_cents: int
    new_cents: int
    paid_cents: int
    charged_off_cents: int
    closing_cents: int


@dataclass(frozen=True, slots=True)
class RollCell:
    """Loans that went from one state to another ÷ loans that were in the first.

    Attributes:
        amount: Balance of them at the start, in CNY.
    """

    opening: BookState
    closing: BookState
    loan_count: int
    opening_count: int
    amount: Decimal
    opening_amount: Decimal

    @property
    def rate(self) -> float | None:
        """Return the rate by count; None where nothing was in the bucket."""
        return self.loan_count / self.opening_count if self.opening_count else None

    @property
    def amount_rate(self) -> float | None:
        """Return the rate by balance at the start; None where nothing was in the bucket."""
        return float(self.amount / self.opening_amount) if self.opening_amount else None


@dataclass(frozen=True, slots=True)
class BucketFlow:
    """The balance of one bucket through one month, in CNY, to the cent.

    Opening + new − paid − charged off + rolled in − rolled out = closing; over all buckets what
    rolls in is what rolls out, and opening + new − paid − charged off = closing.

    Attributes:
        paid_amount: Of the loans that began the month in this bucket; new ones begin in M0.
        rolled_in_amount: Closing balance of the loans that came from other buckets.
        rolled_out_amount: Closing balance of the loans that went to other buckets.
    """

    month: date
    bucket: BookState
    opening_amount: Decimal
    new_amount: Decimal
    paid_amount: Decimal
    charged_off_amount: Decimal
    rolled_in_amount: Decimal
    rolled_out_amount: Decimal
    closing_amount: Decimal


def roll_matrix(counts: Iterable[RollCount]) -> dict[tuple[BookState, BookState], RollCell]:
    """Return every cell of the matrix of open buckets by what became of them, summed over months.

    New loans and loans that a reversal opened again were in no bucket and are left out.
    """
    moved: dict[tuple[BookState, BookState], list[int]] = {}
    for count in counts:
        if count.opening in OPEN_STATES:
            cell = moved.setdefault((count.opening, count.closing), [0, 0])
            cell[0] += count.loan_count
            cell[1] += count.opening_cents
    found = {}
    for opening in OPEN_STATES:
        parts = [moved.get((opening, closing), [0, 0]) for closing in END_STATES]
        loans, cents = (sum(part[at] for part in parts) for at in (0, 1))
        for closing, (number, amount) in zip(END_STATES, parts, strict=True):
            found[opening, closing] = RollCell(
                opening, closing, number, loans, _amount(amount), _amount(cents)
            )
    return found


def bucket_flows(counts: Iterable[RollCount]) -> tuple[BucketFlow, ...]:
    """Return the flow of every open bucket in every month, in order of month and bucket.

    New loans begin in M0; a loan that was opened again begins where it stands afterwards.
    """
    sums: dict[tuple[date, BookState], list[int]] = {}
    for count in counts:
        begun = _begun(count)
        for bucket in OPEN_STATES:
            sums.setdefault((count.month, bucket), [0] * 7)
        own = sums[count.month, begun]
        own[0] += count.opening_cents
        own[1] += count.new_cents
        own[2] += count.paid_cents
        own[3] += count.charged_off_cents
        if count.closing in OPEN_STATES:
            sums[count.month, count.closing][6] += count.closing_cents
            if begun is not count.closing:
                sums[count.month, count.closing][4] += count.closing_cents
                own[5] += count.closing_cents
    return tuple(
        BucketFlow(month, bucket, *map(_amount, sums[month, bucket]))
        for month, bucket in sorted(sums, key=lambda key: (key[0], OPEN_STATES.index(key[1])))
    )


def flow_rates(counts: Iterable[RollCount]) -> tuple[float | None, ...]:
    """Return the share of each bucket's balance that goes to the next worse one or beyond.

    From M0 to M1, M1 to M2, M2 to M3, M3 to M3+, M3+ to charge-off. None where a bucket was empty.
    """
    cells = roll_matrix(counts)
    rates = []
    for at, opening in enumerate(OPEN_STATES):
        worse = (*OPEN_STATES[at + 1 :], BookState.CHARGED_OFF)
        total = cells[opening, opening].opening_amount
        moved = sum((cells[opening, closing].amount for closing in worse), Decimal(0))
        rates.append(float(moved / total) if total else None)
    return tuple(rates)


def gross_loss_rate(rates: Sequence[float]) -> float:
    """Return the share of a current balance that ends lost: the product of its flow rates."""
    product = 1.0
    for rate in rates:
        product *= rate
    return product


def absorbed_within(matrix: Matrix, *, start: int, end: int, months: int) -> float:
    """Return the chance that a loan in state `start` is in state `end` after some months.

    Args:
        matrix: Chances of one month; every row adds up to 1.
        start: Number of a row.
        end: Number of a column; an absorbing state makes it “within” and not “at”.

    Raises:
        ValueError: A row does not add up to 1, or `months` is negative.
    """
    if months < 0 or any(abs(sum(row) - 1) > _ROW_TOLERANCE for row in matrix):
        raise ValueError("every row must add up to 1, and months must not be negative")
    chances = [1.0 if state == start else 0.0 for state in range(len(matrix))]
    for _month in range(months):
        chances = [
            sum(chances[row] * matrix[row][column] for row in range(len(matrix)))
            for column in range(len(matrix))
        ]
    return chances[end]


def default_within(
    cells: Mapping[tuple[BookState, BookState], RollCell], *, months: int, least_loans: int
) -> dict[BookState, float] | None:
    """Return {bucket: chance to be past 90 days or charged off within some months}, by count.

    M3+ and charge-off are default, and a settled loan stays settled. None where a bucket that loans
    roll through has seen fewer than `least_loans` loans: no estimate rests on so little.
    """
    ways = (BookState.M0, BookState.M1, BookState.M2, BookState.M3)
    if any(cells[way, way].opening_count < least_loans for way in ways):
        return None
    matrix = []
    for opening in ways:
        rates = {closing: cells[opening, closing].rate or 0.0 for closing in END_STATES}
        bad = rates[BookState.M3_PLUS] + rates[BookState.CHARGED_OFF]
        matrix.append([*(rates[way] for way in ways), bad, rates[BookState.SETTLED]])
    matrix += [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]
    found = {
        way: absorbed_within(matrix, start=at, end=len(ways), months=months)
        for at, way in enumerate(ways)
    }
    return {**found, BookState.M3_PLUS: 1.0}


_ROW_TOLERANCE = 1e-9


def _begun(count: RollCount) -> BookState:
    if count.opening in OPEN_STATES:
        return count.opening
    if count.opening is BookState.SETTLED and count.closing in OPEN_STATES:
        return count.closing
    return BookState.M0


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
