"""`/c/<token>/`: looking shows what would be agreed to, posting agrees.

Mail scanners open every link, so opening one must not be consent. The signed token alone says which
request is meant; there is no cookie that another site could make use of.
"""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.pages import answers
from campaigns.services.consents import opt_in_confirming
from customers import labels
from customers.domain.consents.texts import TEXTS
from customers.models import OptInRequest
from customers.services.consents import opt_ins
from customers.services.consents.opt_ins import Confirmation
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show the consent that waits, or give it; repeating is harmless."""
    target = links.signer_for(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS).read(
        LinkPurpose.CONFIRM, token
    )
    found = (
        OptInRequest.objects.filter(pk=target.message_id).select_related("customer").first()
        if target is not None
        else None
    )
    if found is None:
        return answers.not_found(request, "confirm")
    now = clock.now()
    if request.method == "POST":
        state: Confirmation | None = opt_in_confirming.confirm(
            actor=system_actor("page:confirm"), request_id=found.pk, now=now
        )
    else:
        state = opt_ins.standing(request_id=found.pk, now=now)
    language = answers.language_of(request, found.customer.language)
    text = TEXTS.get(found.policy_version)
    with translation.override(language):
        return answers.page(
            request,
            "confirm.html",
            status=HTTPStatus.OK.value,
            brand=settings.LOANCRM_BRAND,
            state=state.value if state else "",
            text=text.read(language) if text else "",
            channel=labels.CHANNELS.label(found.channel),
            purpose=labels.PURPOSES.label(found.purpose),
        )
