"""The review queue of duplicates: masked, decided by those who may, and reversible."""

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.labels import SEARCH_STEPS
from customers.models import (
    Customer,
    DuplicateSearch,
    Merge,
    MergeDecision,
    SurvivorshipRule,
)
from loancrm.kernel import roles
from loancrm.kernel.models import Work
from loancrm.kernel.work import service
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LIST = "admin:customers_mergedecision_changelist"


@pytest.fixture
def decision(now: datetime) -> MergeDecision:
    kept, other = make_people(2, city="西安")
    return MergeDecision.objects.create(
        kept=kept, other=other, matched_by="phone", probability=0.9999, created_at=now
    )


def client_of(*, is_superuser: bool, language: str = "en") -> Client:
    roles.ensure_roles()
    user = User.objects.create_user("steward", is_staff=True, is_superuser=is_superuser)
    if not is_superuser:
        user.groups.set(Group.objects.filter(name="analyst"))
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(decision: MergeDecision) -> str:
    return reverse("admin:customers_mergedecision_change", args=[decision.pk])


def test_a11_the_queue_compares_two_customers_masked(decision: MergeDecision) -> None:
    client = client_of(is_superuser=True)
    listed = client.get(reverse(LIST)).content.decode()
    assert "Same phone" in listed
    assert "99.9%" in listed
    page = client.get(address(decision)).content.decode()
    assert "客**" in page
    assert "客户1" not in page
    assert "p1@example.com" not in page
    assert page.count("different") >= 2
    assert "Merge into #" in page


def test_a11_the_queue_reads_chinese(decision: MergeDecision) -> None:
    page = client_of(is_superuser=True, language="zh-hans").get(address(decision))
    assert "是同一个人吗" in page.content.decode()
    assert "手机号相同" in page.content.decode()


def test_a12_a_pair_is_merged_into_the_chosen_one_and_parted_again(
    decision: MergeDecision,
) -> None:
    client = client_of(is_superuser=True)
    client.post(address(decision), {"do": "merge_right"})
    decision.refresh_from_db()
    assert (decision.state, decision.decided_by) == ("merged", "steward")
    assert Customer.objects.get(pk=decision.kept_id).merged_into_id == decision.other_id

    client.post(address(decision), {"do": "unmerge"})
    decision.refresh_from_db()
    assert decision.state == "refused"
    assert Customer.objects.live().count() == 2
    assert Merge.objects.get().undone_by == "steward"


def test_a11_kept_apart_leaves_the_queue(decision: MergeDecision) -> None:
    client = client_of(is_superuser=True)
    client.post(address(decision), {"do": "keep_apart"})
    decision.refresh_from_db()
    assert decision.state == "refused"
    assert Customer.objects.live().count() == 2


def test_a_reader_sees_the_pair_but_decides_nothing(decision: MergeDecision) -> None:
    client = client_of(is_superuser=False)
    assert "Merge into" not in client.get(address(decision)).content.decode()
    client.post(address(decision), {"do": "merge_left"})
    decision.refresh_from_db()
    assert decision.state == "proposed"
    assert Customer.objects.live().count() == 2
    assert not Merge.objects.exists()


def test_a12_survivorship_rules_are_kept_by_an_administrator_and_checked() -> None:
    client = client_of(is_superuser=True)
    url = reverse("admin:customers_survivorshiprule_add")
    client.post(url, {"field": "city", "prefer": "source", "sources": '"crm"'})
    client.post(url, {"field": "city", "prefer": "nobody", "sources": "[]"})
    assert not SurvivorshipRule.objects.exists()
    client.post(url, {"field": "city", "prefer": "source", "sources": '["crm"]'})
    assert SurvivorshipRule.objects.get().sources == ["crm"]


def test_a11_a_search_is_started_above_the_queue_and_shows_its_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_args, **_kwargs: None)
    client = client_of(is_superuser=True)
    listed = client.get(reverse(LIST)).content.decode()
    begin = reverse("admin:customers_duplicatesearch_start")
    assert begin in listed
    assert "Nobody seems to be there twice" in listed

    shown = client.post(begin, follow=True)

    assert shown.headers["Refresh"] == "3"
    assert "Waiting for a worker" in shown.content.decode()
    Work.objects.update(
        state="running", step=SEARCH_STEPS.phrase("compare"), done_count=1_500, total_count=4_000
    )
    page = client.get(shown.request["PATH_INFO"]).content.decode()
    assert "Comparing pairs" in page
    assert "1,500 / 4,000" in page
    again = client.post(begin, follow=True).content.decode()
    assert "A search for duplicates is running already." in again


def test_a_reader_starts_no_search() -> None:
    client = client_of(is_superuser=False)
    begin = reverse("admin:customers_duplicatesearch_start")
    assert begin not in client.get(reverse(LIST)).content.decode()

    client.post(begin)

    assert not DuplicateSearch.objects.exists()
