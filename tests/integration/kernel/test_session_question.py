"""What a page asks before it sends a form: whether its reader is still signed in."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_staff", [False, None])
def test_nobody_is_told_so_without_a_redirect(is_staff: bool | None) -> None:
    client = Client()
    if is_staff is not None:
        client.force_login(User.objects.create_user("guest", is_staff=is_staff))

    answer = client.get(reverse("admin:session"))

    assert answer.status_code == 200
    assert answer.json() == {"user": None, "token": ""}
    assert answer["Cache-Control"] == "no-store"


def test_a_form_of_the_session_before_goes_through_with_the_token_of_the_answer() -> None:
    user = User.objects.create_superuser("anna", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    page = reverse("admin:auth_group_add")
    old = str(client.get(page).context["csrf_token"])
    # Signing in again changes the token of every page that was opened before.
    client.cookies.clear()
    client.force_login(user)

    told = client.get(reverse("admin:session")).json()
    sent = {"name": "night shift"}
    refused = client.post(page, {**sent, "csrfmiddlewaretoken": old})
    taken = client.post(page, {**sent, "csrfmiddlewaretoken": told["token"]})

    assert told["user"] == user.pk
    assert (refused.status_code, taken.status_code) == (403, 302)
    assert Group.objects.filter(name="night shift").exists()
