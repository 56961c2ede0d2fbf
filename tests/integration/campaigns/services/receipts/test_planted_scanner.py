"""A planted scanner is removed from what is counted, and every visit is kept."""

from datetime import timedelta

import pytest

from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.receipts.visits import MachineSign
from campaigns.models import LinkVisit, TrackedLink
from campaigns.services.receipts import visits
from customers.models import Event
from tests.factories.sent import make_sent

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
PHONE = {"HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148"}


def _clicked():
    return set(Event.objects.filter(type__name="link_clicked").values_list("customer", flat=True))


@pytest.mark.parametrize("batch", [500, 7])
def test_f12_a_planted_scanner_is_removed_and_raw_visits_are_kept(actor, now, monkeypatch, batch):
    monkeypatch.setattr(visits, "_BATCH", batch)
    _channel, messages = make_sent(actor, now, count=24)
    link = TrackedLink.objects.create(dispatch=messages[0].dispatch, target="https://a.cn/x")
    scanned, tapped, early = messages[:12], messages[12:20], messages[20:22]
    LinkVisit.objects.bulk_create(
        [
            *(
                LinkVisit(
                    link=link,
                    message=message,
                    at=now + timedelta(minutes=5, seconds=2 * place),
                    address_index="gateway",
                )
                for place, message in enumerate(scanned)
            ),
            *(
                LinkVisit(
                    link=link,
                    message=message,
                    at=now + timedelta(minutes=5, seconds=place),
                    address_index=f"phone{place}",
                )
                for place, message in enumerate(tapped)
            ),
            *(LinkVisit(link=link, message=message, at=now) for message in early),
        ]
    )
    assert visits.publish_clicks(now=now + timedelta(minutes=10)) == len(tapped)
    assert _clicked() == {message.customer_id for message in tapped}
    assert LinkVisit.objects.count() == 22
    signs = dict(LinkVisit.objects.filter(is_bot=True).values_list("message_id", "sign"))
    assert signs == {
        **{message.pk: MachineSign.SHARED_ADDRESS for message in scanned},
        **{message.pk: MachineSign.TOO_SOON for message in early},
    }


def test_f57_where_a_visit_came_from_is_kept_as_a_keyed_fingerprint(client, actor, now, settings):
    _channel, (message,) = make_sent(actor, now, count=1)
    link = TrackedLink.objects.create(dispatch=message.dispatch, target="https://a.cn/x")
    token = links.signer_for(settings.SECRET_KEY).token(
        LinkPurpose.CLICK, message_id=message.pk, link_id=link.pk
    )
    for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8"):
        answer = client.get(
            f"/t/{token}/",
            REMOTE_ADDR=address,
            **PHONE,
        )
        assert answer.status_code == 302
    found = list(LinkVisit.objects.order_by("pk").values_list("address_index", flat=True))
    assert found[0] == found[1] != found[2]
    assert len(found[0]) == 32
