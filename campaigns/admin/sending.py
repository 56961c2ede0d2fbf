"""The page on which a person lets sending go on after a restore, a copy or a long standstill."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns.services.channels import sending_confirmation
from loancrm import admin_pages
from loancrm.kernel import access, clock
from loancrm.kernel.auditing import deployment


@require_http_methods(["GET", "HEAD", "POST"])
def confirmation(request: HttpRequest) -> HttpResponse:
    """Say why nothing goes out, and take the word of who may give it."""
    admin_pages.require(request, "campaigns.view_campaign")
    actor = admin_pages.actor_of(request)
    if request.method == "POST":
        with admin_pages.attempt(request, _("Confirmed. Sending goes on.")):
            sending_confirmation.confirm_sending(
                is_copy=request.POST.get("as") == "copy", actor=actor, now=clock.now()
            )
        return HttpResponseRedirect(request.path)
    reason = deployment.waiting_for()
    return admin_pages.page(
        request,
        "campaigns/sending.html",
        title=_("Sending after a restore"),
        reason=deployment.describe(reason) if reason else "",
        may_confirm=access.is_allowed(actor, "kernel.confirm_sending"),
    )
