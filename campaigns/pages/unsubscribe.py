"""`/u/<token>/`: looking shows a page, posting opts out (RFC 8058).

GET and HEAD change nothing, because mail scanners open every link. The POST of a mail client
carries no cookie and no session; the signed token alone says who is meant.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.domain.content import links
from campaigns.domain.content.links import LinkPurpose
from campaigns.domain.content.preference_links import preference_token
from campaigns.domain.receipts.stops import StopSource
from campaigns.pages import answers
from campaigns.selectors.receipts import unsubscribing
from campaigns.services.consents import preferences
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show what would be stopped, or stop it; repeating is harmless."""
    target = links.signer_for(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS).read(
        LinkPurpose.UNSUBSCRIBE, token
    )
    if target is not None and target.message_id == links.TEST_MESSAGE:
        return answers.of_a_test(request)
    subject = unsubscribing.subject_of(target.message_id) if target is not None else None
    if target is None or subject is None:
        return answers.not_found(request, "unsubscribe")
    if request.method == "POST":
        preferences.opt_out(
            actor=system_actor("page:unsubscribe"),
            message_id=target.message_id,
            source=StopSource.UNSUBSCRIBE_LINK,
            now=clock.now(),
        )
    signer = links.signer_for(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)
    more = preference_token(signer, subject.customer_id, today=clock.today())
    since = unsubscribing.stopped_since(subject)
    with translation.override(answers.language_of(request, subject.language)):
        return answers.page(
            request,
            "unsubscribe.html",
            channel=subject.channel,
            brand=settings.LOANCRM_BRAND,
            is_done=request.method == "POST" or since is not None,
            since="" if since is None else date_format(localtime(since), "Y-m-d H:i"),
            preferences_path=reverse("pages:preferences", args=[more]),
        )
