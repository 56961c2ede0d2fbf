"""Signing in: limits that name nobody, end by themselves, and leave a trace."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db.models import F
from django.test import Client
from django.urls import reverse

from loancrm.kernel.models import AuditEntry, SignInTally

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
LOGIN = "/admin/login/"
RIGHT = "correct-horse-battery"


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", password=RIGHT, is_staff=True)


def _try(name: str, password: str, address: str = "203.0.113.5") -> Any:
    return Client(REMOTE_ADDR=address).post(
        LOGIN, {"username": name, "password": password}, headers={"Accept-Language": "en"}
    )


def _is_in(response: Any) -> bool:
    return response.status_code == 302


def _let_time_pass(seconds: int) -> None:
    SignInTally.objects.update(until=F("until") - timedelta(seconds=seconds))


def test_e5_after_forty_wrong_passwords_the_right_one_does_not_enter(anna: User) -> None:
    answers = [_try("anna", f"wrong{number}") for number in range(40)]
    last = _try("anna", RIGHT)

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 35
    assert last.status_code == 429
    assert int(last["Retry-After"]) > 0
    assert "_auth_user_id" not in last.client.session


def test_e5_a_name_spelt_otherwise_gets_no_tries_of_its_own(anna: User) -> None:
    names = ("anna", "Anna", " anna", "ANNA ", "aNNa", "annA", "anna")
    answers = [_try(name, f"wrong{number}") for number, name in enumerate(names)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2


def test_the_pause_ends_by_time(anna: User) -> None:
    for number in range(6):
        _try("anna", f"wrong{number}")
    _let_time_pass(901)

    assert _is_in(_try("anna", RIGHT))


def test_an_account_that_does_not_exist_is_answered_like_one_that_does(anna: User) -> None:
    def told(name: str) -> list[tuple[int, str]]:
        answers = [_try(name, f"wrong{number}", "203.0.113.8") for number in range(8)]
        return [
            (answer.status_code, str(answer.context["form"].errors.get_json_data()))
            for answer in answers
        ]

    assert told("anna") == told("nobody-here")


def test_a_stranger_elsewhere_does_not_lock_the_owner_out(anna: User) -> None:
    assert _is_in(_try("anna", RIGHT))
    for number in range(60):
        _try("anna", f"wrong{number}", f"198.51.100.{number}")

    assert _is_in(_try("anna", RIGHT))


def test_an_account_tried_from_many_addresses_is_slowed_down_and_not_locked(anna: User) -> None:
    answers = [_try("anna", f"wrong{n}", f"198.51.100.{n}") for n in range(40)]
    refused = _try("anna", RIGHT, "192.0.2.77")
    _let_time_pass(61)

    assert sum(answer.status_code == 200 for answer in answers) == 21
    assert refused.status_code == 429
    assert _is_in(_try("anna", RIGHT, "192.0.2.77"))


def test_one_address_cannot_try_everybody(anna: User) -> None:
    answers = [_try(f"user{number}", "Spring2026!") for number in range(105)]

    assert [answer.status_code for answer in answers][-6:] == [200, 429, 429, 429, 429, 429]
    assert _is_in(_try("anna", RIGHT, "192.0.2.1"))


def test_right_passwords_are_no_failures(anna: User) -> None:
    assert all(_is_in(_try("anna", RIGHT)) for _ in range(12))


def test_an_operator_ends_the_pause(anna: User, admin_client: Client) -> None:
    for number in range(6):
        _try("anna", f"wrong{number}")
    admin_client.post(
        reverse("admin:auth_user_changelist"),
        {"action": "release_sign_in", "_selected_action": [anna.pk]},
    )

    assert _is_in(_try("anna", RIGHT))
    assert AuditEntry.objects.filter(
        action="user.sign_in_released", object_id=str(anna.pk)
    ).exists()


def test_e5_signing_in_failing_and_signing_out_leave_entries(anna: User) -> None:
    _try("anna", "wrong")
    _try("hunter2-typed-in-the-wrong-field", "wrong")
    client = _try("anna", RIGHT).client
    client.post(reverse("admin:logout"))

    found = list(AuditEntry.objects.order_by("id").values_list("action", "object_id"))
    assert found == [
        ("user.sign_in_failed", str(anna.pk)),
        ("user.sign_in_failed", "unknown"),
        ("user.signed_in", str(anna.pk)),
        ("user.signed_out", str(anna.pk)),
    ]
    assert "hunter2" not in str(list(AuditEntry.objects.values()))


def test_who_is_not_staff_or_has_left_is_told_the_same_as_a_wrong_password(anna: User) -> None:
    wrong = _try("anna", "wrong").context["form"].errors.get_json_data()
    User.objects.create_user("former", password=RIGHT, is_staff=True, is_active=False)
    User.objects.create_user("visitor", password=RIGHT)

    for name in ("former", "visitor"):
        answer = _try(name, RIGHT)
        assert not _is_in(answer)
        assert answer.context["form"].errors.get_json_data() == wrong


def test_e5_changes_of_users_and_roles_leave_entries_with_the_rights(
    anna: User, admin_client: Client
) -> None:
    group = Group.objects.create(name="helpers")
    permission = Permission.objects.get(codename="view_campaign")
    admin_client.post(
        reverse("admin:auth_group_change", args=[group.pk]),
        {"name": "helpers", "permissions": [permission.pk]},
    )
    admin_client.post(
        reverse("admin:auth_user_change", args=[anna.pk]),
        {
            "username": "anna",
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
            "groups": [group.pk],
            "date_joined_0": "2026-01-01",
            "date_joined_1": "10:00:00",
        },
    )

    of_group = AuditEntry.objects.get(action="group.changed")
    assert of_group.facts["permissions"] == {"from": [], "to": ["campaigns.view_campaign"]}
    of_user = AuditEntry.objects.get(action="user.changed")
    assert of_user.object_id == str(anna.pk)
    assert of_user.facts["is_superuser"] == {"from": False, "to": True}
    assert of_user.facts["roles"] == {"from": [], "to": ["helpers"]}


def test_e5_new_users_new_passwords_and_removed_users_leave_entries(admin_client: Client) -> None:
    admin_client.post(
        reverse("admin:auth_user_add"),
        {"username": "new", "usable_password": "true", "password1": RIGHT, "password2": RIGHT},
    )
    user = User.objects.get(username="new")
    admin_client.post(
        reverse("admin:auth_user_password_change", args=[user.pk]),
        {"usable_password": "true", "password1": RIGHT + "2", "password2": RIGHT + "2"},
    )
    admin_client.post(reverse("admin:auth_user_delete", args=[user.pk]), {"post": "yes"})

    found = AuditEntry.objects.filter(object_id=str(user.pk)).order_by("id")
    assert [entry.action for entry in found] == ["user.added", "user.changed", "user.deleted"]
