"""What the converted did with their loans, read in bulk."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F
from django.db.models.functions import Coalesce

from analytics.domain.campaign_worth import THRESHOLDS, ConverterFollowUp
from analytics.domain.credit.vintages import LoanRecord
from analytics.domain.outcomes import Borrowing, CampaignLoan, Converter
from customers.domain.events.event import EventName
from customers.domain.loans.loan import LoanStatus, first_reached_dates
from customers.models import Customer, Event, Loan
from customers.selectors import loan_books

_BATCH = 2000
_DEFAULT_DAYS = 90
_LIFE_EVENTS = (EventName.LOAN_DISBURSED, EventName.REPAYMENT_MADE)


def load_followed(
    *, converters: Sequence[Converter], as_of: datetime, zone: ZoneInfo
) -> tuple[ConverterFollowUp, ...]:
    """Return the converters with their loans up to `as_of`, in six queries for every 2,000.

    Args:
        converters: Those of one campaign.
        as_of: Later loans, payments and events are left out.
        zone: Zone in which times become days.
    """
    found: list[ConverterFollowUp] = []
    for batch in _batches(converters):
        reader = _BorrowingReader(batch, as_of, zone)
        found.extend(
            ConverterFollowUp(
                converter=converter,
                exposed_date=converter.exposed_at.astimezone(zone).date(),
                converted_date=converter.converted_at.astimezone(zone).date(),
                borrowing=reader.borrowing(converter),
            )
            for converter in batch
        )
    return tuple(found)


class _BorrowingReader:
    """The loans and loan events of one batch of converters, merged records included."""

    def __init__(self, batch: Sequence[Converter], as_of: datetime, zone: ZoneInfo) -> None:
        self.zone = zone
        self.as_of = as_of
        self.today = as_of.astimezone(zone).date()
        people = {converter.customer_id for converter in batch}
        merged = Customer.objects.filter(merged_into__in=people)
        self.person_of = {person: person for person in people}
        self.person_of.update(merged.values_list("pk", "merged_into_id"))
        self.loans: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for loan in self._loan_rows():
            self.loans[self.person_of[loan["customer_id"]]].append(loan)
        self.days: dict[int, list[tuple[str, date]]] = defaultdict(list)
        for customer_id, name, at in self._event_rows():
            self.days[self.person_of[customer_id]].append((name, at.astimezone(zone).date()))
        chosen = [loan for c in batch if (loan := self._campaign_loan_row(c))]
        self.books = loan_books.load_books(loan_ids=[loan["pk"] for loan in chosen])

    def borrowing(self, converter: Converter) -> Borrowing:
        loans = self.loans[converter.customer_id]
        days = self.days[converter.customer_id]
        draws = [loan["disbursed_on"] for loan in loans]
        draws += [day for name, day in days if name == EventName.LOAN_DISBURSED]
        spans = [(loan["disbursed_on"], self._last_day(loan)) for loan in loans]
        spans += [(day, day) for _, day in days]
        chosen = self._campaign_loan_row(converter)
        return Borrowing(
            first_draw_date=min(draws, default=None),
            spans=tuple(spans),
            campaign_loan=self._campaign_loan(chosen) if chosen else None,
        )

    def _loan_rows(self) -> Any:
        return (
            Loan.objects.filter(customer_id__in=self.person_of, disbursed_on__lte=self.today)
            .exclude(status__in=[LoanStatus.CANCELLED, LoanStatus.PENDING])
            .annotate(end_on=Coalesce("settled_on", "closed_on", "charged_off_on"))
            .order_by("disbursed_on", "pk")
            .values(
                "pk",
                "customer_id",
                "disbursed_on",
                "principal_amount",
                "outstanding_amount",
                "status",
                "dpd_days",
                "is_state_reported",
                "end_on",
            )
        )

    def _event_rows(self) -> Any:
        return (
            Event.objects.filter(
                customer_id__in=self.person_of,
                type__name__in=_LIFE_EVENTS,
                occurred_at__lte=self.as_of,
            )
            .annotate(name=F("type__name"))
            .values_list("customer_id", "name", "occurred_at")
        )

    def _last_day(self, loan: dict[str, Any]) -> date | None:
        end: date | None = loan["end_on"]
        return end if end is not None and end <= self.today else None

    def _campaign_loan_row(self, converter: Converter) -> dict[str, Any] | None:
        exposed = converter.exposed_at.astimezone(self.zone).date()
        loans = self.loans[converter.customer_id]
        return next((loan for loan in loans if loan["disbursed_on"] >= exposed), None)

    def _campaign_loan(self, loan: dict[str, Any]) -> CampaignLoan:
        book = self.books.get(loan["pk"])
        record = None
        if book is not None and book.schedule and not loan["is_state_reported"]:
            record = LoanRecord(
                booked_date=loan["disbursed_on"],
                principal_amount=loan["principal_amount"],
                reached=first_reached_dates(
                    schedule=book.schedule,
                    payments=book.payments,
                    as_of=self.today,
                    thresholds=THRESHOLDS,
                ),
            )
        charged_off = loan["status"] == LoanStatus.CHARGED_OFF
        return CampaignLoan(
            record=record,
            margin_amount=book.margin_amount if book else loan_books.ZERO,
            outstanding_amount=loan["outstanding_amount"],
            is_defaulted=charged_off or loan["dpd_days"] >= _DEFAULT_DAYS,
        )


def _batches(converters: Sequence[Converter]) -> Iterator[Sequence[Converter]]:
    for start in range(0, len(converters), _BATCH):
        yield converters[start : start + _BATCH]
