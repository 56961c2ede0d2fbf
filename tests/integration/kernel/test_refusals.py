"""Pages for what cannot be shown: in the reader's language, never a bare line of the framework."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from customers.selectors import sources
from loancrm.kernel.access import PermissionRefused
from loancrm.kernel.errors import LoanCrmError

pytestmark = pytest.mark.django_db


def _browser(language: str, *, is_staff: bool = False) -> Client:
    client = Client(headers={"accept-language": language}, raise_request_exception=False)
    if is_staff:
        client.force_login(
            User.objects.create_user("one", is_staff=True),
            backend="django.contrib.auth.backends.ModelBackend",
        )
    return client


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Page not found"), ("zh-hans", "页面不存在")]
)
@pytest.mark.parametrize("address", ["/nowhere/", "/t", "/admin/nowhere/", "/hook"])
def test_d_an_address_with_nothing_behind_it_is_a_page(
    language: str, words: str, address: str
) -> None:
    answer = _browser(language, is_staff=True).get(address)

    assert answer.status_code == 404
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("language", "words"), [("en", "not permitted"), ("zh-hans", "无权打开此页面")]
)
def test_d_what_a_role_may_not_open_is_a_page(language: str, words: str) -> None:
    answer = _browser(language, is_staff=True).get("/admin/customers/customer/")

    assert answer.status_code == 403
    assert words in answer.content.decode()
    assert "/admin/" in answer.content.decode()


def test_d_a_method_that_an_address_does_not_take_is_a_page() -> None:
    answer = _browser("en").delete("/enquiry/")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, POST"
    assert "Not possible here" in answer.content.decode()


def test_e7_the_public_form_without_a_database_is_503_and_says_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*_args: object, **_options: object) -> bool:
        raise OperationalError("could not connect, user secret")

    monkeypatch.setattr(sources, "is_open", gone)
    answer = _browser("en").get("/enquiry/")

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "secret" not in answer.content.decode()


class _Taken(LoanCrmError):
    code = "taken"


@pytest.mark.parametrize(
    ("language", "title", "text"),
    [
        ("en", "This is not possible now", "What is stored does not allow this"),
        ("zh-hans", "现在无法执行", "当前状态不允许此操作"),
    ],
)
@pytest.mark.parametrize("message", ["", "第 7 版已在使用"])
def test_d_what_a_service_refuses_at_an_address_is_a_page_and_no_500(
    language: str, title: str, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_args: object, **_options: object) -> bool:
        raise _Taken(message)

    monkeypatch.setattr(sources, "is_open", taken)
    answer = _browser(language).get("/enquiry/")

    assert answer.status_code == 409
    shown = answer.content.decode()
    assert title in shown
    assert (message or text) in shown
    assert "taken" not in shown


def test_d_what_a_service_refuses_to_this_person_is_the_page_of_missing_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_args: object, **_options: object) -> bool:
        raise PermissionRefused("")

    monkeypatch.setattr(sources, "is_open", forbidden)

    assert _browser("en").get("/enquiry/").status_code == 403
