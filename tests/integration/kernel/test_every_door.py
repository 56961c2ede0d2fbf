"""Every address, with every method, odd ids and odd questions, for everybody: never a 500.

Each request runs in a savepoint that is rolled back, so that none sees what another one did.
"""

import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from campaigns.services.partners import contracts
from customers.services.segments import versions
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.roles import ensure_roles
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"<(?:(\w+):)?\w+>|\(\?P<\w+>[^)]*\)")
_IDS = {
    "int": ("1", "0", "9223372036854775808", "9" * 40),
    "slug": ("x", "everyone", "x" * 3000),
    "uuid": ("00000000-0000-0000-0000-000000000000",),
    "str": ("1", "%C2%B2", "%00", "%ED%A0%80", "x" * 3000),
    "path": ("1", "-1", "%C2%B2", "%00", "%ED%A0%80", "9" * 40, "x" * 3000, "a/b", "_5F"),
}
ODD = ("", "-1", "9" * 40, "%C2%B2", "%00", "%ED%A0%80", "x" * 3000, "1e999", "1.5", "'", "%25")
LIST_PARAMETERS = ("q", "p", "o", "all", "e", "_popup", "_to_field", "id__exact", "pk")


def _addresses(patterns: Any, prefix: str = "/") -> Iterator[str]:
    for item in patterns:
        route = prefix + str(item.pattern).removeprefix("^").removesuffix("$")
        if isinstance(item, URLResolver):
            yield from _addresses(item.url_patterns, route)
        elif isinstance(item, URLPattern):
            KIND_OF.setdefault(route, _kind(item.callback))
            yield route


def _kind(view: Any) -> str:
    """Return by what code an address is answered: lists of many tables share one function."""
    owner = getattr(view, "view_class", None) or getattr(view, "cls", None)
    name = owner or getattr(view, "__wrapped__", view)
    name = getattr(name, "func", name)
    qualified = getattr(name, "__qualname__", type(name).__qualname__)
    actions = sorted(getattr(view, "actions", None) or ())
    return f"{name.__module__}.{qualified} {actions}"


def _sampled(routes: list[str]) -> list[str]:
    """Return addresses of every kind, three of each: beside them only the table is another."""
    kinds: dict[str, list[str]] = {}
    for route in routes:
        kinds.setdefault(KIND_OF[route], []).append(route)
    return sorted(route for found in kinds.values() for route in found[:: -(-len(found) // 3)])


KIND_OF: dict[str, str] = {}
ROUTES = sorted({*_addresses(get_resolver().url_patterns)})
SAMPLE = _sampled(ROUTES)


def _filled(route: str, number: int) -> str:
    def value(found: re.Match[str]) -> str:
        values = _IDS.get(found[1] or "str", _IDS["str"])
        return values[number % len(values)]

    return _PARAMETER.sub(value, route).replace(".*", "").replace("\\", "")


@pytest.fixture
def world(db: None) -> None:
    actor, now = system_actor("test"), clock.now()
    ensure_roles()
    make_people(3)
    rule = {"combinator": "and", "rules": []}
    versions.create_segment(actor=actor, slug="everyone", name="All", rule=rule, now=now)
    contracts.register_partner(actor=actor, slug="acme", name="Acme", now=now)


@pytest.fixture
def failures() -> Iterator[list[str]]:
    found: list[str] = []

    def note(sender: Any, **_facts: Any) -> None:
        del sender
        found.append(traceback.format_exc().splitlines()[-1])

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


def _ask(client: Client, method: str, address: str) -> int:
    with transaction.atomic():
        status = client.generic(method, address).status_code
        transaction.set_rollback(True)
    return status


def _browser(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _broken(client: Client, asked: Iterator[tuple[str, str]], failures: list[str]) -> list[str]:
    broken = []
    for method, address in asked:
        before = len(failures)
        status = _ask(client, method, address)
        if status >= 500 or len(failures) > before:
            broken.append(f"{method} {address[:120]} {status} {failures[before:]}")
    return broken


@pytest.mark.usefixtures("world")
def test_e7_no_method_on_any_address_is_a_500(failures: list[str]) -> None:
    client = _browser(User.objects.create_superuser("root"))
    asked = (
        (method, _filled(route, 0))
        for route in ROUTES
        for method in (METHODS if route in SAMPLE else ("GET",))
        if "logout" not in route
    )

    assert _broken(client, asked, failures) == []


@pytest.mark.usefixtures("world")
def test_e7_no_odd_id_in_any_address_is_a_500(failures: list[str]) -> None:
    client = _browser(User.objects.create_superuser("root"))
    asked = (
        ("GET", address)
        for route in SAMPLE
        if _PARAMETER.search(route)
        for address in {_filled(route, number) for number in range(9)}
    )

    assert _broken(client, asked, failures) == []


@pytest.mark.usefixtures("world")
def test_e7_no_odd_question_to_any_list_is_a_500(failures: list[str]) -> None:
    client = _browser(User.objects.create_superuser("root"))

    def asked() -> Iterator[tuple[str, str]]:
        for model, model_admin in admin.site._registry.items():
            meta = model._meta
            address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            names = [*LIST_PARAMETERS, *(name for name in _filters(model_admin))]
            for number, name in enumerate(names):
                # Every list gets every parameter; the odd values are dealt out over the lists.
                for turn in range(1 if name in LIST_PARAMETERS else 2):
                    odd = ODD[(number + turn * 4 + len(str(meta))) % len(ODD)]
                    yield "GET", f"{address}?{name}={odd}"
            yield "GET", f"{address}?q=%C2%B2"
            yield "GET", f"{address}?q=a%00b"

    assert _broken(client, asked(), failures) == []


def _filters(model_admin: Any) -> Iterator[str]:
    for item in model_admin.list_filter:
        if isinstance(item, type):
            yield item.parameter_name
        else:
            name = item[0] if isinstance(item, tuple) else item
            yield from (name, f"{name}__exact", f"{name}__isnull", f"{name}__gte")
    if model_admin.date_hierarchy:
        yield from (f"{model_admin.date_hierarchy}__{part}" for part in ("year", "month", "day"))


@pytest.mark.usefixtures("world")
def test_e7_no_odd_question_to_any_other_address_is_a_500(failures: list[str]) -> None:
    client = _browser(User.objects.create_superuser("root"))
    names = ("copy", "segment", "q", "page", "after", "cursor", "kind", "field", "ids", "customer")
    asked = (
        ("GET", f"{_filled(route, 0)}?" + "&".join(f"{name}={odd}" for name in names))
        for route in SAMPLE
        if not route.endswith(("/delete/", "/history/", "/change/"))
        for odd in ("%C2%B2", "%00", "9" * 40)
    )

    assert _broken(client, asked, failures) == []


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("role", [None, *Role])
def test_e7_no_role_and_no_stranger_meets_a_500(role: Role | None, failures: list[str]) -> None:
    user = None
    if role is not None:
        user = User.objects.create_user("one", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    client = _browser(user)
    asked = (
        (method, _filled(route, 0))
        for route in ROUTES
        if "logout" not in route and not route.endswith(("/history/", "/change/"))
        for method in (("GET", "POST") if role in {None, Role.MARKETER} else ("GET",))
    )

    assert _broken(client, asked, failures) == []
