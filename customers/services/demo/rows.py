"""Turns the demo's stories into rows of the tables; writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from customers.domain.demo import names, population
from customers.domain.demo.activity import POLICY_VERSION
from customers.domain.demo.lending import DemoApplication, DemoLoan
from customers.domain.demo.people import SOURCE
from customers.domain.demo.population import Story
from customers.domain.values.contact import ContactKind
from customers.models import (
    Application,
    AttributeDefinition,
    AttributeValue,
    ContactPoint,
    Customer,
    Loan,
    Product,
    Score,
)
from loancrm.kernel.security import crypto

EVENT_COLUMNS = (
    "customer",
    "type",
    "occurred_at",
    "received_at",
    "amount",
    "channel",
    "subject",
    "properties",
    "source",
    "dedup_key",
)
INSTALMENT_COLUMNS = (
    "loan",
    "number",
    "due_on",
    "principal_amount",
    "interest_amount",
    "fee_amount",
)
REPAYMENT_COLUMNS = ("source", "external_id", "loan", "paid_on", "amount")

Pair: TypeAlias = tuple[Customer, Story]
Plan: TypeAlias = tuple[Loan, DemoLoan]
Values: TypeAlias = tuple[Any, ...]


def customer(story: Story, *, now: datetime) -> Customer:
    """Return the customer's row with name and identity number sealed."""
    person, vault = story.person, crypto.vault()
    row = Customer(
        public_id=person.public_id,
        external_id=person.external_id,
        birth_date=person.birth_date,
        gender=person.gender,
        province=person.place.province,
        city=person.place.city,
        occupation=person.occupation,
        education=person.education,
        marital=person.marital,
        income_band=person.income_band,
        language=person.language,
        lifecycle_stage=story.stage,
        marketing_status=person.marketing_status,
        personalisation_allowed=person.is_personalisation_allowed,
        source=SOURCE,
        created_at=person.created_at,
        updated_at=now,
    )
    if person.name is not None:
        column = Customer.NAME_COLUMN
        row.name_sealed = vault.seal(column, person.public_id, person.name.text)
        row.name_index = vault.blind_index(column, person.name.text)
    if person.national_id is not None:
        column = Customer.NATIONAL_ID_COLUMN
        row.national_id_sealed = vault.seal(column, person.public_id, person.national_id)
        row.national_id_index = vault.blind_index(column, person.national_id)
    return row


def contact_points(pairs: Sequence[Pair]) -> Iterator[ContactPoint]:
    """Yield phone and e-mail address of every customer who has them, and what is shared."""
    vault, column = crypto.vault(), ContactPoint.VALUE_COLUMN
    for owner, story in pairs:
        shared = story.ties.shared_phone_serial
        values = (
            (ContactKind.PHONE, story.person.phone, True),
            (ContactKind.EMAIL, story.person.email, True),
            (ContactKind.PHONE, None if shared is None else names.mobile_number(shared), False),
            (ContactKind.POSTAL, story.ties.address, False),
        )
        for kind, value, is_primary in values:
            if value is None:
                continue
            point = ContactPoint(
                customer=owner,
                kind=kind,
                is_primary=is_primary,
                value_index=vault.blind_index(column, value),
                source=SOURCE,
                created_at=story.person.created_at,
            )
            point.value_sealed = vault.seal(column, point.row_key, value)
            yield point


def attributes(
    pairs: Sequence[Pair],
    *,
    income: AttributeDefinition,
    acquired: AttributeDefinition,
    ties: Mapping[str, AttributeDefinition],
    now: datetime,
) -> Iterator[AttributeValue]:
    """Yield monthly income, the way of acquisition and what ties a customer to others."""
    for owner, story in pairs:
        yield AttributeValue(
            customer=owner,
            definition=income,
            number=story.person.monthly_income_amount,
            source=SOURCE,
            updated_at=now,
        )
        yield AttributeValue(
            customer=owner,
            definition=acquired,
            text=story.person.acquired_through,
            source=SOURCE,
            updated_at=now,
        )
        for name, text in story.ties.attributes.items():
            yield AttributeValue(
                customer=owner, definition=ties[name], text=text, source=SOURCE, updated_at=now
            )


def consent_records(pairs: Sequence[Pair], *, now: datetime) -> Iterator[Values]:
    """Yield the consent ledger in the order of `consents.RECORD_COLUMNS`."""
    for owner, story in pairs:
        for entry in story.consents:
            what = (entry.channel, entry.purpose, entry.is_granted)
            yield owner.pk, *what, POLICY_VERSION, SOURCE, "", entry.at, entry.expires_at, now


def consent_states(pairs: Sequence[Pair]) -> Iterator[Values]:
    """Yield the state after the last entry of each ledger, as `consents.STATE_COLUMNS`."""
    for owner, story in pairs:
        last = {(entry.channel, entry.purpose): entry for entry in story.consents}
        for (channel, purpose), entry in last.items():
            fact = (entry.is_granted, entry.at, entry.expires_at)
            yield owner.pk, channel, purpose, *fact, SOURCE


def scores(pairs: Sequence[Pair], *, now: datetime) -> Iterator[Score]:
    """Yield the risk score of everyone who ever applied."""
    for owner, story in pairs:
        if story.score is not None:
            yield Score(
                customer=owner,
                model_name=population.RISK_MODEL,
                version=population.RISK_MODEL_VERSION,
                value=story.score.points,
                band=story.score.band,
                scored_at=now,
            )


def events(pairs: Sequence[Pair], *, type_ids: dict[str, int], now: datetime) -> Iterator[Values]:
    """Yield the events in the order of EVENT_COLUMNS."""
    for owner, story in pairs:
        for number, event in enumerate(story.events):
            yield (
                owner.pk,
                type_ids[event.name],
                event.occurred_at,
                min(event.occurred_at, now),
                event.amount,
                event.channel,
                event.subject,
                {},
                SOURCE,
                f"{owner.external_id}-{number}",
            )


def application(owner: Customer, drawn: DemoApplication, *, product: Product) -> Application:
    """Return one application's row."""
    return Application(
        source=SOURCE,
        external_id=application_id(owner, drawn),
        customer=owner,
        product=product,
        amount=drawn.amount,
        channel=drawn.channel,
        status=drawn.status,
        submitted_at=drawn.submitted_at,
        decided_at=drawn.decided_at,
    )


def application_id(owner: Customer, drawn: DemoApplication) -> str:
    """Return the core system's number of an application."""
    return f"{owner.external_id}-A{drawn.number}"


def loan(requested: Application, drawn: DemoLoan) -> Loan:
    """Return the row of a loan with its state at the reference day."""
    state, product = drawn.state, drawn.application.product
    return Loan(
        source=SOURCE,
        external_id=requested.external_id.replace("-A", "-L"),
        customer_id=requested.customer_id,
        product_id=requested.product_id,
        application=requested,
        principal_amount=drawn.application.amount,
        annual_rate=product.annual_rate,
        term_months=product.term_months,
        disbursed_on=drawn.disbursed_date,
        settled_on=state.settled_date,
        charged_off_on=drawn.charged_off_date,
        status=state.status,
        dpd_days=state.dpd_days,
        max_dpd_days=state.max_dpd_days,
        outstanding_amount=state.outstanding_amount,
        state_as_of=state.as_of,
    )


def instalments(plans: Sequence[Plan]) -> Iterator[Values]:
    """Yield the repayment plans in the order of INSTALMENT_COLUMNS."""
    for row, drawn in plans:
        for line in drawn.schedule:
            amounts = (line.principal_amount, line.interest_amount, line.fee_amount)
            yield row.pk, line.number, line.due_date, *amounts


def repayments(plans: Sequence[Plan]) -> Iterator[Values]:
    """Yield the payments in the order of REPAYMENT_COLUMNS."""
    for row, drawn in plans:
        for number, payment in enumerate(drawn.payments, start=1):
            external_id = f"{row.external_id}-{number}"
            yield SOURCE, external_id, row.pk, payment.paid_date, payment.amount
