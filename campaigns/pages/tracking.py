"""`/t/<token>/`: notes the visit of a link and leads on to its stored target."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.receipts.visits import machine_sign
from campaigns.pages import answers
from campaigns.services.receipts import visits
from loancrm.kernel import clock
from loancrm.kernel.security.client_address import client_address


@never_cache
@require_http_methods(["GET", "HEAD"])
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Redirect to the target; a token that was not made here is not found."""
    target = links.signer_for(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS).read(
        LinkPurpose.CLICK, token
    )
    if target is None:
        return answers.not_found(request, "link")
    if target.message_id == links.TEST_MESSAGE:
        return answers.of_a_test(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    address = visits.note_visit(
        target=target,
        sign=machine_sign(method=request.method or "", headers=headers),
        address=client_address(request),
        now=clock.now(),
    )
    if address is None:
        return answers.not_found(request, "link")
    return HttpResponseRedirect(address)
