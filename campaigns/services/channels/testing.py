"""Testing a channel: a message to a number of one's own, twice with one key where keys count."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.channels.base import (
    EmailPayload,
    Outbound,
    Payload,
    SendOutcome,
    SendResult,
    SmsPayload,
)
from campaigns.channels.errors import ChannelBlocked, ChannelError, ChannelMisconfigured
from campaigns.domain.content import sms_parts
from campaigns.domain.content.mime import Addressee, EmailSkeleton, HeaderRefused
from campaigns.domain.sending.channel_finding import ChannelFinding
from campaigns.models import Channel
from campaigns.services.channels import reopening
from campaigns.services.sending import providers, side_messages
from customers.domain.values.emails import parse_email
from customers.domain.values.quality import ValueRefused
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.auditing import deployment
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.phones import PhoneRefused, parse_phone


class TestAddressInvalid(LoanCrmError):
    """The address for a test cannot be written to."""

    __test__ = False
    code = "test_address_invalid"


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """What became of a test.

    Attributes:
        code: The provider's code where it refused.
    """

    finding: ChannelFinding
    code: str = ""


def test_channel(*, channel: Channel, to: str, actor: Actor, now: datetime) -> ChannelTest:
    """Send a test message; twice with one key where the options say that the provider knows keys.

    Only a provider that answers the repetition with the first message's id counts as one that
    remembers keys. A test that went well also lets a blocked channel go on. The provider is called
    outside any transaction.

    Args:
        to: A number or e-mail address of one's own; it is stored nowhere.

    Raises:
        ChannelMisconfigured: The channel's options are wrong.
        PermissionRefused: The actor may not change channels.
        SendingUnconfirmed: Nothing goes out until a person has confirmed.
        TestAddressInvalid: Nobody can be written to there.
    """
    act = acting(actor, "campaigns.change_channel", now=now)
    deployment.require_confirmed()
    declares_keys = bool(channel.options.get("supports_idempotency"))
    message = Outbound(0, f"t{secrets.token_hex(8)}", _address(channel, to), _payload(channel, now))
    found = _try(channel, message, times=2 if declares_keys else 1, now=now)
    works = found.finding in {
        ChannelFinding.WORKS,
        ChannelFinding.KEYS_SHOWN,
        ChannelFinding.KEYS_NOT_SHOWN,
    }
    with act:
        Channel.objects.filter(pk=channel.pk).update(
            tested_at=now,
            test_finding=found.finding,
            idempotency_shown_at=now if found.finding is ChannelFinding.KEYS_SHOWN else None,
        )
        act.record(
            "channel.tested",
            on=channel,
            facts={"slug": channel.slug, "finding": found.finding, "code": found.code},
        )
        if works:
            reopening.release(channel=channel)
    return found


test_channel.__test__ = False  # type: ignore[attr-defined] # it is no test of ours


_FINDINGS = {
    SendOutcome.REJECTED: ChannelFinding.REFUSED,
    SendOutcome.RETRY: ChannelFinding.AWAY,
    SendOutcome.NOT_TAKEN: ChannelFinding.AWAY,
    SendOutcome.UNKNOWN: ChannelFinding.UNCLEAR,
}


def _try(channel: Channel, message: Outbound, *, times: int, now: datetime) -> ChannelTest:
    provider = providers.provider_of(channel)
    results: list[SendResult] = []
    for _time in range(times):
        try:
            results += provider.send([message])
        except ChannelMisconfigured:
            raise
        except ChannelError as error:
            is_blocked = isinstance(error, ChannelBlocked)
            code = error.problem if isinstance(error, ChannelBlocked) else error.code
            return ChannelTest(
                ChannelFinding.BLOCKED if is_blocked else ChannelFinding.AWAY, code[:40]
            )
        side_messages.note(channel=channel, results=results[-1:], now=now)
        if results[-1].outcome is not SendOutcome.ACCEPTED:
            return ChannelTest(_FINDINGS[results[-1].outcome], results[-1].code)
    return ChannelTest(ChannelFinding.WORKS if times == 1 else _finding_of_keys(message, results))


def _finding_of_keys(message: Outbound, results: list[SendResult]) -> ChannelFinding:
    """Return whether two answers to one key show that the second was recognised.

    An id that is made from our key would come twice from a provider that forgot it, too.
    """
    ids = {result.provider_message_id for result in results}
    is_own = all(name and message.idempotency_key not in name for name in ids)
    return ChannelFinding.KEYS_SHOWN if len(ids) == 1 and is_own else ChannelFinding.KEYS_NOT_SHOWN


def _address(channel: Channel, to: str) -> str:
    try:
        return parse_email(to) if channel.kind == "email" else parse_phone(to).e164
    except (PhoneRefused, ValueRefused) as error:
        raise TestAddressInvalid(_("Nobody can be written to at this address.")) from error


def _payload(channel: Channel, now: datetime) -> Payload:
    text = _("This is a test of the channel %(name)s.") % {"name": channel.name}
    if channel.kind != "email":
        body = sms_parts.compose(text, signature=channel.sender, opt_out_text="")
        return SmsPayload(body, sms_parts.measure(body).parts)
    sender_name, _space, sender = channel.sender.rpartition(" ")
    sender = sender.strip("<>")
    skeleton = EmailSkeleton(
        sender_name=sender_name.strip(),
        sender_address=sender,
        language=settings.LANGUAGE_CODE,
        has_html=False,
    )
    try:
        raw = skeleton.fill(
            to=Addressee(sender, ""),
            subject=_("Test message"),
            text=text,
            html=None,
            message_key="t0",
            unsubscribe_url="",
            at=now,
        )
    except HeaderRefused as error:
        raise ChannelMisconfigured(_("the sender cannot be written into a header")) from error
    return EmailPayload(sender=sender, raw=raw)
