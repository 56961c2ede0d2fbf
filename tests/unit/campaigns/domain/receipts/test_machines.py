"""Which visits of links are machines', and which are not."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.domain.receipts.visits import (
    SHARED_MESSAGES,
    MachineSign,
    Visit,
    machine_sign,
    signs_among,
)

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PEOPLE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.49",
    "Mozilla/5.0 (Linux; Android 14; wv) Chrome/123.0 Mobile Safari/537.36 AlipayClient/10.5.96",
    "Mozilla/5.0 (Linux; Android 12; HUAWEI) Chrome/114 HuaweiBrowser/15.0.4 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 13; zh-cn) Chrome/100 Safari/537.36 XiaoMi/MiuiBrowser/17",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Edg/126.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) Mobile/15E148 baiduboxapp/13.40",
)
MACHINES = (
    "",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "Mozilla/5.0 (Windows NT 10.0) HeadlessChrome/126.0 Safari/537.36",
    "curl/8.5.0",
    "Mimecast-URL-Protect/1.0",
    "Mozilla/5.0 (compatible; YisouSpider/5.0)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)


@pytest.mark.parametrize("agent", PEOPLE)
def test_f57_browsers_of_people_are_no_machines(agent):
    assert machine_sign(method="GET", headers={"user-agent": agent}) is None


@pytest.mark.parametrize("agent", MACHINES)
def test_f57_programs_that_name_themselves_are_machines(agent):
    assert machine_sign(method="GET", headers={"user-agent": agent}) is MachineSign.AGENT


@pytest.mark.parametrize(
    ("method", "headers", "sign"),
    [
        ("HEAD", {}, MachineSign.METHOD),
        ("GET", {"sec-purpose": "prefetch;prerender"}, MachineSign.PREFETCH),
        ("GET", {"x-purpose": "preview"}, MachineSign.PREFETCH),
        ("GET", {"x-moz": "prefetch"}, MachineSign.PREFETCH),
        ("GET", {"purpose": "navigate"}, None),
    ],
)
def test_f57_methods_and_headers_tell(method, headers, sign):
    assert machine_sign(method=method, headers={"user-agent": PEOPLE[0], **headers}) is sign


def _visit(number, *, message=None, seconds=600.0, address="", link=1):
    return Visit(number, message or number, link, NOW + timedelta(seconds=seconds), NOW, address)


def test_f57_what_comes_with_the_delivery_is_a_machines():
    found = signs_among([_visit(1, seconds=0.5), _visit(2, seconds=-1), _visit(3, seconds=1.5)])
    assert found == {1: MachineSign.TOO_SOON, 2: MachineSign.TOO_SOON}


@pytest.mark.parametrize(
    ("people", "apart", "is_machine"),
    [(SHARED_MESSAGES, 1, True), (SHARED_MESSAGES - 1, 1, False), (SHARED_MESSAGES, 30, False)],
)
def test_f57_one_address_through_many_peoples_messages_is_a_machines(people, apart, is_machine):
    visits = [_visit(n, seconds=600 + n * apart, address="gateway") for n in range(1, people + 1)]
    found = signs_among([*visits, _visit(99, seconds=605, address="elsewhere")])
    expected = dict.fromkeys(range(1, people + 1), MachineSign.SHARED_ADDRESS)
    assert found == (expected if is_machine else {})


def test_f57_one_person_who_taps_often_is_no_machine():
    visits = [_visit(n, message=7, seconds=600 + n, address="home") for n in range(1, 40)]
    assert signs_among(visits) == {}
