"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loancrm.settings.prod")
application = get_wsgi_application()

from loancrm.kernel import keys  # noqa: E402 - needs the loaded apps

keys.refuse_wrong_keys()
