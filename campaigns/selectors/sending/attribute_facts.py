"""What is stored of each person beside the profile, as gates and texts need it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from campaigns.domain.sending.eligibility import MessagePlan
from customers.domain.values.attribute import AttributeType
from customers.models import AttributeValue

STUDENT_ATTRIBUTE = "is_student"


def students(customer_ids: Sequence[int], plan: MessagePlan) -> set[int]:
    """Return who is known to be a student; asked only where a rule keeps credit from students."""
    if not plan.bars_students:
        return set()
    rows = AttributeValue.objects.filter(
        customer_id__any_of=customer_ids, definition__name=STUDENT_ATTRIBUTE, flag=True
    )
    return set(rows.values_list("customer_id", flat=True))


def attributes(customer_ids: Sequence[int], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Return {customer: {attribute: value}}; what only risk may read is left out."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    if not names:
        return found
    rows = AttributeValue.objects.filter(
        customer_id__any_of=customer_ids,
        definition__name__in=names,
        definition__is_risk_only=False,
    ).values_list(
        "customer_id", "definition__name", "definition__value_type", "number", "text", "day", "flag"
    )
    for customer_id, name, value_type, number, text, day, flag in rows:
        match AttributeType(value_type):
            case AttributeType.NUMBER:
                found[customer_id][name] = number
            case AttributeType.TEXT:
                found[customer_id][name] = text
            case AttributeType.DAY:
                found[customer_id][name] = day
            case AttributeType.FLAG:
                found[customer_id][name] = flag
    return found
