"""Past values are kept for as long as the lender says, and no longer."""

from datetime import timedelta

import pytest

from customers.models import AttributeDefinition, Customer, PastAttribute, PastProfile
from customers.services import history
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_what_was_over_long_ago_is_removed_page_by_page(now, settings):
    settings.LOANCRM_HISTORY_DAYS = 100
    (person,) = make_people(1)
    definition = AttributeDefinition.objects.create(name="income", value_type="number")
    ended = [now - timedelta(days=days) for days in (400, 300, 101, 99, 1)]
    for moment in ended:
        times = {"began_at": moment - timedelta(days=500), "ended_at": moment}
        PastAttribute.objects.create(customer=person, definition=definition, number=1, **times)
        PastProfile.objects.create(customer=person, occupation="nurse", **times)

    assert history.clear_history(now=now, page=2) == 6
    for model in (PastAttribute, PastProfile):
        left = model.objects.order_by("ended_at").values_list("ended_at", flat=True)
        assert list(left) == ended[3:]
    assert history.clear_history(now=now, page=2) == 0
    assert Customer.objects.get() == person
