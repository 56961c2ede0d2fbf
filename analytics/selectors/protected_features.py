"""Protected attributes: which there are, which a recorded leave opens, and their columns."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from analytics.domain.features import Floats
from analytics.models import ProtectedOverride
from customers.domain.fields.catalogue import DataClass, Text
from customers.domain.segments.columns import CUSTOMER_FIELDS
from customers.domain.values.attribute import AttributeType
from customers.models import AttributeDefinition, Customer
from customers.selectors.profile.person import age_years
from loancrm.kernel import clock

_AGE = "age"
_CATEGORIES = ("gender", "marital")
_CHUNK = 5000


def protected_names() -> set[str]:
    """Return every name by which nobody may be grouped without leave, risk-only ones too."""
    names = {n for n, s in CUSTOMER_FIELDS.items() if s.data_class is DataClass.PROTECTED}
    for row in AttributeDefinition.objects.filter(Q(is_protected=True) | Q(is_risk_only=True)):
        names |= {row.name, f"attribute.{row.name}"}
    return names


def overridable() -> dict[str, Text]:
    """Return {name: label} of the protected attributes for which leave can be given.

    Not of what is for risk only: no leave widens that purpose.
    """
    own = {name: CUSTOMER_FIELDS[name].label for name in (_AGE, *_CATEGORIES)}
    rows = AttributeDefinition.objects.filter(
        is_protected=True,
        is_risk_only=False,
        value_type__in=(AttributeType.NUMBER, AttributeType.TEXT),
    ).order_by("name")
    return own | {
        f"attribute.{row.name}": Text(row.label_zh or row.name, row.label_en or row.name)
        for row in rows
    }


def overrides_in_force(*, now: datetime) -> dict[str, ProtectedOverride]:
    """Return the leave that holds at a time for each protected attribute that has one."""
    today = now.astimezone(clock.company_zone()).date()
    rows = ProtectedOverride.objects.filter(ended_at=None, valid_until__gte=today)
    known = overridable()
    return {row.feature: row for row in rows.order_by("pk") if row.feature in known}


def protected_columns(
    ids: npt.NDArray[np.int64], names: Sequence[str], *, as_of: datetime
) -> tuple[dict[str, tuple[str, ...]], dict[str, Floats]]:
    """Return the words of the protected categories among these names, and the columns of all."""
    wanted = [name for name in names if name == _AGE or name in _CATEGORIES]
    if not wanted:
        return {}, {}
    today = as_of.astimezone(clock.company_zone()).date()
    rows = Customer.objects.values_list("pk", "birth_date", *_CATEGORIES)
    people = {row[0]: row[1:] for row in rows.iterator(chunk_size=_CHUNK)}
    said = [people[int(key)] for key in ids]
    words: dict[str, tuple[str, ...]] = {}
    columns: dict[str, Floats] = {}
    for name in wanted:
        if name == _AGE:
            ages = (age_years(born, today) for born, *_rest in said)
            known = [np.nan if age is None else age for age in ages]
            columns[name] = np.array(known, dtype=np.float64)
            continue
        cells = [row[1 + _CATEGORIES.index(name)] for row in said]
        words[name], columns[name] = word_column(cells)
    return words, columns


def word_column(cells: Sequence[str | None]) -> tuple[tuple[str, ...], Floats]:
    """Return the words of a category, sorted, and where each cell's stands; nothing is NaN."""
    words = tuple(sorted({cell for cell in cells if cell}))
    number = {word: at for at, word in enumerate(words)}
    positions = [number[cell] if cell else np.nan for cell in cells]
    return words, np.array(positions, dtype=np.float64)


def labels_of(names: Mapping[str, ProtectedOverride]) -> dict[str, Text]:
    """Return the labels of the attributes for which there is leave."""
    known = overridable()
    return {name: known[name] for name in names}
