"""The HTTP interfaces of four e-mail services on the loopback, as their manuals show them."""

import json
from urllib.parse import parse_qs

from campaigns.simulators.sms_gateway import SmsGateway, WireMessage

KEY = "loancrm_key"


def _form(body):
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _mailgun(body):
    form = _form(body)
    return form[f"v:{KEY}"], form["to"], form["text"]


def _sendgrid(body):
    said = json.loads(body)
    (person,) = said["personalizations"]
    return said["custom_args"][KEY], person["to"][0]["email"], said["content"][0]["value"]


def _postmark(body):
    said = json.loads(body)
    return said["Metadata"][KEY], said["To"], said["TextBody"]


def _brevo(body):
    said = json.loads(body)
    key = json.loads(said["headers"]["X-Mailin-custom"])[KEY]
    return key, said["to"][0]["email"], said["textContent"]


READERS = {
    "mailgun": _mailgun,
    "sendgrid": _sendgrid,
    "postmark": _postmark,
    "brevo": _brevo,
}
ANSWERS = {
    "mailgun": lambda name, _to: {"id": f"<{name}@lender.example>", "message": "Queued. Thanks."},
    "sendgrid": lambda _name, _to: None,
    "postmark": lambda name, to: {
        "ErrorCode": 0,
        "Message": "OK",
        "MessageID": name,
        "To": to,
    },
    "brevo": lambda name, _to: {"messageId": f"<{name}@smtp-relay.example>"},
}


class EmailServiceGateway(SmsGateway):
    """Takes e-mails as one of the services does; `bodies` holds what came in."""

    path = "/{path:.*}"

    def __init__(self, service, **settings):
        super().__init__(**settings)
        self.service = service
        self.bodies = []

    @property
    def url(self):
        return f"http://{self.host}:{self.port}/v3/"

    def _read(self, body):
        self.bodies.append(body)
        key, to, text = READERS[self.service](body)
        return [WireMessage(key, to, text)]

    def _written(self, results, turn):
        del turn
        taken = self.messages[results[0]["id"]]
        answer = ANSWERS[self.service](taken.message_id, taken.to)
        return b"" if answer is None else json.dumps(answer).encode()
