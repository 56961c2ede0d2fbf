"""Counts of persons by what a campaign did to them and what they did after it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from analytics.domain.credit.vintages import LoanRecord


@dataclass(frozen=True, slots=True)
class OutcomeCell:
    """Persons who are alike in everything that a report splits by.

    Attributes:
        channel: The channel that reached the person, or was to reach them.
        variant: Key of the variant assigned in the first step.
        is_eligible: No gate before the holdout refused the person.
        is_mature: The goal's window had ended at the report's time.
        is_converted: Goal within the window after the first exposure.
        is_converted_ever: Goal at any time after the first exposure.
        is_global_control: Got no marketing at all when the first message was decided: in neither
            group of the campaign, whose lift it would not be.
        is_rest: Written to after a test of texts, with the text that it chose: in no arm of it.
    """

    channel: str
    variant: str
    is_control: bool
    is_eligible: bool
    is_sent: bool
    is_delivered: bool
    is_clicked: bool
    is_mature: bool
    is_converted: bool
    is_converted_ever: bool
    persons: int
    is_rest: bool = False
    is_global_control: bool = False


@dataclass(frozen=True, slots=True)
class Converter:
    """A person who was sent to and reached the goal within the window."""

    customer_id: int
    channel: str
    variant: str
    exposed_at: datetime
    converted_at: datetime


@dataclass(frozen=True, slots=True)
class Borrowing:
    """The loans of one converter.

    Attributes:
        first_draw_date: First ever draw, from loans or events; None without any.
        spans: (first day, last day or None) with a balance, and single days of draws and payments.
        campaign_loan: The first loan drawn on or after the day of exposure.
    """

    first_draw_date: date | None = None
    spans: tuple[tuple[date, date | None], ...] = ()
    campaign_loan: "CampaignLoan | None" = None


@dataclass(frozen=True, slots=True)
class CampaignLoan:
    """A loan that followed from a campaign.

    Attributes:
        record: For default rates; None when its repayments are not known to us.
        margin_amount: Interest and fees of the whole schedule.
    """

    record: LoanRecord | None
    margin_amount: Decimal
    outstanding_amount: Decimal
    is_defaulted: bool


@dataclass(frozen=True, slots=True)
class Population:
    """A selection of cells that can be narrowed and counted."""

    cells: Sequence[OutcomeCell] = field(default_factory=tuple)

    def where(self, keep: Callable[[OutcomeCell], bool]) -> "Population":
        """Return the cells that fit."""
        return Population([cell for cell in self.cells if keep(cell)])

    def count(self, keep: Callable[[OutcomeCell], bool] | None = None) -> int:
        """Return the persons, or those who fit."""
        return _persons(self.cells if keep is None else filter(keep, self.cells))

    @property
    def treated(self) -> "Population":
        """Return the persons who were to be contacted."""
        return self.where(lambda cell: not (cell.is_control or cell.is_global_control))

    @property
    def control(self) -> "Population":
        """Return the holdout."""
        return self.where(lambda cell: cell.is_control and not cell.is_global_control)

    @property
    def globally_held_out(self) -> "Population":
        """Return the persons who were in the global control group."""
        return self.where(lambda cell: cell.is_global_control)

    @property
    def tested(self) -> "Population":
        """Return the persons whose variant was drawn by lot."""
        return self.where(lambda cell: not cell.is_rest)

    @property
    def eligible(self) -> "Population":
        """Return the persons whom no gate before the holdout refused."""
        return self.where(lambda cell: cell.is_eligible)

    def conversions(self) -> tuple[int, int]:
        """Return (converted, persons) of those whose window has ended."""
        mature = self.where(lambda cell: cell.is_mature)
        return mature.count(lambda cell: cell.is_converted), mature.count()

    def immature_count(self) -> int:
        """Return the persons whose window has not ended."""
        return self.count(lambda cell: not cell.is_mature)

    def values(self, of: Callable[[OutcomeCell], str]) -> list[str]:
        """Return the different values of a property, sorted, without empty ones."""
        return sorted({of(cell) for cell in self.cells} - {""})


def _persons(cells: Iterable[OutcomeCell]) -> int:
    return sum(cell.persons for cell in cells)
