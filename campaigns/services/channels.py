"""Setting up channels: options are checked by the backend before they are stored."""

import os
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels import registry
from campaigns.channels.errors import ChannelMisconfigured
from campaigns.models import Channel
from loancrm.kernel import access, audit, crypto
from loancrm.kernel.access import Actor
from loancrm.kernel.errors import LoanCrmError


class RateInvalid(LoanCrmError):
    """A channel with no slot in any second would never send."""

    code = "rate_invalid"


class ChannelInvalid(LoanCrmError):
    """A value that the channel cannot hold; `facts` name the field."""

    code = "channel_invalid"


# Messages a second; no provider takes more on one account.
MAX_RATE = 100_000
KINDS = ("sms", "email", "phone", "wechat", "push")


def _refuse_invalid(channel: Channel) -> None:
    """Refuse what the table would take and nobody could send with, or what it cannot hold."""
    problems: dict[str, str] = {}
    try:
        channel.clean_fields(exclude=["secret_sealed", "options"])
    except ValidationError as error:
        problems = {name: " ".join(found) for name, found in error.message_dict.items()}
    if channel.kind not in KINDS:
        problems["kind"] = _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(KINDS)}
    if "cost_per_part" not in problems and channel.cost_per_part < 0:
        problems["cost_per_part"] = _("The cost cannot be below zero.")
    if channel.rate_per_second is not None and channel.rate_per_second > MAX_RATE:
        problems["rate_per_second"] = _("At most %(most)s.") % {"most": MAX_RATE}
    labels = {field.name: field.verbose_name for field in Channel._meta.concrete_fields}  # noqa: SLF001 - Django's documented way to a field's name
    for field, problem in problems.items():
        raise ChannelInvalid(
            _("%(field)s: %(problem)s") % {"field": labels[field], "problem": problem}, field=field
        )


@transaction.atomic
def configure_channel(  # noqa: PLR0913 - one argument a column
    *,
    slug: str,
    kind: str,
    backend: str,
    options: Mapping[str, Any],
    sender: str,
    actor: Actor,
    now: datetime,
    name: str = "",
    secret_variable: str = "",
    cost_per_part: Decimal = Decimal(0),
    rate_per_second: int | None = None,
) -> Channel:
    """Create or change a channel.

    Args:
        secret_variable: Environment variable that holds the provider's secret; it is sealed.

    Raises:
        ChannelMisconfigured: The backend or an option is unknown or wrong, or an e-mail channel has
            no sender address.
        PermissionRefused: The actor may not change channels.
        RateInvalid: The rate is below one message a second.
        ChannelInvalid: Another value is none that a channel can have; nothing is stored.
    """
    access.require(actor, "campaigns.change_channel")
    if rate_per_second is not None and rate_per_second < 1:
        raise RateInvalid(_("The rate is at least one message a second, or empty for no limit."))
    secret = os.environ.get(secret_variable, "") if secret_variable else ""
    checked = {**options, "secret": secret} if secret else dict(options)
    registry.build(name=slug, backend=backend, options=checked).close()
    if kind == "email" and "@" not in sender:
        raise ChannelMisconfigured(_("an e-mail channel needs a sender address"))
    channel = Channel.objects.filter(slug=slug).first() or Channel(slug=slug, row_key=uuid4())
    if secret or (channel.backend, channel.options) != (backend, dict(options)):
        # What was shown and said about the account was about another one.
        channel.idempotency_shown_at = channel.tested_at = None
        channel.test_finding = channel.tolerated_code = ""
    channel.name = name or channel.name or slug
    channel.kind = kind
    channel.backend = backend
    channel.options = dict(options)
    channel.sender = sender
    channel.cost_per_part = cost_per_part
    channel.rate_per_second = rate_per_second
    _refuse_invalid(channel)
    if secret:
        channel.secret_sealed = crypto.vault().seal(Channel.SECRET_COLUMN, channel.row_key, secret)
    channel.save()
    audit.record(
        actor=actor,
        action="channel.configured",
        object_type="channel",
        object_id=channel.pk,
        now=now,
        facts={"slug": slug, "backend": backend},
    )
    return channel
