"""The answer to a privacy request: given on its own page, with a reason and how it was told."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from customers import labels
from customers.domain.consents.preferences import RequestStatus
from customers.models import PrivacyRequest
from customers.services.privacy import preferences
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock

PERMISSION = "customers.change_privacyrequest"


class AnswerForm(forms.Form):
    """What was done or why not, and how the person got to know."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("What was done, or why not; it is kept in the audit trail."),
    )
    told_by = forms.ChoiceField(
        label=gettext_lazy("The person was told"),
        choices=lambda: [("", _("– choose –")), *labels.NOTIFIED_BY.choices()],
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("The system tells nobody: answer the person first."),
    )


def answer(request: HttpRequest, pk: int, what: str, model_admin: Any) -> HttpResponse:
    """Ask for the reason of an answer; a sent form closes the request."""
    admin_pages.require(request, PERMISSION)
    row = get_object_or_404(PrivacyRequest, pk=pk)
    if what not in {RequestStatus.DONE, RequestStatus.REFUSED}:
        raise Http404
    if row.status != RequestStatus.OPEN:
        admin_pages.show_message(request, _("This request is answered already."), is_good=False)
        return HttpResponseRedirect(object_url(row))
    is_done = what == RequestStatus.DONE
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = _("The request is closed: %(status)s.") % {
            "status": labels.REQUEST_STATUSES.label(what)
        }
        with admin_pages.attempt(request, done) as outcome:
            preferences.close_request(
                actor=admin_pages.actor_of(request),
                request_id=row.pk,
                is_done=is_done,
                reason=form.cleaned_data["reason"],
                told_by=form.cleaned_data["told_by"],
                now=clock.now(),
            )
        if outcome.is_done:
            return HttpResponseRedirect(object_url(row))
    return admin_pages.page(
        request,
        "customers/privacy_answer.html",
        title=_("Note the request as met") if is_done else _("Refuse the request"),
        model_admin=model_admin,
        form=form,
        row=row,
        kind=labels.PRIVACY_REQUESTS.label(row.kind),
        is_done=is_done,
        back=object_url(row),
    )


def buttons(row: PrivacyRequest) -> SafeString:
    """Return the two ways to answer an open request."""
    ways = [
        (_url(row, RequestStatus.DONE), _("Met: note how")),
        (_url(row, RequestStatus.REFUSED), _("Refuse, with a reason")),
    ]
    return format_html_join(" ", '<a class="lcx-button" href="{}">{}</a>', ways)


def given(row: PrivacyRequest) -> str:
    """Return the answer of a closed request: the reason, and how the person was told."""
    found = preferences.answer_of(row)
    if found is None:
        return "–"
    told_by = labels.NOTIFIED_BY.label(found.told_by) if found.told_by else _("not noted")
    return format_html(
        "{}<br>{}: {} · {}", found.reason or "–", _("The person was told"), told_by, found.actor
    )


def _url(row: PrivacyRequest, what: RequestStatus) -> str:
    return reverse("admin:customers_privacyrequest_answer", args=[row.pk, what.value])
