"""Who takes part in the demo before the first campaign: users, providers, rules, history."""

import csv
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.contrib.auth.models import Group, User

from analytics.domain.demo import plan
from analytics.domain.demo.behaviour import share
from campaigns.domain.partners.touches import TouchChannel
from campaigns.domain.receipts.stops import Stop, StopReason
from campaigns.models import FrequencyRule
from campaigns.services.channels import registry
from campaigns.services.consents import preferences
from campaigns.services.partners import touches
from campaigns.services.partners.past_campaigns import PastCampaign
from customers.domain.demo.people import SOURCE
from customers.models import Customer
from loancrm.kernel import roles
from loancrm.kernel.access import Actor
from loancrm.kernel.manifest import Role

SIGNATURE = "安心消费金融"
SENDER = "安心消费金融 <service@example.com>"
_SUPPRESSED_SHARE = 0.012
_TOUCHED_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Providers:
    """Where the simulated providers listen and how their reports are signed."""

    smtp_port: int
    sms_port: int
    smtp_secret: str
    sms_secret: str


def password_of(role: Role) -> str:
    """Return the password of a demo user; known to all, so only ever in the demo's database."""
    return f"demo-{role.value}"


def create_users() -> dict[Role, User]:
    """Create one user a role."""
    roles.ensure_roles()
    users: dict[Role, User] = {}
    for role in Role:
        user = User.objects.create_user(role.value, password=password_of(role), is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        users[role] = user
    return users


def configure_providers(*, providers: Providers, actor: Actor, now: datetime) -> None:
    """Set up the SMS gateway and the mail relay as channels, their secrets sealed."""
    variable = f"LOANCRM_DEMO_{secrets.token_hex(4).upper()}"
    for slug, kind, backend, options, sender, secret, cost in (
        (
            plan.SMS,
            "sms",
            "http_sms",
            {"url": f"http://127.0.0.1:{providers.sms_port}/messages"},
            SIGNATURE,
            providers.sms_secret,
            Decimal("0.045"),
        ),
        (
            plan.EMAIL,
            "email",
            "smtp",
            {"host": "127.0.0.1", "port": providers.smtp_port},
            SENDER,
            providers.smtp_secret,
            Decimal("0.002"),
        ),
    ):
        os.environ[variable] = secret
        registry.configure_channel(
            slug=slug,
            kind=kind,
            backend=backend,
            options=options,
            sender=sender,
            secret_variable=variable,
            cost_per_part=cost,
            actor=actor,
            now=now,
        )
    del os.environ[variable]


def set_rules(*, seed: int, actor: Actor, now: datetime) -> None:
    """Cap the frequency of SMS and e-mail, and put a few people on the stop list."""
    FrequencyRule.objects.create(channel="sms", window_hours=72, max_count=1)
    FrequencyRule.objects.create(channel="email", window_hours=48, max_count=1)
    people = Customer.objects.filter(source=SOURCE).order_by("pk").values_list("pk", "external_id")
    stops = [
        Stop(
            customer_id=pk,
            channel=channel,
            key=f"demo-stop:{channel}:{external_id}",
            source="hotline",
            occurred_at=now - timedelta(days=9),
            reason=StopReason.UNDER_REVIEW,
        )
        for pk, external_id in people
        for channel in ("sms", "email")
        if share(seed, "suppressed", channel, external_id) < _SUPPRESSED_SHARE
    ]
    preferences.stop_contacts(actor=actor, stops=stops, now=now)


def import_history(*, seed: int, folder: Path, actor: Actor, now: datetime) -> int:
    """Take in the touches of a greeting that another system sent the evening before.

    Returns:
        How many people it reached; the cap keeps them from the first campaign.
    """
    path = folder / f"{plan.HISTORY}.csv"
    people = Customer.objects.filter(source=SOURCE).order_by("pk")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "touched_at", "event_id"])
        for external_id in people.values_list("external_id", flat=True):
            if share(seed, "touched", external_id) < _TOUCHED_SHARE:
                row_id = f"{plan.HISTORY}-{external_id}"
                writer.writerow([external_id, plan.HISTORY_AT.isoformat(), row_id])
    result = touches.import_touches(
        actor=actor,
        path=path,
        past=PastCampaign(slug=plan.HISTORY, channel=TouchChannel.SMS),
        now=now,
        source=SOURCE,
    )
    return result.exposed
