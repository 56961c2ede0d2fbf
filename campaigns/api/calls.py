"""How a partner's write is carried out: once a key, with a reply for every item."""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from campaigns.api.structs import BulkReply, ItemResult
from campaigns.api.texts import item_errors
from campaigns.domain.partners.contract import (
    ItemCode,
    ItemFault,
    ItemOutcome,
    LeadStatus,
    rejected,
)
from campaigns.models import Partner
from campaigns.services.partners import idempotency
from campaigns.services.partners.idempotency import Claim, Reply
from loancrm.api.rendering import JSON_TYPE
from loancrm.api.views import PartnerView
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words import phrases

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_FAULT_PATH = re.compile(r" - at `\$\.?([a-z_0-9]*)[^`]*`$")
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]{1,64})`")
_ATTEMPTS = 3
T = TypeVar("T")
Handler = Callable[[], Reply | LoanCrmError]


class KeyRequired(LoanCrmError):
    """The call changes data without a natural id and came without a key."""

    code = "idempotency_key_required"


class KeyMalformed(LoanCrmError):
    """The key is too long or has other than visible ASCII characters."""

    code = "idempotency_key_malformed"


class WriteView(PartnerView):
    """A POST that is carried out once a key."""

    partner: Partner
    key_required = False

    def write(self, request: Request, body: bytes, work: Handler) -> HttpResponse:
        """Carry the work out in one transaction, or replay the reply of its first time.

        Args:
            work: Returns the reply; or the error to answer with, and what it has written stays.
        """
        key = self._key_of(request)
        if key is None:
            return _response(_or_raise(_executed(work)))
        # Keyed: a body may hold no more than a phone number and six digits, which could be guessed.
        fingerprint = hmac.new(
            settings.LOANCRM_INDEX_KEY,
            f"{request.method} {request.path}\n".encode() + body,
            hashlib.sha256,
        )
        held = idempotency.claim(
            partner_id=self.partner.pk,
            key=key,
            fingerprint=fingerprint.hexdigest(),
            now=clock.now(),
        )
        if isinstance(held, Reply):
            response = _response(held)
            response[REPLAY_HEADER] = "true"
            return response
        try:
            reply = _or_raise(_executed(work, held))
        except BaseException:
            idempotency.release(held)
            raise
        return _response(reply)

    def _key_of(self, request: Request) -> str | None:
        key = request.headers.get(HEADER)
        if key is None:
            if self.key_required:
                raise KeyRequired(
                    _("Send an Idempotency-Key header, so that the call can be repeated safely.")
                )
            return None
        if not _KEY.fullmatch(key):
            raise KeyMalformed(_("An Idempotency-Key has 1 to 255 visible ASCII characters."))
        return str(key)


def key_parameter(*, required: bool) -> OpenApiParameter:
    """Return how the key is documented."""
    return OpenApiParameter(
        name=HEADER,
        location=OpenApiParameter.HEADER,
        type={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        required=required,
        description="Repeating the call with the same key and body returns the stored reply, "
        "with the header `Idempotent-Replay: true`, for seven days.",
    )


def decode_items(
    raws: Sequence[msgspec.Raw], kind: type[T]
) -> tuple[list[tuple[int, T]], list[ItemOutcome]]:
    """Return the items of the right shape, each with its index, and the refusals of the others."""
    decoder = msgspec.json.Decoder(kind)
    good: list[tuple[int, T]] = []
    bad: list[ItemOutcome] = []
    for index, raw in enumerate(raws):
        try:
            good.append((index, decoder.decode(raw)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            bad.append(rejected(index, ItemFault(ItemCode.MALFORMED, _field_of(error))))
    return good, bad


def bulk_reply(received: int, outcomes: Sequence[ItemOutcome]) -> Reply:
    """Return the reply with one result for every item, in order of index."""
    by_status = dict.fromkeys(LeadStatus, 0)
    for outcome in outcomes:
        by_status[outcome.status] += 1
    results = [
        ItemResult(
            index=outcome.index,
            status=outcome.status,
            lead_id=outcome.lead_id,
            errors=item_errors(outcome.faults),
        )
        for outcome in sorted(outcomes, key=lambda outcome: outcome.index)
    ]
    return json_reply(
        BulkReply(
            received=received,
            accepted=by_status[LeadStatus.ACCEPTED],
            duplicates=by_status[LeadStatus.DUPLICATE],
            rejected=by_status[LeadStatus.REJECTED],
            results=results,
        )
    )


def _or_raise(result: Reply | LoanCrmError) -> Reply:
    if isinstance(result, LoanCrmError):
        raise result
    return result


def _executed(work: Handler, held: Claim | None = None) -> Reply | LoanCrmError:
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                reply = work()
                if held and isinstance(reply, Reply):
                    idempotency.store(held, reply)
                return reply
        except IntegrityError:
            # Another call stored the same person or event in between; now it can be seen.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


def json_reply(content: Any, *, status: int = 200) -> Reply:
    """Return the reply that carries a struct."""
    return Reply(status=status, body=msgspec.json.encode(content, enc_hook=phrases.plain))


def _response(reply: Reply) -> HttpResponse:
    return HttpResponse(reply.body, status=reply.status, content_type=JSON_TYPE)


def _field_of(error: Exception) -> str:
    text = str(error)
    if found := _UNKNOWN_FIELD.search(text):
        return found[1]
    found = _FAULT_PATH.search(text)
    return found[1] if found else ""
