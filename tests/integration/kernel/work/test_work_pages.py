"""The page of all long work: who sees what, what is stuck, and what can be asked."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.db.models import OneToOneField
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from analytics.jobs import DISCOVERY
from analytics.models import DiscoveryRun
from customers.jobs import DUPLICATE_SEARCH, IMPORT
from loancrm.kernel import clock, roles
from loancrm.kernel.database.shared_clock import Moment
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry, RequestedAction, Work, WorkState
from loancrm.kernel.work import claims, labels, service
from tests.integration.kernel.work.rows import ACTOR, NOW, started

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
KINDS = settings.LOANCRM_MANIFESTS.work_kinds
PAGE = "work:index"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_, **__: None)


@pytest.fixture
def root() -> Client:
    """An operator, who reads English."""
    return _client(User.objects.create_superuser("root"))


def _client(user: User, language: str = "en") -> Client:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.get(pk=user.pk))
    return client


def _of_role(role: Role) -> Client:
    roles.ensure_roles()
    user = User.objects.create_user(f"one-{role}")
    user.groups.add(Group.objects.get(name=role))
    return _client(user)


def _shown(client: Client, state: str = "") -> str:
    return client.get(reverse(PAGE), {"state": state} if state else {}).content.decode()


def _asked(client: Client, work: Work, action: str) -> int:
    return client.post(reverse("work:steer", args=[work.pk, action])).status_code


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_a_manifest_declares_stands_on_the_page(name: str, root: Client) -> None:
    kind = KINDS[name]
    subject = apps.get_model(kind.subject)
    field = subject._meta.get_field("work")
    assert isinstance(field, OneToOneField)
    assert field.related_model is Work
    assert reverse(kind.page, args=[7])
    assert set(kind.actions) <= set(labels.ACTIONS)
    service.start(kind=name, actor=ACTOR, now=NOW, title="its subject")
    for language in ("en", "zh-hans"):
        page = root.get(reverse(PAGE), headers={"accept-language": language}).content.decode()
        with translation.override(language):
            assert str(kind.title) in page
        assert "its subject" in page


def test_each_sees_the_kinds_that_he_may_see_and_others_no_page() -> None:
    service.start(kind=DUPLICATE_SEARCH, actor=ACTOR, now=NOW, title="pairs")
    work = service.start(kind=DISCOVERY, actor=ACTOR, now=NOW, title="groups")
    client = _client(one := User.objects.create_user("one"))
    assert client.get(reverse(PAGE)).status_code == 403
    one.user_permissions.add(Permission.objects.get(codename="view_duplicatesearch"))

    page = _shown(_client(one))

    assert "pairs" in page
    assert "groups" not in page
    assert _asked(_client(one), work, "cancel") == 404


@pytest.mark.parametrize("role", Role)
def test_every_role_may_open_the_page_and_who_starts_much_finds_it_in_the_menu(role: Role) -> None:
    client = _of_role(role)
    address = reverse(PAGE)
    assert client.get(address).status_code == 200
    is_in_menu = f'href="{address}"' in client.get(reverse("admin:index")).content.decode()
    assert is_in_menu == (role in {Role.ANALYST, Role.RISK, Role.STEWARD})


def test_a_row_says_what_it_is_how_far_it_is_and_whose(root: Client) -> None:
    work = started()
    Work.objects.update(
        state=WorkState.RUNNING,
        step="Comparing pairs",
        done_count=1_500,
        total_count=4_000,
        heartbeat_at=Moment(),
    )

    answer = root.get(reverse(PAGE))
    page = answer.content.decode()

    assert 'hx-trigger="every 3s"' in page
    assert "Refresh" not in answer
    for text in ("Search for duplicates", "Running", "Comparing pairs", "1,500 / 4,000", "Cancel"):
        assert text in page
    search = apps.get_model("customers.DuplicateSearch").objects.get(work=work)
    assert reverse("admin:customers_duplicatesearch_change", args=[search.pk]) in page
    assert "No sign of life" not in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_counts_have_separators_in_both_languages(root: Client, language: str) -> None:
    started()
    Work.objects.update(done_count=1_234_567, total_count=4_000_000)
    page = root.get(reverse(PAGE), headers={"accept-language": language}).content.decode()
    assert "1,234,567 / 4,000,000" in page


def test_the_overview_leads_to_what_is_stuck_or_has_failed_lately(root: Client) -> None:
    def overview() -> str:
        return root.get(reverse("admin:index")).content.decode()

    now = clock.now()
    failed = {"state": WorkState.FAILED, "finished_at": now - timedelta(days=6)}
    old = {"state": WorkState.FAILED, "finished_at": now - timedelta(days=8)}
    stuck = {"state": WorkState.RUNNING, "heartbeat_at": Moment(-61)}
    Work.objects.filter(pk=started().pk).update(**old)
    assert "pieces of long work" not in overview()
    assert "piece of long work" not in overview()
    for columns in (failed, stuck, stuck):
        Work.objects.filter(pk=started().pk).update(**columns)
    page = overview()
    assert "2 pieces of long work are stuck." in page
    assert "1 piece of long work has failed in the last 7 days." in page
    for state in ("stuck", "failed"):
        assert f'href="{reverse(PAGE)}?state={state}"' in page


def test_d_work_is_stuck_after_a_minute_without_a_sign_of_life(root: Client) -> None:
    silent, lively, resting = (
        started(title="silent"),
        started(title="a lively one"),
        started(title="resting for now"),
    )
    for work, ago in ((silent, 61), (lively, 50)):
        Work.objects.filter(pk=work.pk).update(state=WorkState.RUNNING, heartbeat_at=Moment(-ago))
    Work.objects.filter(pk=resting.pk).update(state=WorkState.PAUSED, heartbeat_at=Moment(-3600))

    page = _shown(root, "stuck")

    assert "No sign of life for more than a minute" in page
    assert "silent" in page
    assert "a lively one" not in page
    assert "resting for now" not in page


def test_d_work_is_stuck_that_gives_signs_of_life_and_gets_no_further(root: Client) -> None:
    for title, ago in (("hanging", 1_801), ("slow", 1_700)):
        Work.objects.filter(pk=started(title=title).pk).update(
            state=WorkState.RUNNING, heartbeat_at=Moment(), progress_at=Moment(-ago)
        )

    page = _shown(root, "stuck")

    assert "no progress for more than half an hour" in page
    assert "hanging" in page
    assert "slow" not in page
    assert "No sign of life for more than a minute" not in page


def test_the_list_is_filtered_by_state_and_stands_still_when_all_is_over(root: Client) -> None:
    done, failed = started(title="went well"), started(title="bad")
    Work.objects.filter(pk=done.pk).update(state=WorkState.DONE)
    Work.objects.filter(pk=failed.pk).update(state=WorkState.FAILED, last_error="no such column")

    page = _shown(root, "failed")

    assert "no such column" in page
    assert "went well" not in page
    assert "every 3s" not in _shown(root)
    assert "No work in this state" in _shown(root, "paused")
    assert root.get(reverse(PAGE), {"state": "tired"}).status_code == 404


def test_without_work_the_page_says_what_will_stand_there(root: Client) -> None:
    assert "No work yet" in _shown(root)


def test_who_may_steer_asks_by_post_and_it_is_written_down(root: Client) -> None:
    work = started()
    claims.claim(work.pk, now=NOW)
    address = reverse("work:steer", args=[work.pk, "cancel"])
    assert root.get(address).status_code == 405
    assert root.post(reverse("work:steer", args=[work.pk, "dance"])).status_code == 404

    assert _asked(root, work, "cancel") == 302

    work.refresh_from_db()
    assert work.requested_action == RequestedAction.CANCEL
    assert AuditEntry.objects.filter(action="work.cancel_requested").count() == 1
    page = _shown(root)
    assert "will be cancelled after the page at hand" in page
    assert address not in page


def test_what_is_not_possible_is_told_on_the_page(root: Client) -> None:
    work = started()
    answer = root.post(reverse("work:steer", args=[work.pk, "retry"]), follow=True)
    assert "the state of the work is “Waiting”" in answer.content.decode()


def test_what_a_kind_asks_back_is_asked_on_this_page_too(root: Client) -> None:
    work = started(IMPORT, title="people.csv")
    address = reverse("work:steer", args=[work.pk, "cancel"])
    page = _shown(root, "waiting")
    (form,) = re.findall(rf'<form method="(\w+)"\s+action="{address}">', page)
    assert form == "get"

    answer = root.get(address, {"state": "waiting"})

    assert "What was written stays until you undo it" in answer.content.decode()
    assert Work.objects.get().requested_action == RequestedAction.NONE
    answer = root.post(address, {"state": "waiting"})
    assert answer["Location"] == f"{reverse(PAGE)}?state=waiting"
    assert Work.objects.get().requested_action == RequestedAction.CANCEL


def test_who_only_sees_the_work_is_offered_nothing_and_refused() -> None:
    work = started()
    client = _of_role(Role.ANALYST)
    page = _shown(client)
    assert "Search for duplicates" in page
    assert reverse("work:steer", args=[work.pk, "cancel"]) not in page

    assert _asked(client, work, "cancel") == 403

    work.refresh_from_db()
    assert work.requested_action == RequestedAction.NONE


def test_the_queries_are_as_many_for_one_as_for_many(
    root: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _shown(root)

    def grow() -> None:
        started()
        run = service.start(kind=DISCOVERY, actor=ACTOR, now=NOW)
        DiscoveryRun.objects.create(work=run, method="rfm", parameters={})

    grow()
    with django_assert_num_queries(11):
        _shown(root)
    for _time in range(10):
        grow()
    with django_assert_num_queries(11):
        _shown(root)
