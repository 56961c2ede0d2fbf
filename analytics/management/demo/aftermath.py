"""What has come in lately when somebody looks at the demo: leads, calls, a campaign to approve."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from analytics.domain.demo import plan
from analytics.domain.demo.behaviour import share
from analytics.management.demo import campaigns
from campaigns.domain.partners.touches import TouchChannel
from campaigns.services.campaigns import authoring
from campaigns.services.partners import touches
from campaigns.services.partners.past_campaigns import PastCampaign
from customers.domain.consents.consent import Purpose
from customers.domain.demo import population
from customers.domain.demo.people import SOURCE, DemoPerson
from customers.domain.sources import SourceKind
from customers.models import Customer, DataSource
from customers.services.imports import from_file
from customers.services.imports.from_file import ImportOrder, ImportReport
from customers.services.sources import registry
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor

_PARTNER = "partner_leads"
_MAPPING = Path(__file__).parent / "leads.json"
_NEW_LEADS = 120
_KNOWN_LEADS = 25
_CALL_DAYS = 27
_CALLED_SHARE = 0.11


def import_leads(*, seed: int, customers: int, folder: Path, actor: Actor) -> ImportReport:
    """Import a partner's file: new people, people who are known already, and faulty rows."""
    _register_partner(actor)
    path = folder / "partner_leads.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["线索编号", "姓名", "身份证号", "手机", "邮箱", "省份", "城市", "短信同意", "月收入"]
        )
        writer.writerows(_lead_rows(seed, customers))
    return from_file.import_customers(
        actor=actor,
        order=ImportOrder(path=path, mapping=from_file.load_mapping(str(_MAPPING))),
        now=clock.now(),
        today=clock.today(),
    )


def _register_partner(actor: Actor) -> None:
    """Enter the partner in the register, with a contract that ends soon."""
    today = clock.today()
    partner = DataSource(
        name=_PARTNER,
        title="示例渠道合作方 Example channel partner",
        kind=SourceKind.PARTNER,
        contract="DEMO-2026-01",
        purposes=[Purpose.MARKETING.value],
        valid_from=today - timedelta(days=340),
        valid_until=today + timedelta(days=25),
    )
    registry.save_source(actor=actor, source=partner, now=clock.now())


def _lead_rows(seed: int, customers: int) -> Iterator[list[object]]:
    known_day = plan.STARTS_AT.date() - timedelta(days=1)
    stories = [
        *population.generate(count=_KNOWN_LEADS, seed=seed, today=known_day),
        *population.generate(
            count=_NEW_LEADS, seed=seed, today=plan.ENDS_AT.date(), first=customers
        ),
    ]
    people = [story.person for story in stories]
    for number, person in enumerate(people, start=1):
        row = _lead_row(number, person)
        match number % 29:
            case 7:
                row[3] = "1380000"  # too short for a number
            case 13:
                row[2] = f"{str(row[2])[:17]}0" if row[2] else "44000019900101000Z"
            case 17:
                row[4] = "nobody@@example"
            case _:
                pass
        yield row
    yield ["", "", "", "", "", "浙江省", "杭州市", "Y", ""]


def _lead_row(number: int, person: DemoPerson) -> list[object]:
    return [
        f"P{number:05d}",
        person.name.text if person.name else "",
        person.national_id or "",
        person.phone or "",
        person.email or "",
        f"{person.place.province}省",
        f"{person.place.city}市",
        "Y",
        person.monthly_income_amount,
    ]


def import_calls(*, seed: int, folder: Path, actor: Actor) -> int:
    """Take in four weeks of calls that a call centre made; return how many people it reached."""
    path = folder / f"{plan.CALLS}.csv"
    people = Customer.objects.filter(source=SOURCE).order_by("pk")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "touched_at", "event_id", "cost"])
        for external_id in people.values_list("external_id", flat=True):
            if share(seed, "called", external_id) < _CALLED_SHARE:
                days = _CALL_DAYS * share(seed, "call day", external_id)
                at = plan.ENDS_AT - timedelta(days=1 + int(days), minutes=int(days * 997) % 400)
                row_id = f"{plan.CALLS}-{external_id}"
                writer.writerow([external_id, at.isoformat(), row_id, "1.20"])
    result = touches.import_touches(
        actor=actor,
        path=path,
        past=PastCampaign(slug=plan.CALLS, channel=TouchChannel.PHONE),
        now=clock.now(),
        source=SOURCE,
    )
    return result.exposed


def leave_to_approve(*, author: Actor, segment: str) -> str:
    """Write one more campaign to a segment and hand it in; somebody may approve and launch it."""
    access.require(author, "campaigns.author_campaign")
    source = campaigns.read(plan.ACQUISITION) | {
        "slug": plan.TO_APPROVE,
        "name": {"zh-hans": "首贷获客短信（第二轮）", "en": "First loan by SMS, second round"},
        "segment": segment,
    }
    campaign = authoring.create_campaign(source=source, actor=author, now=clock.now())
    authoring.submit_for_review(campaign=campaign, actor=author, now=clock.now())
    return campaign.slug
