"""What customers did and owe, as columns of numbers for discovering segments.

Protected attributes (sex, age, marital status, and what the lender marked as protected) are no
columns unless a leave is recorded; people who switched personal recommendations off are never rows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Max, QuerySet, Sum

from analytics.domain.discovery_names import FEATURE_LABELS
from analytics.domain.features import FeatureTable, Floats
from analytics.domain.rfm import Purchases
from analytics.models import ProtectedOverride
from analytics.selectors import protected_features
from customers.domain.events.event import EventName
from customers.domain.fields.catalogue import Text
from customers.domain.values.attribute import AttributeType
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    Event,
    Loan,
    PastAttribute,
)
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

WINDOW_DAYS = 365
_CHUNK = 5000
_PREFIX = "attribute."
Ids: TypeAlias = npt.NDArray[np.int64]
COUNTED = (
    EventName.APP_LOGIN,
    EventName.PAGE_VIEWED,
    EventName.LINK_CLICKED,
    EventName.APPLICATION_SUBMITTED,
    EventName.REPAYMENT_MADE,
)
# What the customer does; what is done to customers says nothing about them.
ACTIVE = (*COUNTED, EventName.APPLICATION_STARTED, EventName.CALL_MADE)


class FeatureUnknown(LoanCrmError):
    """There is no such feature."""

    code = "feature_unknown"


class FeatureProtected(LoanCrmError):
    """The feature is a protected attribute, by which nobody may be grouped."""

    code = "feature_protected"


def usable_features(*, overrides: Mapping[str, ProtectedOverride] | None = None) -> dict[str, Text]:
    """Return {name: label} of every feature that may be used: numbers, then categories.

    Args:
        overrides: Leave for protected attributes; those come last.
    """
    leave = protected_features.labels_of(overrides or {})
    return {**_numbers(), **_attributes(AttributeType.TEXT), **leave}


def _numbers() -> dict[str, Text]:
    return {**FEATURE_LABELS, **_attributes(AttributeType.NUMBER)}


def _attributes(kind: AttributeType) -> dict[str, Text]:
    found = AttributeDefinition.objects.filter(
        value_type=kind, is_protected=False, is_risk_only=False
    ).order_by("name")
    return {
        f"attribute.{row.name}": Text(row.label_zh or row.name, row.label_en or row.name)
        for row in found
    }


def chosen_features(
    names: Sequence[str], *, overrides: Mapping[str, ProtectedOverride] | None = None
) -> dict[str, Text]:
    """Return {name: label} of the named features, of all numbers when none is named.

    A category is looked at by name only: most texts are no categories.

    Raises:
        FeatureProtected: One is a protected attribute without leave.
        FeatureUnknown: One does not exist.
    """
    usable = usable_features(overrides=overrides)
    protected = protected_features.protected_names() - usable.keys()
    for name in names:
        if name in protected:
            raise FeatureProtected(
                _("“%(name)s” is a protected attribute: nobody may be grouped by it.")
                % {"name": name},
                name=name,
            )
        if name not in usable:
            raise FeatureUnknown(_("There is no feature “%(name)s”.") % {"name": name}, name=name)
    return {name: usable[name] for name in names} if names else _numbers()


def load_features(
    *, people: QuerySet[Customer], names: Sequence[str], as_of: datetime
) -> FeatureTable:
    """Return the features of these people at a time; one query a source of columns.

    Counts and sums are of the 365 days before; attributes as they were at that time; loans as they
    stand now.
    """
    rows = people.filter(personalisation_allowed=True).order_by("pk").values_list("pk", flat=True)
    ids = np.fromiter(rows.iterator(chunk_size=_CHUNK), dtype=np.int64)
    columns = {**_event_columns(ids, as_of), **_loan_columns(ids)}
    attributes = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    words, said = _attribute_columns(ids, attributes, as_of)
    columns |= said
    more_words, protected = protected_features.protected_columns(ids, names, as_of=as_of)
    columns |= protected
    values = (
        np.column_stack([columns[name] for name in names]) if names else np.empty((len(ids), 0))
    )
    return FeatureTable(ids, tuple(names), values, words | more_words)


def load_purchases(
    *, people: QuerySet[Customer], event: str, since: datetime, as_of: datetime
) -> list[Purchases]:
    """Return what these people did, who did it at least once; one query.

    An event with a negative amount is a refund: it lowers the total and is no transaction.
    """
    rows = people.filter(personalisation_allowed=True).values_list("pk", flat=True)
    wanted = set(rows.iterator(chunk_size=_CHUNK))
    events = Event.objects.filter(
        type__name=event, occurred_at__gt=since, occurred_at__lte=as_of
    ).order_by()
    bought = (
        events.exclude(amount__lt=0)
        .values_list("customer_id")
        .annotate(n=Count("pk"), last=Max("occurred_at"), total=Sum("amount"))
    )
    refunds = dict(
        events.filter(amount__lt=0).values_list("customer_id").annotate(total=Sum("amount"))
    )
    return [
        Purchases(key, last, count, float(total or 0) + float(refunds.get(key, 0)))
        for key, count, last, total in sorted(bought)
        if key in wanted
    ]


def _event_columns(ids: Ids, as_of: datetime) -> dict[str, Floats]:
    position = {int(key): at for at, key in enumerate(ids)}
    columns = {f"{name.value}_count": np.zeros(len(ids)) for name in COUNTED}
    amount = np.zeros(len(ids))
    last: list[datetime | None] = [None] * len(ids)
    found = (
        Event.objects.filter(
            type__name__in=ACTIVE,
            occurred_at__gt=as_of - timedelta(days=WINDOW_DAYS),
            occurred_at__lte=as_of,
        )
        .values_list("customer_id", "type__name")
        .annotate(n=Count("pk"), last=Max("occurred_at"), total=Sum("amount"))
        .order_by()
    )
    for key, name, count, last_at, total in found.iterator(chunk_size=_CHUNK):
        at = position.get(key)
        if at is None:
            continue
        if f"{name}_count" in columns:
            columns[f"{name}_count"][at] = count
        if name == EventName.REPAYMENT_MADE:
            amount[at] = float(total or 0)
        before = last[at]
        last[at] = last_at if before is None else max(before, last_at)
    days = [WINDOW_DAYS if at is None else (as_of - at).days for at in last]
    return {**columns, "repayment_amount": amount, "days_since_active": np.array(days, dtype=float)}


def _loan_columns(ids: Ids) -> dict[str, Floats]:
    position = {int(key): at for at, key in enumerate(ids)}
    names = ("loan_count", "principal_amount", "outstanding_amount", "max_dpd_days")
    columns = {name: np.zeros(len(ids)) for name in names}
    found = (
        Loan.objects.values_list("customer_id")
        .annotate(
            n=Count("pk"),
            lent=Sum("principal_amount"),
            owed=Sum("outstanding_amount"),
            late=Max("max_dpd_days"),
        )
        .order_by()
    )
    for key, *values in found.iterator(chunk_size=_CHUNK):
        if (at := position.get(key)) is not None:
            for name, value in zip(names, values, strict=True):
                columns[name][at] = float(value or 0)
    return columns


def _attribute_columns(
    ids: Ids, names: Sequence[str], as_of: datetime
) -> tuple[dict[str, tuple[str, ...]], dict[str, Floats]]:
    """Return the words of every category, sorted, and columns of numbers or of positions in them.

    Read from everybody at once, because these may be all: at one time there are few other values
    than today's.
    """
    kinds = list(
        AttributeDefinition.objects.filter(
            name__in=names, value_type__in=(AttributeType.NUMBER, AttributeType.TEXT)
        )
    )
    if not kinds:
        return {}, {}
    position = {int(key): at for at, key in enumerate(ids)}
    given: dict[int, list[Any]] = {kind.pk: [None] * len(ids) for kind in kinds}
    columns = ("customer_id", "definition_id", "number", "text")
    now = AttributeValue.objects.filter(definition__in=given, updated_at__lte=as_of)
    # What was replaced since comes last, and counts; of two, the one that was written down first.
    past = PastAttribute.objects.filter(
        definition__in=given, began_at__lte=as_of, ended_at__gt=as_of
    ).order_by("-pk")
    for rows in (now.values_list(*columns), past.values_list(*columns)):
        for key, kind, number, text in rows.iterator(chunk_size=_CHUNK):
            if (at := position.get(key)) is not None:
                given[kind][at] = (text or None) if number is None else float(number)
    words: dict[str, tuple[str, ...]] = {}
    found: dict[str, Floats] = {}
    for kind in kinds:
        full, cells = f"{_PREFIX}{kind.name}", given[kind.pk]
        if kind.value_type == AttributeType.TEXT:
            words[full], found[full] = protected_features.word_column(cells)
        else:
            numbers = [np.nan if cell is None else cell for cell in cells]
            found[full] = np.array(numbers, dtype=np.float64)
    return words, found
