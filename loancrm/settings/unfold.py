"""The look of the admin."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from loancrm.menu import tabs_of
from loancrm.settings.manifests import COLLECTED


def _static(path: str) -> Any:
    """Return a callable: the address of a file is known only once the apps are loaded."""
    return lambda _request: static(path)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "loancrm",
    "SITE_HEADER": "loancrm",
    "SITE_SUBHEADER": _("Marketing for lenders"),
    "SITE_URL": None,
    "SITE_SYMBOL": "campaign",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _static("loancrm/favicon.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "loancrm.admin_site.environment",
    "DASHBOARD_CALLBACK": "analytics.dashboards.home.dashboard",
    "LOGIN": {
        "image": _static("loancrm/login.svg"),
        "form": "loancrm.kernel.sign_in.forms.SignInForm",
    },
    "STYLES": [_static("loancrm/admin.css")],
    "SCRIPTS": [_static("loancrm/focus.js"), _static("loancrm/session.js")],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "#eff6ff",
            "100": "#dbeafe",
            "200": "#bfdbfe",
            "300": "#93c5fd",
            "400": "#60a5fa",
            "500": "#3b82f6",
            "600": "#2563eb",
            "700": "#1d4ed8",
            "800": "#1e40af",
            "900": "#1e3a8a",
            "950": "#172554",
        },
    },
    "TABS": tabs_of(COLLECTED.menu),
    "COMMAND": {"search_models": False},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "loancrm.menu.navigation",
    },
}
