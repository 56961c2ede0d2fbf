"""Lists of the admin are headed in words, and say truly who fills them."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from customers.jobs import DUPLICATE_SEARCH
from customers.models import DuplicateSearch
from loancrm.kernel import clock
from loancrm.kernel.models import Work
from loancrm.kernel.roles import Role, ensure_roles

pytestmark = pytest.mark.django_db
HEADS = {
    "en": ("Started by", "Started at", "Finished at"),
    "zh-hans": ("发起人", "开始时间", "完成时间"),
}
CALENDAR = {
    "en": "An administrator can add holidays and make-up days.",
    "zh-hans": "管理员可以添加节假日和调休工作日。",
}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_searches_for_duplicates_are_headed_in_words(admin_client: Client, language: str) -> None:
    work = Work.objects.create(kind=DUPLICATE_SEARCH, created_at=clock.now())
    DuplicateSearch.objects.create(work=work, limit=1)
    address = reverse("admin:customers_duplicatesearch_changelist")
    page = admin_client.get(address, headers={"accept-language": language}).content.decode()
    head = page.partition("<thead")[2].partition("</thead")[0]
    found = {text.strip() for text in re.findall(r">([^<>]+)<", head)}
    assert set(HEADS[language]) <= found
    assert not [text for text in found if text.startswith("Work ")]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_empty_calendar_says_who_adds_days(language: str) -> None:
    ensure_roles()
    user = User.objects.create(username="marketer", is_staff=True)
    user.groups.add(Group.objects.get(name=Role.MARKETER))
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    page = client.get(reverse("admin:campaigns_calendarday_changelist")).content.decode()
    assert CALENDAR[language] in page
    assert "appears by itself" not in page
