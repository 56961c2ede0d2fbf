"""Find a customer by something that is stored sealed: only the exact value is ever found."""

from datetime import date

from django.db.models import Q

from customers.domain.values.emails import parse_email
from customers.domain.values.names import name_key, parse_name
from customers.domain.values.national_id import parse_national_id
from customers.domain.values.quality import ValueRefused
from customers.models import ContactPoint, Customer
from loancrm.kernel.phones import PhoneRefused, parse_phone
from loancrm.kernel.security import crypto


def matching(text: str, *, today: date) -> Q:
    """Return the predicate of customers whose phone, e-mail, name or id is exactly this text.

    Phone numbers, addresses and identity numbers are brought into their stored form first, so
    `138 0013 8000` finds `+8613800138000`. A text that is none of them matches external ids.
    """
    # PostgreSQL keeps no NUL, so nothing that is stored can hold one.
    text = text.replace("\x00", "").strip()
    if not text:
        return Q(pk__in=[])
    found = Q(external_id=text) | Q(identity_links__external_id=text)
    if text.isascii() and text.isdecimal() and len(text) < 10:
        found |= Q(pk=int(text))
    return found | _by_phone(text) | _by_email(text) | _by_national_id(text, today) | _by_name(text)


def _by_contact(kind: str, normalised: str) -> Q:
    index = crypto.vault().blind_index(ContactPoint.VALUE_COLUMN, normalised)
    points = ContactPoint.objects.filter(kind=kind, value_index=index)
    return Q(pk__in=points.values("customer_id"))


def _by_phone(text: str) -> Q:
    try:
        return _by_contact("phone", parse_phone(text).e164)
    except PhoneRefused:
        return Q()


def _by_email(text: str) -> Q:
    try:
        return _by_contact("email", parse_email(text))
    except ValueRefused:
        return Q()


def _by_national_id(text: str, today: date) -> Q:
    try:
        number = parse_national_id(text, today=today).number
    except ValueRefused:
        return Q()
    index = crypto.vault().blind_index(Customer.NATIONAL_ID_COLUMN, number)
    return Q(national_id_index=index)


def _by_name(text: str) -> Q:
    try:
        key = name_key(parse_name(text))
    except ValueRefused:
        return Q()
    if not key:
        return Q()
    return Q(name_index=crypto.vault().blind_index(Customer.NAME_COLUMN, key))
