"""The page of rules: what is in force on the day that is asked for, and where it comes from."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("day", "is_stopped"), [("2026-09-29", False), ("2026-09-30", True), ("x", True)]
)
def test_f6_the_page_says_what_is_in_force_on_a_day(client, day, is_stopped):
    client.force_login(_root())
    rows = client.get(reverse("admin:campaigns_rules"), {"day": day}).context["rows"]
    words = next(row for row in rows if row["text"].startswith(("不得使用“低风险", "No inducing")))
    if day != "x":
        assert words["is_in_force"] is is_stopped
    assert words["url"].startswith("https://www.cac.gov.cn/")
    # Rules of micro-lenders bind no bank.
    assert not any("LPR" in row["text"] for row in rows)


def test_f6_it_can_be_read_in_both_languages(client):
    client.force_login(_root())
    for language, words in (("zh-hans", "诱导性用语"), ("en", "No inducing words")):
        page = client.get(reverse("admin:campaigns_rules"), headers={"accept-language": language})
        assert words in page.content.decode()


def _root():
    return User.objects.create_superuser("root")
