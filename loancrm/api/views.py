"""What every end point of the partners' API shares."""

from typing import Any, Protocol, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from loancrm.api.errors import unknown_address
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor


class PartnerAccount(Protocol):
    """What the API knows of a partner; the app above it keeps the rest."""

    pk: Any
    slug: Any
    user: Any
    requests_per_minute: Any

    @property
    def source(self) -> str:
        """Return the source name of everything this partner hands in."""


class PartnerView(APIView):
    """An end point for one partner, named by the token; nothing in the request can name another."""

    required_scopes: list[str] = []
    partner: PartnerAccount

    def check_permissions(self, request: Request) -> None:
        """Check the scope, then that the partnership is active."""
        super().check_permissions(request)
        lookup = import_string(settings.LOANCRM_PARTNER_LOOKUP)
        self.partner = lookup(user=request.user, today=clock.today())

    def requests_per_minute(self, request: Request) -> int:
        """Return this partner's rate limit."""
        own = self.partner.requests_per_minute
        return cast("int", own or settings.LOANCRM_API_LIMITS["partner"])

    @property
    def actor(self) -> Actor:
        """Return the partner as the actor of services and of the audit trail."""
        return access.partner_actor(self.partner.user, self.partner.pk)


class UnknownAddressView(APIView):
    """Answers every address under the API that is none of its end points."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse before anything else is looked at."""
        unknown_address()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Never reached."""
        return unknown_address()
