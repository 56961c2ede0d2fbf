"""What simulated people do with a message: get it or not, click, complain, answer, unsubscribe.

Everything is decided by a hash of the message's key, so that a run with the same data repeats.
"""

import email
import email.policy
import re
from dataclasses import dataclass, field

from campaigns.domain.receipts.report import DeliveryKind
from campaigns.simulators.behaviour import fraction
from campaigns.simulators.sms_answers import TakenSms
from campaigns.simulators.smtp_session import TakenEmail

_LINK = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+/t/[A-Za-z0-9_-]{27}/")
_ONE_CLICK = re.compile(r"<(https?://[^>]+)>")
_REFUSALS = ("R", "T", "退订", "Ｔ ", "td退订", "拒收。")


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of the messages end in which way, as fractions of all.

    Attributes:
        undelivered: Taken by the provider, then lost: `failed` for SMS, a hard bounce for e-mail.
        click: Open the first link.
        reply: Answer an SMS with a refusal.
        unsubscribe: Use the one-click header of an e-mail.
        complain: Press "this is spam" on an e-mail.
    """

    undelivered: float = 0.0
    click: float = 0.0
    reply: float = 0.0
    unsubscribe: float = 0.0
    complain: float = 0.0


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message in the form in which both simulators pass it on."""

    channel: str
    key: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    one_click_url: str = field(default="", repr=False)

    @property
    def links(self) -> list[str]:
        """Return the tracked links in order, each once."""
        return list(dict.fromkeys(_LINK.findall(self.text)))


@dataclass(frozen=True, slots=True)
class SimulatedReaction:
    """What follows from one message.

    Attributes:
        report: What the provider reports about it.
        reply: What the person writes back, empty for nothing.
        click_url: Which link she opens, empty for none.
        one_click_url: Where her mail client posts, empty for nowhere.
        complains: Whether she presses the spam button.
    """

    report: DeliveryKind
    reply: str = field(default="", repr=False)
    click_url: str = field(default="", repr=False)
    one_click_url: str = field(default="", repr=False)
    complains: bool = False


def read_sms(channel: str, message: TakenSms) -> ReceivedMessage:
    """Return an SMS as received."""
    return ReceivedMessage(channel, message.key, message.to, "", message.text)


def read_email(channel: str, message: TakenEmail) -> ReceivedMessage:
    """Return an e-mail as received, its parts decoded (about 1 ms)."""
    parsed = email.message_from_bytes(message.raw, policy=email.policy.default)
    body = parsed.get_body(("html", "plain"))
    one_click = _ONE_CLICK.search(str(parsed.get("List-Unsubscribe", "")))
    return ReceivedMessage(
        channel=channel,
        key=str(parsed.get("Message-ID", "")).strip("<>").partition("@")[0],
        to=message.recipients[0],
        subject=str(parsed.get("Subject", "")),
        text=body.get_content() if body is not None else "",
        one_click_url=one_click[1] if one_click is not None else "",
    )


def react(message: ReceivedMessage, shares: Shares) -> SimulatedReaction:
    """Return what the person and the network do with a message."""
    is_email = bool(message.subject)
    if fraction(message.key, "undelivered") < shares.undelivered:
        return SimulatedReaction(DeliveryKind.BOUNCED_HARD if is_email else DeliveryKind.FAILED)
    links = message.links if fraction(message.key, "click") < shares.click else []
    answers = not is_email and fraction(message.key, "reply") < shares.reply
    leaves = is_email and fraction(message.key, "unsubscribe") < shares.unsubscribe
    choice = int(fraction(message.key, "words") * len(_REFUSALS))
    return SimulatedReaction(
        report=DeliveryKind.DELIVERED,
        reply=_REFUSALS[choice] if answers else "",
        click_url=links[0] if links else "",
        one_click_url=message.one_click_url if leaves else "",
        complains=is_email and fraction(message.key, "complain") < shares.complain,
    )
