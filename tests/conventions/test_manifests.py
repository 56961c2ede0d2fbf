"""What the manifests declare is there, is used, and is declared in one place only."""

import importlib
import subprocess
import sys

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from django.utils import translation
from django.utils.module_loading import import_string

from campaigns.domain.partners.contract import TokenScope
from customers.selectors.profile.timeline_sources import TimelineSource
from loancrm import menu
from loancrm.celery import app
from loancrm.kernel import roles
from loancrm.kernel.jobs import Job
from loancrm.kernel.manifest import Role
from loancrm.kernel.words import permission_words
from tests.conventions import source

APPS = ("customers", "campaigns", "analytics")
MANIFESTS = settings.LOANCRM_MANIFESTS
ENTRIES = [entry for _section, entries in MANIFESTS.menu for entry in entries]


def test_a_manifest_is_read_without_settings_or_loaded_apps():
    code = (
        "import loancrm.settings.manifests;"
        "from django.apps import apps; from django.conf import settings;"
        "assert not settings.configured and not apps.apps_ready and not apps.models_ready"
    )
    subprocess.run([sys.executable, "-c", code], cwd=source.ROOT, env={}, check=True)


def test_every_task_is_declared_once_by_the_app_that_has_it():
    current_app.loader.import_default_modules()
    tasks = {name for name in current_app.tasks if name.split(".")[0] in {"loancrm", *APPS}}
    tasks = {name for name in tasks if ".benchmarks." not in name}
    named = {
        job
        for module in ("loancrm.kernel.work.jobs", *(f"{label}.jobs" for label in APPS))
        for job in vars(importlib.import_module(module)).values()
        if isinstance(job, Job)
    }

    # That none is declared twice is the collector's affair.
    assert set(MANIFESTS.jobs) == tasks
    assert set(MANIFESTS.jobs.values()) == named


def test_beat_follows_the_manifests_and_nothing_else():
    assert app.conf.beat_schedule == MANIFESTS.beat_schedule
    assert len(MANIFESTS.beat_schedule) >= 20


@pytest.mark.django_db
def test_every_right_of_the_manifests_exists():
    found = Permission.objects.filter(permission_words.among(MANIFESTS.rights))

    assert found.count() == len(MANIFESTS.rights)
    roles.refuse_unknown_rights()


def test_a_right_is_declared_by_the_app_of_its_table():
    labels = {"kernel": "loancrm", "auth": "loancrm"}
    for name in MANIFESTS.rights:
        label = name.partition(".")[0]
        assert MANIFESTS.declared_by["right", name] == labels.get(label, label)


@pytest.fixture
def people(db) -> dict[str, User]:
    """One person of every role, one without any, and an operator."""
    roles.ensure_roles()
    found = {"root": User.objects.create_superuser("root"), "": User.objects.create_user("none")}
    for role in Role:
        found[role] = User.objects.create_user(f"one-{role}")
        found[role].groups.add(Group.objects.get(name=role))
    User.objects.update(is_staff=True)
    return {role: User.objects.get(pk=user.pk) for role, user in found.items()}


def _links(user: User) -> list[str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return [item["link"] for part in menu.navigation(request) for item in part["items"]]


def test_an_operator_sees_every_entry_of_the_menu(people):
    lines = [reverse(entry.address) for entry in ENTRIES if menu.has_line(entry)]
    assert _links(people["root"]) == lines
    assert _links(people[""]) == [reverse("admin:index")]


@pytest.mark.parametrize("role", ["root", "", *Role])
def test_the_menu_of_a_role_leads_to_what_it_may_open(people, role):
    client = Client()
    client.force_login(people[role])
    links = _links(people[role])

    for entry in ENTRIES:
        link = reverse(entry.address)
        status = client.get(link).status_code
        # Many pages are also open to those whom the menu does not bother with them.
        may_view = entry.needed is None or people[role].has_perm(entry.needed)
        if link in links:
            assert status == 200, entry.target
        elif entry.model:
            assert status == (200 if may_view else 403), entry.target


def test_every_title_of_the_menu_is_read_in_both_languages():
    titles = [entry.title for entry in ENTRIES]
    titles += [section.title for section, _entries in MANIFESTS.menu if section.title]
    for title in titles:
        with translation.override("en"):
            english = str(title)
        with translation.override("zh-hans"):
            assert str(title) != english


def test_every_path_of_the_manifests_leads_somewhere():
    for path in MANIFESTS.timeline_sources:
        assert all(isinstance(found, TimelineSource) for found in import_string(path))
    assert all(callable(import_string(path)) for path in MANIFESTS.timeline_names)
    assert all(apps.get_model(label) for label in MANIFESTS.append_only)
    for module in (*MANIFESTS.api_urls, *MANIFESTS.page_urls):
        assert importlib.import_module(module).urlpatterns
    for pages in MANIFESTS.admin_pages:
        assert importlib.import_module(pages.urls).urlpatterns


def test_every_module_of_addresses_is_declared():
    found = {
        file.path.removesuffix(".py").replace("/", ".")
        for file in source.files()
        if file.path.endswith("urls.py")
    }
    declared = {*MANIFESTS.api_urls, *MANIFESTS.page_urls}
    declared |= {pages.urls for pages in MANIFESTS.admin_pages}

    assert found - {"loancrm.urls"} == declared


def test_every_scope_opens_something_and_can_be_granted():
    views = [pattern.callback for pattern in _patterns(get_resolver())]
    asked = {
        scope
        for view in views
        for scope in getattr(getattr(view, "cls", None), "required_scopes", [])
    }

    assert asked == set(MANIFESTS.scopes) == set(TokenScope)
    for scope in MANIFESTS.scopes:
        owner = MANIFESTS.declared_by["scope", scope]
        assert owner in {view.cls.__module__.split(".")[0] for view in views if _takes(view, scope)}


def _takes(view, scope: str) -> bool:
    return scope in getattr(getattr(view, "cls", None), "required_scopes", [])


def _patterns(resolver):
    for entry in resolver.url_patterns:
        if hasattr(entry, "url_patterns"):
            yield from _patterns(entry)
        else:
            yield entry


# The web framework and the OAuth library have these words.
CODES_OF_LIBRARIES = frozenset(
    {
        "invalid_client", "invalid_scope", "invalid_target", "method_not_allowed", "not_acceptable",
        "not_authenticated", "unauthorized_client", "unsupported_grant_type",
        "unsupported_media_type", "unsupported_token_type",
    }
)  # fmt: skip


@pytest.mark.parametrize("problem", MANIFESTS.problems.values(), ids=lambda each: each.code)
def test_every_problem_is_told_by_the_app_that_declares_it(problem):
    owner = MANIFESTS.declared_by["problem", problem.code]
    told = [
        file.path
        for file in source.files()
        if file.path.startswith(f"{owner}/")
        and not file.path.endswith("/manifest.py")
        and f'"{problem.code}"' in file.text
    ]

    assert bool(told) != (problem.code in CODES_OF_LIBRARIES)
    assert 400 <= problem.status < 600
