"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loancrm.settings.prod")
application = get_wsgi_application()

from loancrm.kernel.running import readiness  # noqa: E402 - needs the loaded apps

# Whatever server runs this: with wrong keys it must not serve a single page.
readiness.refuse_wrong_keys()
