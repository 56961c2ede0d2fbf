"""A lender's endpoint on the loopback: takes signed messages one by one, with a gateway's moods."""

from typing import Any

import msgspec

from campaigns.simulators.moods import Turn
from campaigns.simulators.sms_gateway import SmsGateway, WireMessage


class _Data(msgspec.Struct):
    id: str
    kind: str
    to: str
    text: str = ""
    subject: str = ""


class _Webhook(msgspec.Struct):
    type: str
    data: _Data


_decoder = msgspec.json.Decoder(_Webhook)


class WebhookReceiver(SmsGateway):
    """An endpoint that answers as `campaigns.channels.webhook` reads it."""

    def _read(self, body: bytes) -> list[WireMessage]:
        data = _decoder.decode(body).data
        return [WireMessage(data.id, data.to, data.text)]

    def _written(self, results: list[dict[str, Any]], turn: Turn) -> bytes:
        del turn  # one message leaves no room for what is odd about several
        return msgspec.json.encode(results[0])
