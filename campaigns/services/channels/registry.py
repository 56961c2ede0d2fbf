"""Setting up channels: options are checked by the backend before they are stored."""

import os
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns import labels
from campaigns.channels import registry
from campaigns.channels.errors import ChannelMisconfigured
from campaigns.domain.filing.filing import FilingDemand
from campaigns.models import Channel
from campaigns.services.channels import stand_ins
from campaigns.services.channels.problems import ChannelInvalid
from customers import labels as customer_labels
from customers.domain.consents.consent import ConsentChannel
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import stale
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security import crypto


class RateInvalid(LoanCrmError):
    """A channel with no slot in any second would never send."""

    code = "rate_invalid"


# Messages a second; no provider takes more on one account.
MAX_RATE = 100_000
CHANGEABLE = (
    *("name", "kind", "backend", "sender", "cost_per_part", "rate_per_second", "options"),
    *("is_active", "filing_demand", "filing_idle_days", "fallbacks"),
)
KINDS = tuple(channel.value for channel in ConsentChannel)


def _refuse_invalid(channel: Channel) -> None:
    """Refuse what the table would take and nobody could send with, or what it cannot hold."""
    problems: dict[str, str] = {}
    try:
        channel.clean_fields(exclude=["secret_sealed", "options"])
    except ValidationError as error:
        problems = {name: " ".join(found) for name, found in error.message_dict.items()}
    if channel.kind not in KINDS:
        problems["kind"] = _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(KINDS)}
    elif problem := _demand_problem(channel):
        problems["filing_demand"] = problem
    elif problem := backend_problem(channel.kind, channel.backend):
        problems["backend"] = problem
    if "cost_per_part" not in problems and channel.cost_per_part < 0:
        problems["cost_per_part"] = _("The cost cannot be below zero.")
    if channel.rate_per_second is not None and channel.rate_per_second > MAX_RATE:
        problems["rate_per_second"] = _("At most %(most)s.") % {"most": MAX_RATE}
    names = {field.name: field.verbose_name for field in Channel._meta.concrete_fields}  # noqa: SLF001 - Django's documented way to a field's name
    for field, problem in problems.items():
        raise ChannelInvalid(
            _("%(field)s: %(problem)s") % {"field": names[field], "problem": problem}, field=field
        )


def _demand_problem(channel: Channel) -> str:
    if channel.filing_demand not in list(FilingDemand):
        return _("There is no such demand.")
    if channel.filing_demand and channel.kind != "sms":
        return _("Only channels of text messages file anything.")
    return ""


def _take_demand(channel: Channel, demand: str | None, idle_days: int | None) -> None:
    if demand is not None:
        channel.filing_demand, channel.filing_idle_days = demand, idle_days


def stored(channel: Channel) -> dict[str, Any]:
    """Return what people can change of a channel, as it is stored."""
    return {name: getattr(channel, name) for name in CHANGEABLE}


def slug_taken(slug: str) -> ChannelInvalid:
    """Return the refusal of a new channel whose slug belongs to another."""
    return ChannelInvalid(
        _("There is a channel with the slug %(slug)s already; choose another slug.")
        % {"slug": slug},
        field="slug",
    )


def backend_problem(kind: str, backend: str) -> str:
    """Return why a channel of this kind cannot go through a backend; empty where it can.

    Raises:
        ChannelMisconfigured: There is no such backend.
    """
    kinds = registry.kinds_of(backend)
    if not kinds or kind in kinds:
        return ""
    return _("%(backend)s carries %(kinds)s only.") % {
        "backend": labels.backend(backend),
        "kinds": _(", ").join(customer_labels.CHANNELS.label(name) for name in kinds),
    }


def _store(channel: Channel) -> None:
    """Save; of two who add one slug at once, the second is refused as one who came later is."""
    try:
        with transaction.atomic():
            channel.save()
    except IntegrityError as error:
        raise slug_taken(channel.slug) from error


def _held(slug: str, *, is_new: bool, seen: str) -> Channel | None:
    """Return the channel of a slug, locked, as it was read; None for a new one."""
    held = Channel.objects.select_for_update().filter(slug=slug).first()
    if held is not None:
        if is_new:
            raise slug_taken(slug)
        stale.refuse_stale(seen, stored(held))
    return held


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
    secret: str = "",
    cost_per_part: Decimal = Decimal(0),
    rate_per_second: int | None = None,
    is_active: bool | None = None,
    is_new: bool = False,
    seen: str = "",
    filing_demand: str | None = None,
    filing_idle_days: int | None = None,
    fallbacks: str | None = None,
) -> Channel:
    """Create or change a channel.

    Args:
        is_active: Whether campaigns may use it; None leaves that as it is. What is sent through a
            channel that is switched off is held until it is on again.
        is_new: The channel is to be added: a slug that is in use is refused.
        filing_demand: What the provider wants approved beforehand; None leaves that as it is.
        filing_idle_days: After how many days without use it deletes a signature; counts with the
            demand.
        fallbacks: Slugs of the channels that stand in for it, in their order and apart by commas;
            None leaves them as they are.
        seen: Digest of the `stored` that the change began from; empty where nothing was read.
        secret_variable: Environment variable that holds the provider's secret; it is sealed.
        secret: The secret itself, where it was entered on the page; empty leaves it as it is.

    Raises:
        ChannelMisconfigured: The backend or an option is unknown or wrong, or an e-mail channel has
            no sender address.
        PermissionRefused: The actor may not change channels.
        StaleSave: Somebody has changed the channel since it was read.
        RateInvalid: The rate is below one message a second.
        ChannelInvalid: Another value is none that a channel can have, the backend carries no
            channel of this kind, or the slug of a new channel is in use; nothing is stored.
    """
    with acting(actor, "campaigns.change_channel", now=now) as act:
        held = _held(slug, is_new=is_new, seen=seen)
        if rate_per_second is not None and rate_per_second < 1:
            raise RateInvalid(
                _("The rate is at least one message a second, or empty for no limit.")
            )
        if secret_variable:
            secret = os.environ.get(secret_variable, "")
        checked = {**options, "secret": secret} if secret else dict(options)
        registry.check_setup(name=slug, backend=backend, options=checked)
        if kind == "email" and "@" not in sender:
            raise ChannelMisconfigured(_("an e-mail channel needs a sender address"))
        channel = held or Channel(slug=slug, row_key=uuid4())
        if secret or (channel.backend, channel.options) != (backend, dict(options)):
            # What was shown and said about the account was about another one.
            channel.idempotency_shown_at = channel.tested_at = None
            channel.test_finding = channel.tolerated_code = ""
        channel.name = name or channel.name or slug
        channel.kind, channel.backend = kind, backend
        channel.options = dict(options)
        channel.sender = sender
        channel.cost_per_part = cost_per_part
        channel.rate_per_second = rate_per_second
        channel.is_active = channel.is_active if is_active is None else is_active
        _take_demand(channel, filing_demand, filing_idle_days)
        _refuse_invalid(channel)
        if secret:
            channel.secret_sealed = crypto.vault().seal(
                Channel.SECRET_COLUMN, channel.row_key, secret
            )
        _store(channel)
        stand_ins.write(channel=channel, slugs=fallbacks)
        act.record("channel.configured", on=channel, facts={"slug": slug, "backend": backend})
    return channel
