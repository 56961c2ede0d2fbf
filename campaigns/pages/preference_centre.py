"""`/p/<token>/`: what a customer chooses about being contacted, without a login.

Looking changes nothing. The signed token alone says who is meant; there is no cookie whose holder
another site could make act, so a post needs no further proof.
"""

from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.domain import links
from campaigns.domain.preference_links import read_preference_token
from campaigns.pages import answers
from campaigns.services import preference_centre
from customers.domain.consent_texts import PREFERENCE_TEXT
from customers.domain.preferences import (
    PAUSE_DAYS,
    WEEKLY_LIMITS,
    Choices,
    RequestKind,
    Settings,
)
from customers.models import Customer
from customers.selectors import own_data
from customers.services import preferences
from loancrm.api.throttling import hit
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor

POSTS_A_MINUTE = 20
_DONE = ("saved", "requested")
_KEEP = "keep"


class ChoiceRefused(ValueError):
    """The form holds a value that the page never offered."""


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the choices, or store them; storing the same again changes nothing."""
    today = clock.today()
    signer = links.signer_for(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)
    customer_id = read_preference_token(signer, token, today=today)
    if customer_id == links.TEST_MESSAGE:
        return answers.of_a_test(request)
    customer = _customer(customer_id)
    if customer is None:
        return answers.not_found(request, "preferences")
    language = answers.language_of(request, customer.language)
    with translation.override(language):
        if request.method != "POST":
            return _page(request, customer, language)
        if hit(f"preferences:{customer.pk}").hits > POSTS_A_MINUTE:
            return answers.page(request, "too_many.html", status=HTTPStatus.TOO_MANY_REQUESTS.value)
        try:
            done = _store(request, customer, language, clock.now())
        except ChoiceRefused:
            return _page(request, customer, language, status=HTTPStatus.BAD_REQUEST.value)
    return HttpResponseRedirect(
        f"{request.path}?lang={language}&done={done}", status=HTTPStatus.SEE_OTHER.value
    )


def _customer(customer_id: int | None) -> Customer | None:
    """Return the customer, or whom they were merged into."""
    if customer_id is None:
        return None
    customer = Customer.objects.filter(pk=customer_id).select_related("merged_into").first()
    return customer.merged_into or customer if customer is not None else None


def _page(
    request: HttpRequest, customer: Customer, language: str, *, status: int = HTTPStatus.OK.value
) -> HttpResponse:
    now = clock.now()
    current = preferences.settings_of(customer)
    done = request.GET.get("done", "")
    is_paused = current.paused_until is not None and current.paused_until > now
    return answers.page(
        request,
        "preferences.html",
        status=status,
        brand=settings.LOANCRM_BRAND,
        hotline=settings.LOANCRM_HOTLINE,
        language=language,
        done=done if done in _DONE else "",
        is_refused=status != HTTPStatus.OK,
        text=PREFERENCE_TEXT.read(language),
        offers=own_data.offers(customer, now=now),
        facts=own_data.facts(customer),
        requests=[
            (answer.kind, _day(answer.due_at)) for answer in own_data.open_requests(customer)
        ],
        pauses=PAUSE_DAYS,
        limits=WEEKLY_LIMITS,
        paused_until=_day(current.paused_until) if is_paused and current.paused_until else "",
        weekly_limit=current.weekly_limit,
        is_personalised=current.is_personalised,
        keep=_KEEP,
    )


def _day(at: datetime) -> str:
    return at.astimezone(clock.company_zone()).date().isoformat()


def _store(request: HttpRequest, customer: Customer, language: str, now: datetime) -> str:
    actor = system_actor("page:preferences")
    action = request.POST.get("action", "")
    if action == "save":
        preference_centre.change(
            actor=actor,
            customer_id=customer.pk,
            choices=_choices(request, customer, now),
            policy_version=PREFERENCE_TEXT.version,
            evidence=PREFERENCE_TEXT.evidence(language),
            now=now,
        )
        return "saved"
    if action in set(RequestKind):
        preferences.request_privacy(
            actor=actor,
            customer_id=customer.pk,
            kind=RequestKind(action),
            details=request.POST.get("details", ""),
            source=preference_centre.SOURCE,
            now=now,
        )
        return "requested"
    raise ChoiceRefused


def _choices(request: HttpRequest, customer: Customer, now: datetime) -> Choices:
    offers = own_data.offers(customer, now=now)
    offered = {f"{one.channel}.{one.purpose}": (one.channel, one.purpose) for one in offers}
    wanted = set(request.POST.getlist("consent"))
    if not wanted <= offered.keys():
        raise ChoiceRefused
    return Choices(
        offered=frozenset(offered.values()),
        granted=frozenset(offered[name] for name in wanted),
        settings=Settings(
            paused_until=_pause(request.POST.get("pause", ""), customer, now),
            weekly_limit=_number(request.POST.get("limit", ""), WEEKLY_LIMITS),
            is_personalised=request.POST.get("personalised") == "on",
        ),
    )


def _pause(text: str, customer: Customer, now: datetime) -> datetime | None:
    if text == _KEEP:
        return customer.marketing_paused_until
    days = _number(text, PAUSE_DAYS)
    return now + timedelta(days=days) if days is not None else None


def _number(text: str, allowed: tuple[int, ...]) -> int | None:
    """Return the number that was chosen; None for the empty choice."""
    if not text:
        return None
    if text not in {str(number) for number in allowed}:
        raise ChoiceRefused
    return int(text)
