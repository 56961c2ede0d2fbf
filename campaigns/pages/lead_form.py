"""`/enquiry/`: the public form on which somebody leaves their details.

No box is ticked beforehand. The answer is the same for new and known people, so that the form tells
nobody who our customers are.
"""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from campaigns.pages import answers
from customers import labels
from customers.domain.consents.captures import RawPerson
from customers.domain.consents.consent import ConsentChannel
from customers.domain.consents.texts import LEAD_FORM_TEXT
from customers.domain.values.quality import QualityFinding
from customers.labels import imports as import_labels
from customers.selectors import sources
from customers.services.consents import lead_form
from customers.services.consents.lead_form import UTM_NAMES, LeadForm
from loancrm.api.throttling import hit
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.security.client_address import client_address

POSTS_A_MINUTE = 5
LONGEST_VALUE = 120
# What can be confirmed by a message.
CHANNELS = (ConsentChannel.SMS, ConsentChannel.EMAIL)
_FIELDS = ("name", "phone", "email", "city")


@csrf_protect
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enquiry(request: HttpRequest) -> HttpResponse:
    """Show the form, or take it in."""
    language = answers.language_of(request, translation.get_language() or "")
    with translation.override(language):
        if not sources.is_open(lead_form.SOURCE, today=clock.today()):
            return answers.page(
                request,
                "enquiry_closed.html",
                status=HTTPStatus.SERVICE_UNAVAILABLE.value,
                brand=settings.LOANCRM_BRAND,
                hotline=settings.LOANCRM_HOTLINE,
            )
        if request.method != "POST":
            return _form(request, language)
        if hit(f"lead-form:{client_address(request)}").hits > POSTS_A_MINUTE:
            return answers.page(request, "too_many.html", status=HTTPStatus.TOO_MANY_REQUESTS.value)
        return _take_in(request, language)


def _take_in(request: HttpRequest, language: str) -> HttpResponse:
    form_id = _uuid(request.POST.get("form_id", ""))
    values = {name: request.POST.get(name, "")[:LONGEST_VALUE] for name in _FIELDS}
    if form_id is None or request.POST.get("notice") != "on":
        return _form(request, language, is_incomplete=True)
    # People do not see this field; whatever fills in every field is told the same and not stored.
    if request.POST.get("website", "") == "":
        findings = lead_form.hand_in(
            actor=system_actor("page:enquiry"),
            form=LeadForm(
                form_id=form_id,
                person=RawPerson(
                    name=values["name"],
                    phone=values["phone"],
                    email=values["email"],
                    city=values["city"],
                    language=language,
                ),
                wishes=[one for one in CHANNELS if one in request.POST.getlist("consent")],
                language=language,
                campaign={name: request.POST.get(name, "") for name in UTM_NAMES},
            ),
            now=clock.now(),
            today=clock.today(),
        )
        if findings:
            return _form(request, language, findings=findings)
    return answers.page(request, "enquiry_done.html", brand=settings.LOANCRM_BRAND)


def _form(
    request: HttpRequest,
    language: str,
    *,
    findings: Sequence[QualityFinding] = (),
    is_incomplete: bool = False,
) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    # Changing the language keeps where the person came from.
    asked = {name: given.get(name, "") for name in UTM_NAMES if given.get(name)}
    is_refused = bool(findings) or is_incomplete
    return answers.page(
        request,
        "enquiry.html",
        status=(HTTPStatus.BAD_REQUEST if is_refused else HTTPStatus.OK).value,
        brand=settings.LOANCRM_BRAND,
        language=language,
        address_in=lambda code: "?" + urlencode({**asked, "lang": code}),
        csrf=get_token(request),
        form_id=_uuid(request.POST.get("form_id", "")) or uuid4(),
        values={name: request.POST.get(name, "")[:LONGEST_VALUE] for name in _FIELDS},
        utm={name: given.get(name, "")[: lead_form.UTM_LENGTH] for name in UTM_NAMES},
        # What somebody ticked before a mistake stays ticked; nothing ever is beforehand.
        has_agreed=request.POST.get("notice") == "on",
        wished=set(request.POST.getlist("consent")),
        channels=[(channel, labels.CHANNELS.label(channel)) for channel in CHANNELS],
        text=LEAD_FORM_TEXT.read(language),
        is_incomplete=is_incomplete,
        problems=[import_labels.finding(finding.code) for finding in findings],
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
