"""Somebody who is nobody, to write a message for: no customer's data is opened for it."""

import json
from collections.abc import Mapping
from uuid import uuid4

from campaigns.domain.content.sample_people import SamplePerson, sample_values
from campaigns.domain.sending.eligibility import ContactFacts
from campaigns.models import MessageVariables
from campaigns.selectors.sending.contact_facts import Recipient, SealedText
from customers.domain.values.person import Gender, MarketingStatus
from customers.models import ContactPoint, Customer
from loancrm.kernel.security import crypto

_ADDRESSES = {"sms": "+8613800000000", "email": "wang.fang@example.com"}


def sample_recipient(
    *,
    variant_id: int,
    language: str,
    kind: str,
    attributes: Mapping[str, object],
    values: Mapping[str, str] | None = None,
    sample: SamplePerson = SamplePerson.TYPICAL,
) -> Recipient:
    """Return a made-up person who is reachable, as a text in one language would reach her.

    Args:
        variant_id: Which text she gets.
        kind: Of the channel.
        attributes: Values beside name and place; unknown ones are left out.
        values: What comes with a call of its own.
        sample: What sort of person.
    """
    known = sample_values(sample, language=language)
    return Recipient(
        message_id=0,
        customer_id=0,
        variant_id=variant_id,
        attempts=0,
        language=language,
        gender=Gender.FEMALE if known.is_complete else "",
        province=known.province,
        city=known.city,
        name=_sealed(Customer.NAME_COLUMN, known.name) if known.name else None,
        address=_sealed(ContactPoint.VALUE_COLUMN, _ADDRESSES[kind]),
        contact_point_id=None,
        facts=_REACHABLE,
        attributes=attributes,
        variables=_sealed(MessageVariables.VALUES_COLUMN, json.dumps(dict(values)))
        if values is not None
        else None,
    )


_REACHABLE = ContactFacts(
    customer_id=0,
    has_point=True,
    is_point_active=True,
    has_consent=True,
    is_suppressed=False,
    marketing_status=MarketingStatus.OPEN,
    birth_date=None,
    dpd_days=0,
    personalisation_allowed=True,
    zone=None,
)


def _sealed(column: str, value: str) -> SealedText:
    key = uuid4()
    return SealedText(key, crypto.vault().seal(column, key, value))
