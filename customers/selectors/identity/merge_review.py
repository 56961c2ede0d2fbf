"""Two customers side by side, masked, so that a person can tell whether they are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from customers import labels
from customers.models import ContactPoint, Customer, Merge
from customers.selectors import sources
from customers.selectors.profile import person


@dataclass(frozen=True, slots=True)
class Line:
    """One thing known about both; `agrees` is None where one of them does not say."""

    title: str
    left: str
    right: str
    agrees: bool | None


def side_by_side(left: Customer, right: Customer, *, today: date) -> list[Line]:
    """Return what is known about two customers; whole names and numbers are never shown."""
    names, numbers, ages = (
        (show(left), show(right))
        for show in (
            person.masked_name,
            person.masked_national_id,
            lambda who: person.age_years(who.birth_date, today),
        )
    )
    named = sources.names()
    return [
        _line(_("Full name"), names, left.name_index, right.name_index),
        _line(_("Identity number"), numbers, left.national_id_index, right.national_id_index),
        _line(_("Age"), ages, left.birth_date, right.birth_date),
        _plain(_("Gender"), *(_gender(c) for c in (left, right))),
        _plain(_("Place"), *(f"{c.province} {c.city}".strip() for c in (left, right))),
        _plain(_("Occupation"), *(labels.occupation(c.occupation) for c in (left, right))),
        _contacts(_("Phone"), "phone", left, right),
        _contacts(_("E-mail"), "email", left, right),
        Line(_("Consents"), _consents(left), _consents(right), agrees=None),
        Line(_("Loans"), str(left.loans.count()), str(right.loans.count()), agrees=None),
        Line(_("Events"), str(left.events.count()), str(right.events.count()), agrees=None),
        Line(_("Source"), _source(left, named), _source(right, named), agrees=None),
    ]


def _source(customer: Customer, named: Mapping[str, str]) -> str:
    return named.get(customer.source) or labels.own_source(customer.source)


def _line(title: str, shown: tuple[Any, Any], left: Any, right: Any) -> Line:
    one, other = ("" if text is None else str(text) for text in shown)
    return Line(title, one, other, agrees=left == right if left and right else None)


def _plain(title: str, left: str, right: str) -> Line:
    return _line(title, (left, right), left, right)


def _gender(customer: Customer) -> str:
    return labels.GENDERS.label(customer.gender) if customer.gender != "unknown" else ""


def _contacts(title: str, kind: str, left: Customer, right: Customer) -> Line:
    sides = [list(c.contact_points.filter(kind=kind).order_by("pk")) for c in (left, right)]
    indexes = [{point.value_index for point in points} for points in sides]
    agrees = bool(indexes[0] & indexes[1]) if all(indexes) else None
    return Line(title, _masked(sides[0]), _masked(sides[1]), agrees=agrees)


def _masked(points: Iterable[ContactPoint]) -> str:
    return ", ".join(person.masked_contact(point) for point in points)


def _consents(customer: Customer) -> str:
    return ", ".join(
        f"{labels.CHANNELS.label(state.channel)} {'✓' if state.is_granted else '✗'}"
        for state in customer.consent_states.order_by("channel", "purpose")
    )


def surviving_edits(merge: Merge) -> list[tuple[str, int, str]]:
    """Return (kind of row, id, column) of what was changed after a merge and therefore stayed."""
    return [(_kind(item["model"]), item["id"], item["column"]) for item in merge.later_edits]


def arrivals(merge: Merge) -> list[tuple[str, int]]:
    """Return (kind of row, how many) of what came in after a merge and stayed with the kept one."""
    return [(_kind(item["model"]), item["count"]) for item in merge.arrived]


def _kind(label: str) -> str:
    name = str(apps.get_model(label)._meta.verbose_name)  # noqa: SLF001 - where Django keeps names
    return name[:1].upper() + name[1:]
