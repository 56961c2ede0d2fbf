"""What people's attributes and profiles were, over time; a fixed number of queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from customers.domain.values.spells import PROFILE_COLUMNS, Spell
from customers.models import AttributeValue, Customer, PastAttribute, PastProfile

# What an attribute of numbers or texts says; nothing else is a column of a model.
Cell: TypeAlias = float | str
Spells: TypeAlias = Mapping[int, Sequence[Spell[Cell | None]]]


def attribute_spells(
    *, customer_ids: Collection[int], names: Collection[str]
) -> Mapping[str, Spells]:
    """Return the spells of each number or text by attribute and customer (2 queries)."""
    found: dict[str, defaultdict[int, list[Spell[Cell | None]]]] = {
        name: defaultdict(list) for name in names
    }
    past = PastAttribute.objects.order_by("pk").values_list(
        "definition__name", "customer_id", "number", "text", "began_at", "ended_at"
    )
    rows = past.filter(customer_id__in=customer_ids, definition__name__in=names)
    for name, key, number, text, began, ended in rows:
        found[name][key].append(Spell(_cell(number, text), began, ended))
    current = AttributeValue.objects.order_by().values_list(
        "definition__name", "customer_id", "number", "text", "updated_at"
    )
    for name, key, number, text, since in current.filter(
        customer_id__in=customer_ids, definition__name__in=names
    ):
        found[name][key].append(Spell(_cell(number, text), since))
    return found


def profile_spells(*, customer_ids: Collection[int]) -> Mapping[str, Spells]:
    """Return the spells of each column of the profile by column and customer (2 queries)."""
    found: dict[str, defaultdict[int, list[Spell[Cell | None]]]] = {
        name: defaultdict(list) for name in PROFILE_COLUMNS
    }
    past = PastProfile.objects.filter(customer_id__in=customer_ids).order_by("pk")
    for key, began, ended, *cells in past.values_list(
        "customer_id", "began_at", "ended_at", *PROFILE_COLUMNS
    ):
        for name, cell in zip(PROFILE_COLUMNS, cells, strict=True):
            found[name][key].append(Spell(cell or None, began, ended))
    people = Customer.objects.filter(pk__in=customer_ids).order_by()
    for key, since, born, *cells in people.values_list(
        "pk", "profile_since", "created_at", *PROFILE_COLUMNS
    ):
        for name, cell in zip(PROFILE_COLUMNS, cells, strict=True):
            found[name][key].append(Spell(cell or None, since or born))
    return found


def _cell(number: object, text: str | None) -> Cell | None:
    return (text or None) if number is None else float(number)  # type: ignore[arg-type]
