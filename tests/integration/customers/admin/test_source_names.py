"""Staff read sources by their titles, never by the codes that files call them by."""

import pytest
from django.urls import reverse

from customers.models import (
    ConsentState,
    ContactPoint,
    DataSource,
    IdentityLink,
    MergeDecision,
    Relationship,
    UnclearConsent,
)
from customers.selectors import sources
from customers.templatetags.source_names import source_name
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
CODE, TITLE = "zz_core_7", "核心信贷系统"


@pytest.fixture
def people(now):
    DataSource.objects.create(name=CODE, title=TITLE, created_at=now)
    found = make_people(2, source=CODE)
    ContactPoint.objects.update(source=CODE)
    IdentityLink.objects.create(customer=found[0], source=CODE, external_id="K-1", created_at=now)
    ConsentState.objects.update(source=CODE)
    return found


def page_of(client, name, *args, **content):
    address = reverse(f"admin:{name}", args=args)
    answer = client.post(address, content) if content else client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_person_is_read_with_the_titles(people, admin_client):
    page = page_of(admin_client, "customers_customer_change", people[0].pk)
    assert TITLE in page
    assert f">{CODE}<" not in page.replace(" ", "").replace("\n", "")


def test_so_are_the_sides_of_a_merge(people, admin_client, now):
    decision = MergeDecision.objects.create(
        kept=people[0], other=people[1], matched_by="phone", probability=0.9, created_at=now
    )
    page = page_of(admin_client, "customers_mergedecision_change", decision.pk)
    assert page.count(TITLE) == 2
    assert CODE not in page


def test_so_are_unclear_consents(people, admin_client, now):
    row = UnclearConsent.objects.create(
        customer=people[0], channel="sms", purpose="marketing", source=CODE, ended_at=now
    )
    for page in (
        page_of(admin_client, "customers_unclearconsent_changelist"),
        page_of(admin_client, "customers_unclearconsent_change", row.pk),
    ):
        assert TITLE in page
        assert CODE not in page


def test_so_are_ties(people, admin_client, now):
    Relationship.objects.create(
        customer=people[0], other=people[1], kind="spouse", source=CODE, since=now
    )
    page = page_of(
        admin_client, "customers_customer_relationships", people[0].pk, purpose="credit_risk"
    )
    assert TITLE in page
    assert CODE not in page


def test_own_sources_have_words_and_others_stay_as_they_are_written(people):
    names = sources.names()
    assert source_name(CODE, names) == TITLE
    assert source_name("lead_form", names) not in ("lead_form", "")
    assert source_name("unheard-of", names) == "unheard-of"
