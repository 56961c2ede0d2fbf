"""Production: refuses to start without its secrets; everything over HTTPS."""

from loancrm.kernel.processes import logs
from loancrm.settings import parsing
from loancrm.settings.base import *

env.require("LOANCRM_SECRET_KEY", "signs sessions and links; 50 or more random characters")
env.require("LOANCRM_KEYS", "encrypts personal data; `id:base64 of 32 random bytes`")
env.require("LOANCRM_INDEX_KEY", "keys the blind indexes; base64 of 32 random bytes")
env.require("LOANCRM_ALLOWED_HOSTS", "host names this server answers to, comma-separated")
env.require("LOANCRM_PUBLIC_URL", "the address in links that customers receive")
env.require("LOANCRM_PROXY_COUNT", "how many proxies stand in front; 0 for none, mostly 1")
if LOANCRM_DEMO_CLOCK:
    env.problems.append("LOANCRM_DEMO_CLOCK: a demo clock must not run in production")
LOGGING["formatters"]["line"] = logs.formatter(as_json=True)
env.problems += parsing.production_problems(
    secret=SECRET_KEY,
    public=LOANCRM_PUBLIC_URL,
    names=ALLOWED_HOSTS,
    index_key=LOANCRM_INDEX_KEY,
    sealing=LOANCRM_KEYS,
)

SECURE_SSL_REDIRECT = env.flag("LOANCRM_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
env.refuse_if_wrong()
