"""`/hooks/<channel>/`: signed reports of providers."""

import logging

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from campaigns.channels.base import WebhookRequest
from campaigns.channels.errors import ChannelMisconfigured, WebhookRefused
from campaigns.services.receipts import reports
from campaigns.services.receipts.reports import UnknownChannel
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.database import shared_clock

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, channel: str) -> JsonResponse:
    """Apply a report: 200 with counts, 401 when it is not proven, 404 for an unknown channel."""
    try:
        body = request.body
    except RequestDataTooBig:
        return JsonResponse({"code": "too_large"}, status=413)
    report = WebhookRequest(
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        # The age of a signature is about the provider's clock: a demo clock has no say here, and
        # one host's may be an hour off.
        received_at=shared_clock.now(),
    )
    try:
        counts = reports.receive(
            actor=system_actor("page:webhooks"), slug=channel, report=report, now=clock.now()
        )
    except WebhookRefused as err:
        logger.warning(
            "webhook refused", extra={"channel": channel[:60], "problem": err.facts["problem"]}
        )
        return JsonResponse({"code": err.code}, status=401)
    except UnknownChannel as err:
        return JsonResponse({"code": err.code}, status=404)
    except ChannelMisconfigured as err:
        logger.exception("webhook for a channel that is not set up")
        return JsonResponse({"code": err.code}, status=503)
    answer: dict[str, object] = {
        "applied": counts.applied,
        "repeated": counts.repeated,
        "unknown": counts.unknown,
    }
    if counts.set_aside:
        answer["set_aside"] = [{"id": name, "reason": reason} for name, reason in counts.set_aside]
    return JsonResponse(answer)
