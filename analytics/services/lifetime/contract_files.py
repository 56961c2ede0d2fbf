"""Read off a file of contracts how long they last, and value those that still run."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from analytics.domain.lifetime.contracts import (
    LEAST_AT_RISK,
    NobodyLeftError,
    ShiftedBetaGeometric,
    contract_value,
    fit_sbg,
)
from analytics.domain.lifetime.customer_value import ValueTerms
from analytics.domain.lifetime.hazards import (
    HazardTable,
    RetentionCountsError,
    contract_hazards,
)
from analytics.domain.lifetime.reading import (
    Contract,
    PurchaseColumns,
    PurchaseFileError,
    read_contracts,
)
from analytics.domain.lifetime.vocabulary import PurchaseProblem
from analytics.services.lifetime.purchase_files import refusal_of, sound_rows
from customers.domain.loans.instalments import months_between
from customers.services.events import from_file


@dataclass(frozen=True, slots=True)
class RunningContract:
    """A contract that runs at the end of the observation.

    Attributes:
        age: Whole months since it began.
        value: To come, beyond what it has brought.
    """

    customer: str
    age: int
    value: float


@dataclass(frozen=True, slots=True)
class FittedContracts:
    """How long contracts last by month, beyond what was seen too, and what the running ones bring.

    Attributes:
        known_until: Last month whose hazard enough contracts tell; from there on the model speaks.
    """

    until: date
    count: int
    table: HazardTable
    model: ShiftedBetaGeometric
    known_until: int
    running: tuple[RunningContract, ...]
    terms: ValueTerms


def fit_contract_file(
    *, path: Path, columns: PurchaseColumns, terms: ValueTerms, until: date | None = None
) -> FittedContracts:
    """Read hazards off a file of contracts, extrapolate them by an sBG, and value what runs.

    A value is of the whole life that is left: `terms.months` bounds nothing. Reads nothing of the
    database.

    Args:
        columns: Of the file; `day` is that of the beginning.
        terms: With a discount above 0.
        until: What happened after this day is not seen; the last day in the file when None.

    Raises:
        RowsRefused: The file cannot be read as a table.
        PurchasesRefused: It does not say who had a contract when, or too little for a model.
    """
    with from_file.opened(path) as records:
        try:
            contracts = list(read_contracts(sound_rows(records.rows), columns))
            return _fitted(contracts, terms, until)
        except PurchaseFileError as err:
            raise refusal_of(err) from err
        except (NobodyLeftError, RetentionCountsError) as err:
            raise refusal_of(PurchaseFileError(PurchaseProblem.NO_CONTRACT_FIT)) from err


def _fitted(contracts: list[Contract], terms: ValueTerms, until: date | None) -> FittedContracts:
    if not contracts:
        raise PurchaseFileError(PurchaseProblem.NO_ROWS)
    end = until or max(each.ended_on or each.started_on for each in contracts)
    seen = [each for each in contracts if each.started_on <= end]
    rows = [_months(each, end) for each in seen]
    table = contract_hazards((months, is_over, 1) for months, is_over in rows)
    model = fit_sbg(table)
    discount = (1 + terms.discount) ** (1 / 12) - 1
    worth = {
        age: contract_value(table, model, age=age, margin=terms.margin, discount=discount)
        for age in {months for months, is_over in rows if not is_over}
    }
    return FittedContracts(
        until=end,
        count=len(seen),
        table=table,
        model=model,
        known_until=table.known_until(LEAST_AT_RISK),
        running=tuple(
            RunningContract(each.customer, age, worth[age] * each.amount)
            for each, (age, is_over) in zip(seen, rows, strict=True)
            if not is_over
        ),
        terms=terms,
    )


def _months(contract: Contract, end: date) -> tuple[int, bool]:
    """Return the months seen, and whether it ended in the last of them.

    What ends within the first month has ended in month 1; what runs has so many whole months.
    """
    last = contract.ended_on
    if last is not None and last <= end:
        return months_between(contract.started_on, last) + 1, True
    return months_between(contract.started_on, end), False
