"""`/p/<token>/`: what a customer chooses about being contacted, without a login.

Looking changes nothing. The signed token alone says who is meant; there is no cookie whose holder
another site could make act, so a post needs no further proof.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.domain.content import links
from campaigns.domain.content.preference_links import read_preference_token
from campaigns.pages import answers
from campaigns.services.consents import preference_centre
from customers.domain.consents.preferences import (
    DETAILS_LENGTH,
    PAUSE_DAYS,
    REQUEST_DAYS,
    WEEKLY_LIMITS,
    PreferenceChoices,
    RequestKind,
    Settings,
)
from customers.domain.consents.texts import PREFERENCE_TEXT
from customers.models import Customer
from customers.selectors import consents as ledger
from customers.selectors import own_data
from customers.services.privacy import preferences
from loancrm.api.throttling import hit
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor

POSTS_A_MINUTE = 20
_DONE = ("saved", "requested")
_KEEP = "keep"
_CONFIRMED = "yes"


class ChoiceRefused(ValueError):
    """The form holds a value that the page never offered."""


class ChoiceUnclear(ValueError):
    """As `ChoiceRefused`, but what the person no longer wants was clear, and is stored."""


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
        return _answer(request, customer, language)


def _answer(request: HttpRequest, customer: Customer, language: str) -> HttpResponse:
    """Store what was chosen or asked for, or say why not."""
    if hit(f"preferences:{customer.pk}").hits > POSTS_A_MINUTE:
        return answers.page(request, "too_many.html", status=HTTPStatus.TOO_MANY_REQUESTS.value)
    if _is_to_be_asked_again(request):
        return _ask_again(request, language)
    try:
        done = _store(request, customer, language, clock.now())
    except (ChoiceRefused, ChoiceUnclear) as refusal:
        customer.refresh_from_db()
        refused = "all" if isinstance(refusal, ChoiceRefused) else "part"
        return _page(request, customer, language, refused=refused)
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
    request: HttpRequest, customer: Customer, language: str, *, refused: str = ""
) -> HttpResponse:
    """Show the choices; `refused` says of a sent form whether all or part of it was."""
    now = clock.now()
    current = preferences.settings_of(customer)
    done = request.GET.get("done", "")
    is_paused = current.paused_until is not None and current.paused_until > now
    return answers.page(
        request,
        "preferences.html",
        status=(HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK).value,
        brand=settings.LOANCRM_BRAND,
        hotline=settings.LOANCRM_HOTLINE,
        language=language,
        done=done if done in _DONE else "",
        refused=refused,
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


def _is_to_be_asked_again(request: HttpRequest) -> bool:
    """Return whether a deletion is asked for by the first press, which may have been a slip."""
    is_deletion = request.POST.get("action") == RequestKind.DELETION
    return is_deletion and request.POST.get("confirmed") != _CONFIRMED


def _ask_again(request: HttpRequest, language: str) -> HttpResponse:
    """Ask whether the person means it, and carry what they wrote; nothing is stored."""
    return answers.page(
        request,
        "deletion.html",
        brand=settings.LOANCRM_BRAND,
        language=language,
        details=request.POST.get("details", "")[:DETAILS_LENGTH],
        answer_days=REQUEST_DAYS,
        confirmed=_CONFIRMED,
    )


def _day(at: datetime) -> str:
    return at.astimezone(clock.company_zone()).date().isoformat()


def _store(request: HttpRequest, customer: Customer, language: str, now: datetime) -> str:
    actor = system_actor("page:preferences")
    action = request.POST.get("action", "")
    if action == "save":
        choices, is_clear = _choices(request, customer, now)
        preference_centre.change(
            actor=actor,
            customer_id=customer.pk,
            choices=choices,
            policy_version=PREFERENCE_TEXT.version,
            evidence=PREFERENCE_TEXT.evidence(language),
            now=now,
        )
        if not is_clear:
            raise ChoiceUnclear
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


def _choices(
    request: HttpRequest, customer: Customer, now: datetime
) -> tuple[PreferenceChoices, bool]:
    """Return what was chosen, and whether all of it could be read.

    A form that holds anything else than the page offers widens nothing, but what is not ticked in
    it is no longer wanted: nothing but a clear yes keeps a grant.
    """
    offers = own_data.offers(customer, now=now)
    offered = {f"{one.channel}.{one.purpose}": (one.channel, one.purpose) for one in offers}
    wanted = set(request.POST.getlist("consent"))
    granted = frozenset(offered[name] for name in wanted & offered.keys())
    is_personalised = request.POST.get("personalised") == "on"
    chosen: Settings | None = None
    with suppress(ChoiceRefused):
        chosen = Settings(
            paused_until=_pause(request.POST.get("pause", ""), customer, now),
            weekly_limit=_number(request.POST.get("limit", ""), WEEKLY_LIMITS),
            is_personalised=is_personalised,
        )
    is_clear = wanted <= offered.keys() and chosen is not None
    if chosen is None or not is_clear:
        held = ledger.granted_now(customer.pk, now=now)
        granted = frozenset(pair for pair in granted if pair in held)
        current = preferences.settings_of(customer)
        chosen = replace(current, is_personalised=current.is_personalised and is_personalised)
    return PreferenceChoices(frozenset(offered.values()), granted, chosen), is_clear


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
