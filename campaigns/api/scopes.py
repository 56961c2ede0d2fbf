"""Which scopes a client may ask for: those of its partner, none once the partnership ended."""

from typing import Any

from django.conf import settings
from oauth2_provider.scopes import BaseScopes

from campaigns.domain.partners.contract import scopes_for
from campaigns.models import Partner
from campaigns.services.partners import contracts
from customers.domain.sources import SourceKind
from loancrm.kernel import clock


class PartnerScopes(BaseScopes):  # type: ignore[misc]  # untyped library
    """Scopes by partner instead of by installation."""

    def get_all_scopes(self) -> dict[str, Any]:
        """Return every scope with its description."""
        return dict(settings.LOANCRM_MANIFESTS.scopes)

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Return the scopes granted to the partner of a client."""
        if application is None:
            return []
        partner = (
            Partner.objects.select_related("user", "data_source")
            .filter(user=application.user_id)
            .first()
        )
        if partner is None or not contracts.is_active_on(partner, clock.today()):
            return []
        possible = scopes_for(SourceKind(partner.data_source.kind))
        return [scope for scope in partner.scopes if scope in possible]

    def get_default_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Return what a token gets whose request names no scope: all that is granted."""
        return self.get_available_scopes(application, request)
