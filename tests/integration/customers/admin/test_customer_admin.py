"""Customers and segments in the admin: masked, found by the exact value, counted by the rule."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import (
    Customer,
    ImportBatch,
    ImportRow,
    RejectedRow,
    Segment,
    SegmentVersion,
)
from customers.services.segments import versions
from loancrm.kernel import roles
from loancrm.kernel.access import Actor
from loancrm.kernel.models import AuditEntry
from tests.factories.people import make_people

pytestmark = pytest.mark.django_db
LIST = "admin:customers_customer_changelist"
SEARCH = "admin:customers_customer_search"
PREVIEW = "admin:customers_segment_preview"


def signed_in(*groups: str, is_superuser: bool = False) -> Client:
    """Return an English client of a new user with these roles."""
    roles.ensure_roles()
    user = User.objects.create_user("reader", is_staff=True, is_superuser=is_superuser)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_list_is_masked_and_finds_exact_values_only() -> None:
    people = make_people(3)
    client = signed_in("marketer")
    everybody = client.get(reverse(LIST)).content.decode()
    assert "客户1" not in everybody
    assert "客**" in everybody
    assert [customer.pk for customer in _found(client, "p2@example.com")] == [people[1].pk]
    assert _found(client, "p2@example") == []


def _found(client: Client, words: str) -> list[Customer]:
    answer = client.post(reverse(SEARCH), {"words": words}, follow=True)
    return list(answer.context["cl"].result_list)


def test_e8_the_words_of_a_search_stand_in_no_address_and_no_session_in_clear() -> None:
    make_people(60, city="成都")
    Customer.objects.update(external_id="shared-number")
    client = signed_in("marketer")
    sent = client.post(reverse(SEARCH), {"words": "shared-number"})

    assert sent.status_code == 302
    assert "shared" not in sent["Location"]
    assert "shared" not in str(client.session.items())
    pages = [client.get(f"{sent['Location']}&p={number}").context["cl"] for number in (1, 2)]
    shown = [customer.pk for page in pages for customer in page.result_list]
    assert len(set(shown)) == 60
    assert "find=" in pages[0].get_query_string({"p": 2})
    # The address is of no use to another session.
    client.session.flush()
    client.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    assert not client.get(sent["Location"]).context["cl"].result_list


@pytest.mark.parametrize("words", ["²", "１２³", "\x00", "a\x00b", "9" * 500, "%", "   "])
def test_e7_whatever_is_searched_for_is_answered(words: str) -> None:
    make_people(1)
    client = signed_in("marketer")
    assert client.post(reverse(SEARCH), {"words": words}, follow=True).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        "birth_date__gte=1990-01-01",
        "contact_points__value_index__startswith=a",
        "national_id_index__startswith=a",
        "contact_points__value_index=a",
        "q=p1@example.com",
    ],
)
def test_e8_a_list_is_filtered_by_nothing_that_it_does_not_offer(asked: str) -> None:
    make_people(2)
    answer = signed_in("marketer").get(f"{reverse(LIST)}?{asked}")

    if asked.startswith("q="):
        assert len(answer.context["cl"].result_list) == 2
    else:
        assert answer.status_code == 400


def test_the_list_needs_the_same_number_of_queries_for_more_people() -> None:
    client = signed_in("marketer")
    make_people(2)
    client.get(reverse(LIST))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse(LIST))
    make_people(20, prefix="q")
    with CaptureQueriesContext(connection) as many:
        client.get(reverse(LIST))
    assert len(many) == len(few)


def test_a_customer_page_shows_no_whole_name_number_or_address() -> None:
    person = make_people(1)[0]
    url = reverse("admin:customers_customer_change", args=[person.pk])
    page = signed_in("marketer").get(url).content.decode()
    assert "p***@example.com" in page
    assert "p1@example.com" not in page
    assert "客户1" not in page


def test_a_user_without_a_role_sees_no_customers() -> None:
    person = make_people(1)[0]
    client = signed_in()
    assert client.get(reverse(LIST)).status_code == 403
    url = reverse("admin:customers_customer_change", args=[person.pk])
    assert client.get(url).status_code == 403


def test_the_live_count_equals_the_rule_and_the_sample_is_masked() -> None:
    make_people(4, city="杭州")
    make_people(3, city="成都", prefix="q")
    rule = {
        "combinator": "and",
        "rules": [{"field": "city", "operator": "=", "value": "成都"}],
    }
    answer = signed_in("marketer").post(
        reverse(PREVIEW), json.dumps({"rule": rule}), content_type="application/json"
    )
    found = answer.json()
    assert (found["count"], found["total"]) == (3, 7)
    assert [step["left"] for step in found["waterfall"]] == [7, 3]
    assert all(row[1].endswith("**") for row in found["sample"]["rows"])
    assert found["problems"] == []


def test_a_wrong_rule_is_answered_with_the_place_of_every_problem() -> None:
    rule = {"combinator": "and", "rules": [{"field": "shoe_size", "operator": "=", "value": 1}]}
    answer = signed_in("marketer").post(
        reverse(PREVIEW), json.dumps({"rule": rule}), content_type="application/json"
    )
    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["problems"]] == ["rules[0].field"]


def test_an_analyst_cannot_save_a_segment(now: datetime, actor: Actor) -> None:
    rule: dict[str, object] = {"combinator": "and", "rules": []}
    segment = versions.create_segment(actor=actor, slug="all", name="All", rule=rule, now=now)
    url = reverse("admin:customers_segment_change", args=[segment.pk])
    client = signed_in("analyst")
    assert client.get(url).status_code == 200
    changed = {**rule, "rules": [{"field": "city", "operator": "=", "value": "X"}]}
    answer = client.post(url, {"name": "Mine", "rule": json.dumps(changed)})
    assert answer.status_code == 403
    assert SegmentVersion.objects.count() == 1
    assert Segment.objects.get().name == "All"


@pytest.mark.django_db(transaction=True)
def test_a_file_is_only_checked_first_and_leaves_nothing(tmp_path: Path) -> None:
    client = signed_in(is_superuser=True)
    content = "client_id;birth_number;district_id\n1;706213;18\n2;450204;1\n"
    answer = client.post(
        reverse("admin:customers_importbatch_add"),
        {
            "file": SimpleUploadedFile("client.csv", content.encode()),
            "mapping": "berka_clients",
            "mode": "upsert",
            "is_dry_run": "on",
        },
    )
    page = client.get(answer["Location"])
    assert dict(page.context["numbers"])["Rows"] == 2
    batch = ImportBatch.objects.get()
    assert (batch.is_dry_run, Customer.objects.count()) == (True, 0)
    assert not ImportRow.objects.exists()
    assert not RejectedRow.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("marketer", 200), ("analyst", 403)])
def test_a_marketer_imports_and_an_analyst_does_not(role: str, status: int) -> None:
    url = reverse("admin:customers_importbatch_add")
    assert signed_in(role).get(url).status_code == status


def test_a_change_of_a_reference_row_is_in_the_audit_trail() -> None:
    client = signed_in(is_superuser=True)
    client.post(
        reverse("admin:customers_attributedefinition_add"),
        {
            "name": "cards",
            "value_type": "number",
            "label_zh": "卡",
            "label_en": "cards",
            "unit": "",
        },
    )
    entry = AuditEntry.objects.get(action="attributedefinition.added")
    assert entry.actor_label == "reader"


def test_a_segment_in_use_is_not_deleted_and_the_user_is_told_by_whom(
    now: datetime, actor: Actor
) -> None:
    rule: dict[str, object] = {"combinator": "and", "rules": []}
    inner = versions.create_segment(actor=actor, slug="inner", name="Inner", rule=rule, now=now)
    using = {
        "combinator": "and",
        "rules": [{"field": "segment", "operator": "=", "value": "inner"}],
    }
    versions.create_segment(actor=actor, slug="outer", name="Outer", rule=using, now=now)
    client = signed_in(is_superuser=True)
    data = {"action": "delete_segments", "_selected_action": [inner.pk]}
    page = client.post(reverse("admin:customers_segment_changelist"), data, follow=True)
    assert "outer" in page.content.decode()
    assert Segment.objects.filter(slug="inner").exists()


def test_segments_are_counted_again_from_the_list(now: datetime, actor: Actor) -> None:
    rule: dict[str, object] = {"combinator": "and", "rules": []}
    segment = versions.create_segment(actor=actor, slug="all", name="All", rule=rule, now=now)
    make_people(4)
    data = {"action": "count_again", "_selected_action": [segment.pk]}
    signed_in("analyst").post(reverse("admin:customers_segment_changelist"), data)
    segment.refresh_from_db()
    assert segment.last_count == 4
