"""Every page that a person reads speaks the reader's language, and in words: a crawl of the admin.

From the overview every link is followed, as every role and in both languages. A page fails where it
shows a code (`opted_out`, `clv-1`, `FrequencyRule 2`, `0.108000`), English words where the reader
asked for Chinese, or a Chinese text of the product where the reader asked for English. What people
wrote themselves (names, cities, texts of campaigns) may be in any language.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils.translation import trans_real

from campaigns.domain.content import links
from campaigns.domain.content.preference_links import preference_token
from campaigns.domain.receipts.report import OPEN_PROBLEMS, DeliveryKind
from campaigns.models import Channel, FrequencyRule, Message, Receipt
from campaigns.services.campaigns import authoring, ticking
from campaigns.services.consents import stop_list_keeping
from campaigns.services.consents.stop_list_keeping import StopOrder
from campaigns.services.sending import dispatch
from customers.domain.consents.preferences import RequestKind
from customers.domain.fields.bands import INCOME_BAND_NAMES
from customers.domain.fields.personal_words import EDUCATIONS, MARITAL_STATES, OCCUPATIONS
from customers.models import AttributeDefinition, Customer, DataSource, Product, Segment
from customers.services.privacy import preferences
from loancrm.kernel import clock, roles
from loancrm.kernel.access import Actor
from loancrm.kernel.manifest import Role
from tests.factories.campaigns import EMAIL, EVERYONE, make_channel, make_launched, spec
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(600)]

# How many pages of one kind are looked at.
OF_A_KIND = 2
_SILENT = {"script", "style", "code", "pre", "textarea", "svg", "template", "kbd"}
_VOID = {"input", "br", "hr", "img", "meta", "link", "source", "col", "wbr"}
_SPEAKING = ("placeholder", "title", "aria-label", "alt")
# A theme's icons are words that a font draws.
_ICONS = re.compile(r"material-symbols|lcx-icon")
CODES = (
    re.compile(r"(?<![\w@/.-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w@])"),
    re.compile(r"(?<![\w/.@-])[a-z]{2,}-\d+(?![\w.])"),
    re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b"),
    re.compile(r"(?<![\d.])\d+\.\d{5,}"),
    re.compile(r"(?<![\d.])\d+\.\d{2}0{2,}(?!\d)"),
)
"""What is never a word: names of columns and classes, versions, unrounded numbers."""

_NAMES = """
SMS HTML CSV JSON URL API ID IP CLV RFM CAC XLSX Excel Parquet WeChat App APP QQ PIPL UTF-8 GB18030
GBK ISO PSI OAuth OpenID Connect HMAC RSA SHA-2 Control Command Mac SMTP HTTP loancrm
Big Shift JIS EUC-KR Windows app SendGrid Mailgun Postmark Brevo Webhook
"""
NAMES_OF_THINGS = frozenset(_NAMES.split())
"""Names that are the same in Chinese."""


# What the demo's people have in columns that are vocabularies, not words of theirs.
CODED = frozenset({*OCCUPATIONS, *EDUCATIONS, *MARITAL_STATES, *INCOME_BAND_NAMES})
LANGUAGES = {"English", "中文", "简体中文"}


class Reader(HTMLParser):
    """Collects what a person sees of a page, and where it leads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.links: list[str] = []
        self._silent: list[str] = []

    def updatepos(self, _start, end) -> int:
        # Nobody asks for the line, which the parser counts for every tag.
        return end

    def handle_starttag(self, tag, attrs) -> None:
        found = dict(attrs)
        for name in _SPEAKING:
            if found.get(name) and not self._silent:
                self.texts.append(found[name])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in _VOID:
            return
        is_silent = (
            tag in _SILENT
            or "data-own-words" in found
            or _ICONS.search(found.get("class") or "") is not None
        )
        if self._silent or is_silent:
            self._silent.append(tag)

    def handle_endtag(self, tag) -> None:
        if self._silent and tag not in _VOID:
            self._silent.pop()

    def handle_data(self, data) -> None:
        text = " ".join(data.split())
        if text and not self._silent:
            self.texts.append(text)


@pytest.fixture
def house(actor, now) -> set[str]:
    """A small lender with a campaign that ran; returns the words that its people wrote."""
    call_command("generate_demo", "--customers", "60")
    _send(actor, clock.now().replace(hour=3) - timedelta(days=1))
    _leave_open(actor, clock.now())
    roles.ensure_roles()
    return {
        str(value)
        for row in [
            *Customer.objects.values_list(),
            *Segment.objects.values_list("name", "slug"),
            *Product.objects.values_list("name_zh", "name_en"),
            *AttributeDefinition.objects.values_list("label_zh", "label_en"),
            *DataSource.objects.values_list("name", "title"),
            *User.objects.values_list("username"),
        ]
        for value in row
        if isinstance(value, str)
    } - CODED


def _send(actor: Actor, at: datetime) -> None:
    """Send one campaign to everybody; most are skipped for one reason or another."""
    make_channel("email", name="邮件通道")
    make_people(3)
    make_launched(actor, at)
    ticking.advance(now=at)
    dispatch.drain(holder="test", clock=lambda: at, rng=random.Random(1), slice_seconds=60)
    ticking.advance(now=at)


def _leave_open(actor: Actor, now: datetime) -> None:
    """Leave what only some days have: reports and requests that wait, a stop, faulty drafts."""
    channel = Channel.objects.get()
    kinds = [kind for kind in DeliveryKind if kind is not DeliveryKind.CLICKED]
    for number, (kind, problem) in enumerate(zip(kinds, cycle(OPEN_PROBLEMS), strict=False)):
        Receipt.objects.create(
            channel=channel,
            provider_event_id=f"{number}",
            kind=kind,
            is_refusal=kind is DeliveryKind.REPLIED,
            meaning="opt_out" if kind is DeliveryKind.REPLIED else "",
            problem=problem,
            occurred_at=now,
            received_at=now - timedelta(hours=3),
        )
    stop_list_keeping.add_by_hand(
        actor=actor, order=StopOrder("sms", "13800000001", "marketing"), reason="1", now=now
    )
    person = Customer.objects.order_by("pk").last()
    FrequencyRule.objects.create(channel="sms", window_hours=24, max_count=1)
    preferences.request_privacy(
        actor=actor,
        customer_id=person.pk,
        kind=RequestKind.DELETION,
        details="",
        source="preference_centre",
        now=now,
    )
    sent = Message.objects.filter(dispatch__channel=channel).order_by("pk")[:3]
    Message.objects.filter(pk__in=sent.values("pk")).update(
        state="unknown", reason="connection_lost", attempted_at=now
    )
    authoring.create_campaign(
        source=spec(
            slug="draft",
            segment={"slug": "draft", "rule": EVERYONE},
            steps=[
                {
                    "channel": channel.slug,
                    "content": EMAIL,
                    "fallback_channel": channel.slug,
                    "fallback_content": "same_as_message",
                },
                {"channel": channel.slug, "content": {"en": {"text": "{{ x1 }}"}}},
            ],
        ),
        actor=actor,
        now=now,
    )


def crawl(client: Client, start: str, language: str) -> Iterator[tuple[str, Reader]]:
    seen: set[str] = set()
    kinds: defaultdict[str, int] = defaultdict(int)
    queue = [start]
    while queue:
        address = queue.pop(0)
        split = urlsplit(address)
        if address in seen or split.netloc or not split.path.startswith("/admin/"):
            continue
        seen.add(address)
        try:
            kind = resolve(split.path).route
        except Resolver404:
            continue
        kind += "?" * bool(split.query)
        if kinds[kind] >= OF_A_KIND or "logout" in kind or "jsi18n" in kind:
            continue
        kinds[kind] += 1
        answer = client.get(address, headers={"accept-language": language})
        if answer.status_code == 302:
            queue.append(urljoin(address, answer.headers["Location"]))
            continue
        if "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        reader = Reader()
        reader.feed(answer.content.decode())
        yield address, reader
        queue += [urljoin(address, link).split("#")[0] for link in reader.links]


def own_texts(language: str) -> set[str]:
    """Return the texts of the product in the language that the reader did not ask for."""
    catalogue = trans_real.translation("zh-hans")._catalog
    pairs = {
        (source, text)
        for source, text in catalogue.items()
        if isinstance(source, str) and source and source != text and "%" not in source
    }
    return {source if language == "zh-hans" else text for source, text in pairs}


def problems_of(text: str, language: str, foreign: set[str], written: set[str]) -> Iterator[str]:
    if text in written or text.lower() in written or text in LANGUAGES or "{{" in text:
        return
    for pattern in CODES:
        for found in set(pattern.findall(text)) - NAMES_OF_THINGS:
            yield f"code {found!r} in {text[:60]!r}"
    if text in foreign:
        yield f"other language: {text[:60]!r}"
    elif language == "zh-hans":
        words = [word.rstrip("'") for word in re.findall(r"[A-Za-z][A-Za-z'-]{2,}", text)]
        # Names of users and sources stand in sentences of the product.
        bare = [w for w in words if w not in NAMES_OF_THINGS and w not in written]
        is_mixed = re.search(r"[\u4e00-\u9fff]", text) and any(word.islower() for word in bare)
        is_alone = bool(bare) and re.fullmatch(r"[a-z]{3,}", text) is not None
        if (len(bare) >= 2 or is_mixed or is_alone) and not re.search(r"[@/]|\d{4}", text):
            yield f"English: {text[:60]!r}"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f4_no_page_shows_a_code_or_the_other_language(house, language) -> None:
    foreign = own_texts(language)
    found: dict[str, str] = {}
    pages = 0
    # Most of what one role reads another has read: only where it was seen first is told.
    looked_at: set[str] = set()
    for role in [None, *Role]:
        house.add(f"reader{role or ''}")
        user = User.objects.create_user(
            f"reader{role or ''}", password="x", is_staff=True, is_superuser=role is None
        )
        if role is not None:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        for address, reader in crawl(client, "/admin/", language):
            pages += 1
            texts = set(reader.texts) - looked_at
            looked_at |= texts
            for text in texts:
                for problem in problems_of(text, language, foreign, house):
                    found.setdefault(problem, f"{role}: {address}")

    assert pages > 100
    assert found == {}, "\n".join(f"{where}  {what}" for what, where in sorted(found.items()))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_f4_customers_never_see_a_code_either(house, language) -> None:
    foreign = own_texts(language)
    signer = links.signer_for(settings.SECRET_KEY)
    addresses = ["/enquiry/", "/admin/login/"]
    # These pages speak the customer's language.
    Customer.objects.update(language=language)
    for customer in Customer.objects.exclude(occupation="").order_by("pk")[:20]:
        token = preference_token(signer, customer.pk, today=clock.today())
        addresses.append(f"/p/{token}/")
    found: dict[str, str] = {}
    for address in addresses:
        answer = Client().get(address, headers={"accept-language": language})
        assert answer.status_code == 200
        reader = Reader()
        reader.feed(answer.content.decode())
        for text in reader.texts:
            for problem in problems_of(text, language, foreign, house):
                found.setdefault(problem, address[:12])

    assert len(addresses) > 15
    assert found == {}, "\n".join(f"{where}  {what}" for what, where in sorted(found.items()))


def test_f4_the_scripts_of_the_admin_find_every_text_in_chinese(admin_client) -> None:
    """What a script shows is in no page's HTML: it asks the catalogue, which may lack it."""
    answer = admin_client.get("/admin/jsi18n/", headers={"accept-language": "zh-hans"})
    catalogue = answer.content.decode()
    asked = set()
    for name in ("SelectFilter2.js", "actions.js", "calendar.js", "collapse.js"):
        path = finders.find(f"admin/js/{name}")
        if path is not None:
            script = Path(path).read_text(encoding="utf-8")
            asked |= {
                text.replace("\\'", "'")
                for _quote, text in re.findall(r"(?<![a-z])gettext\((['\"])(.+?)\1\)", script)
            }
    assert len(asked) > 10
    missing = {text for text in asked if json.dumps(text)[1:-1] not in catalogue}
    assert missing == set()
