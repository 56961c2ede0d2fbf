"""What discoveries know of people at a time."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from analytics.selectors.discovery_features import load_features
from customers.models import AttributeDefinition, AttributeValue, Customer
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_attributes_are_those_of_the_time_and_not_of_today(now, django_assert_num_queries):
    one, two, three = make_people(3)
    income = AttributeDefinition.objects.create(name="income", value_type="number")
    trade = AttributeDefinition.objects.create(name="trade", value_type="text")
    for person, number, text, moment in (
        (one, 1000, "nurse", now - timedelta(days=9)),
        (two, 2000, "driver", now - timedelta(days=9)),
        (three, 3000, "cook", now + timedelta(days=1)),
    ):
        made = {"customer": person, "updated_at": moment}
        AttributeValue.objects.create(definition=income, number=Decimal(number), **made)
        AttributeValue.objects.create(definition=trade, text=text, **made)
    values = AttributeValue.objects.filter(customer=one)
    values.filter(definition=income).update(number=Decimal(7), updated_at=now + timedelta(days=1))
    values.filter(definition=trade).delete()
    AttributeValue.objects.filter(customer=two, definition=trade).update(
        text="pilot", updated_at=now - timedelta(days=1)
    )

    def seen(moment):
        table = load_features(
            people=Customer.objects.all(),
            names=("attribute.income", "attribute.trade"),
            as_of=moment,
        )
        words = table.words["attribute.trade"]
        return [
            (None if np.isnan(number) else number, None if np.isnan(at) else words[int(at)])
            for number, at in table.values
        ]

    with django_assert_num_queries(6):
        assert seen(now) == [(1000, "nurse"), (2000, "pilot"), (None, None)]
    assert seen(now - timedelta(days=3)) == [(1000, "nurse"), (2000, "driver"), (None, None)]
    assert seen(now + timedelta(days=400)) == [(7, None), (2000, "pilot"), (3000, "cook")]
