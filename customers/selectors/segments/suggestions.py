"""Values that a text field has, for the builder to suggest; bounded whatever the tables' sizes."""

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from customers.domain.fields.catalogue import FieldType, Store
from customers.domain.segments.columns import CUSTOMER_FIELDS
from customers.models import AttributeValue, Customer, Event

LOOKED_AT = 20_000
SHOWN = 50
_UNIQUE = frozenset({"external_id"})
_EVENT_CHANNEL = "event.channel"


def suggestions(*, field: str) -> list[str]:
    """Return the most frequent values of a field among the newest rows; none for other fields.

    One query, over at most `LOOKED_AT` rows.
    """
    values = _newest(field)
    if values is None:
        return []
    counted = Counter(value for value in values if value)
    return [value for value, _count in counted.most_common(SHOWN)]


def _newest(field: str) -> "QuerySet[Any, Any] | None":
    if field == _EVENT_CHANNEL:
        return Event.objects.order_by("-pk").values_list("channel", flat=True)[:LOOKED_AT]
    name = field.removeprefix("attribute.")
    if name != field:
        rows = AttributeValue.objects.filter(
            definition__name=name, definition__value_type="text", definition__is_risk_only=False
        )
        return rows.order_by("-pk").values_list("text", flat=True)[:LOOKED_AT]
    spec = CUSTOMER_FIELDS.get(field)
    if spec is None or spec.type is not FieldType.TEXT or spec.store is not Store.PLAIN:
        return None
    if field in _UNIQUE:
        return None
    return Customer.objects.order_by("-pk").values_list(spec.column, flat=True)[:LOOKED_AT]
