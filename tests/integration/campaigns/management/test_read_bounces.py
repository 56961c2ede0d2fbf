import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from campaigns.channels import registry
from customers.models import ContactPoint
from tests.factories.sent import make_sent
from tests.unit.campaigns.domain.receipts.test_bounces import _dsn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _closed_channels():
    yield
    registry.close_all()


def _run(*arguments):
    out = StringIO()
    call_command("read_bounces", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_folder_of_bounces_is_applied_once(actor, now, tmp_path):
    channel, (message, other) = make_sent(actor, now, count=2)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.eml").write_bytes(_dsn(key=f"m{message.pk}"))
    (tmp_path / "new" / "2.eml").write_bytes(_dsn(key="m99999"))
    (tmp_path / "new" / "3.eml").write_bytes(b"Subject: out of office\r\n\r\nhello")
    assert _run(channel.slug, str(tmp_path)) == {
        "files": 3, "events": 2, "applied": 1, "repeated": 0, "unknown": 1,
    }  # fmt: skip
    assert _run(channel.slug, str(tmp_path))["repeated"] == 2
    message.refresh_from_db()
    other.refresh_from_db()
    assert (message.state, other.state) == ("bounced", "sent")
    bounced = ContactPoint.objects.get(status="bounced")
    assert (bounced.customer_id, bounced.kind) == (message.customer_id, "email")


@pytest.mark.parametrize("arguments", [("nowhere", "."), ("email-memory", "/does/not/exist")])
def test_wrong_arguments_are_refused(actor, now, arguments):
    make_sent(actor, now, count=1)
    with pytest.raises(CommandError):
        _run(*arguments)
