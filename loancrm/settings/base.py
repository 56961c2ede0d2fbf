"""Settings shared by development, tests and production."""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from loancrm.kernel.manifests import Collected
from loancrm.kernel.processes import logs
from loancrm.settings import parsing
from loancrm.settings.api import *
from loancrm.settings.environment import Environment
from loancrm.settings.manifests import COLLECTED
from loancrm.settings.unfold import *

# What the apps bring along; read by menu, roles, addresses, timeline and audit trail.
LOANCRM_MANIFESTS: Collected = COLLECTED
BASE_DIR = Path(__file__).resolve().parents[2]
env = Environment()

LOANCRM_VAR_DIR = env.folder("LOANCRM_VAR_DIR", BASE_DIR / "var")
LOANCRM_PUBLIC_URL = env.parsed(
    "LOANCRM_PUBLIC_URL",
    "http://127.0.0.1:8000",
    parsing.public_url,
    "an address such as https://crm.example.com",
)
# Who speaks: texts may name them, and the law wants them named.
LOANCRM_BRAND = env.text("LOANCRM_BRAND", "loancrm")
LOANCRM_HOTLINE = env.text("LOANCRM_HOTLINE", "")
# Whose public holidays a campaign's calendar keeps.
LOANCRM_COUNTRY = env.parsed("LOANCRM_COUNTRY", "CN", parsing.country, "a country code such as CN")
# What kind of company lends: rules of the law differ by it.
LOANCRM_LENDER_TYPE = env.parsed(
    "LOANCRM_LENDER_TYPE",
    "bank",
    parsing.lender_type,
    "bank, consumer_finance, micro_lender or loan_assisting",
)
LOANCRM_POSTAL_ADDRESS = env.text("LOANCRM_POSTAL_ADDRESS", "")
# Local hours in which marketing may be sent; wider than 08:00-21:00 is refused.
LOANCRM_SENDING_WINDOW = env.parsed(
    "LOANCRM_SENDING_WINDOW",
    (9, 20),
    parsing.window,
    "two whole hours between 8 and 21, such as 9-20",
)
# Whom to write to when a provider refuses the account or a campaign is held; nobody without one.
LOANCRM_OPERATOR_EMAILS: list[str] = env.parsed(
    "LOANCRM_OPERATOR_EMAILS", [], parsing.emails, "e-mail addresses, comma-separated"
)
# From which shares of failures, complaints and opt-outs on a campaign pauses by itself.
_RATES = "two rising shares in percent, such as 0.1-0.3, or off"
LOANCRM_HARM_FAILURES: tuple[float, ...] = env.parsed(
    "LOANCRM_HARM_FAILURES", (0.05, 0.15), parsing.harm_rates, _RATES
)
LOANCRM_HARM_COMPLAINTS: tuple[float, ...] = env.parsed(
    "LOANCRM_HARM_COMPLAINTS", (0.001, 0.003), parsing.harm_rates, _RATES
)
LOANCRM_HARM_OPT_OUTS: tuple[float, ...] = env.parsed(
    "LOANCRM_HARM_OPT_OUTS", (0.005, 0.015), parsing.harm_rates, _RATES
)
_MAIL = env.parsed(
    "LOANCRM_MAIL_URL",
    parsing.mail_url("smtp://localhost:25"),
    parsing.mail_url,
    "smtp, smtp+tls or smtp+ssl, as in smtp+tls://user:password@host:587",
)
EMAIL_HOST, EMAIL_PORT = _MAIL["EMAIL_HOST"], _MAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_USER"], _MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL["EMAIL_USE_TLS"], _MAIL["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("LOANCRM_MAIL_FROM", "loancrm@localhost")
# Messages that only inform keep hours of their own; one-time codes and fraud warnings keep none.
LOANCRM_SERVICE_SENDING_WINDOW = env.parsed(
    "LOANCRM_SERVICE_SENDING_WINDOW",
    (7, 22),
    parsing.service_window,
    "two whole hours between 6 and 23, such as 7-22",
)
# How long refused rows of imports can be repaired; then their values are wiped.
LOANCRM_QUARANTINE_DAYS = env.number("LOANCRM_QUARANTINE_DAYS", 90, least=1, most=3650)
# How long searches, discoveries and the like are listed after their end.
LOANCRM_WORK_DAYS = env.number("LOANCRM_WORK_DAYS", 180, least=1, most=3650)
# How long attributes that are over are kept, so that models can be trained as of a past date.
LOANCRM_HISTORY_DAYS = env.number("LOANCRM_HISTORY_DAYS", 1826, least=1, most=3650)
# How long the exact text of every message is kept; three years are what records of advertising and
# of how personal data was used are kept for.
LOANCRM_TEXT_DAYS = env.number("LOANCRM_TEXT_DAYS", 1096, least=1, most=7305)
# Take in data of registered sources only; otherwise a new name is registered on its first use.
LOANCRM_REGISTERED_SOURCES_ONLY = env.flag("LOANCRM_REGISTERED_SOURCES_ONLY", default=False)
LOANCRM_DEMO_CLOCK = env.text("LOANCRM_DEMO_CLOCK", "")
LOANCRM_KEYS: dict[str, bytes] = env.parsed(
    "LOANCRM_KEYS",
    {},
    parsing.keys,
    "`id:base64 of 32 random bytes`, comma-separated, the active one first, no id twice",
)
# Blind indexes survive the rotation of the encryption keys, so their key is one of its own.
LOANCRM_INDEX_KEY: bytes = env.parsed(
    "LOANCRM_INDEX_KEY", b"", parsing.key, "base64 of 32 random bytes"
)
SECRET_KEY = env.text("LOANCRM_SECRET_KEY", "")
# Former secret keys: links in messages that are out already go on opening.
SECRET_KEY_FALLBACKS = env.text("LOANCRM_OLD_SECRET_KEYS", "").split(",")
SECRET_KEY_FALLBACKS = [old.strip() for old in SECRET_KEY_FALLBACKS if old.strip()]
# Tests that change history to see it noticed switch this off; nobody else does.
LOANCRM_GUARD_TABLES = True
DEBUG = False
# Proxies in front of the server whose X-Forwarded-For entries are believed; with none, the header
# is ignored, so a client cannot escape its limits by inventing addresses.
LOANCRM_PROXY_COUNT = env.number("LOANCRM_PROXY_COUNT", 0, least=0, most=10)
REST_FRAMEWORK["NUM_PROXIES"] = LOANCRM_PROXY_COUNT
ALLOWED_HOSTS = env.parsed(
    "LOANCRM_ALLOWED_HOSTS",
    ["127.0.0.1", "localhost"],
    parsing.hosts,
    "host names without scheme, port or path, comma-separated",
)
# Inner hosts that a channel may lead to although they are in no public network.
LOANCRM_WEBHOOK_ALLOWED_HOSTS: list[str] = env.parsed(
    "LOANCRM_WEBHOOK_ALLOWED_HOSTS",
    [],
    parsing.plain_hosts,
    "host names without scheme, port or path, comma-separated",
)
CSRF_TRUSTED_ORIGINS = [LOANCRM_PUBLIC_URL]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "loancrm.kernel",
    "customers",
    "campaigns",
    "analytics",
    "loancrm.admin_site.LoancrmAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "guardian",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "loancrm.kernel.running.probes.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "loancrm.refusals.RefusalMiddleware",
]
CSRF_FAILURE_VIEW = "loancrm.refusals.stale_form"
ROOT_URLCONF = "loancrm.urls"
WSGI_APPLICATION = "loancrm.wsgi.application"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja2"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "loancrm.jinja2.environment"},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "django"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"components": "loancrm.components"},
        },
    },
]


def _database() -> dict[str, Any]:
    """Return the database settings, with the pragmas that let web and workers share one SQLite."""
    database = env.database(LOANCRM_VAR_DIR / "loancrm.sqlite3")
    if "sqlite3" in database["ENGINE"]:
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
                "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-20000;"
            ),
        }
    else:
        database["CONN_MAX_AGE"] = 60
        database["CONN_HEALTH_CHECKS"] = True
    return database


DATABASES = {"default": _database()}

REDIS_URL = env.parsed("REDIS_URL", "", parsing.redis_url, "redis://host:6379/0 or rediss://…")
# Stands before every key in Redis, so that several installations can share one.
LOANCRM_BROKER_PREFIX = env.parsed(
    "LOANCRM_BROKER_PREFIX", "", parsing.prefix, "at most 60 letters, digits and `_.:-`"
)
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": f"{LOANCRM_BROKER_PREFIX}cache",
        }
        if REDIS_URL
        else {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": LOANCRM_VAR_DIR / "cache",
        }
    )
}

_BROKER_DIR = LOANCRM_VAR_DIR / "broker"
CELERY_BROKER_URL = REDIS_URL or "files://"
if not REDIS_URL:
    for folder in ("queue", "processed", "control"):
        env.make_private(_BROKER_DIR / folder)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        # Longer than any task's time limit, so that a running task is never delivered again.
        "visibility_timeout": 5 * 3600,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "global_keyprefix": LOANCRM_BROKER_PREFIX,
    }
    if REDIS_URL
    else {
        "data_folder_in": str(_BROKER_DIR / "queue"),
        "data_folder_out": str(_BROKER_DIR / "queue"),
        "processed_folder": str(_BROKER_DIR / "processed"),
        "control_folder": str(_BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
)
# Workers that drain dispatches at the same time, and how long one does before it lets others run.
LOANCRM_DISPATCH_WORKERS = env.number("LOANCRM_DISPATCH_WORKERS", 2, least=1, most=64)
# Longer without a tick, with campaigns open, a person says whether sending goes on.
LOANCRM_STANDSTILL_HOURS = env.number("LOANCRM_STANDSTILL_HOURS", 12, least=2, most=8760)
# Outside the database on purpose: it tells a restored or copied database from the one that ran.
LOANCRM_ANCHOR_DIR = LOANCRM_VAR_DIR / "deployments"
LOANCRM_DRAIN_SECONDS = 60
CELERY_BEAT_SCHEDULE = COLLECTED.beat_schedule
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
# Of a worker that is told no other number, the one for sending: every drain may be at work, and
# ticks and confirmations still find a process.
CELERY_WORKER_CONCURRENCY = LOANCRM_DISPATCH_WORKERS + 1
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(LOANCRM_VAR_DIR / "beat-schedule")

LANGUAGE_CODE = env.parsed("LOANCRM_LANGUAGE", "zh-hans", parsing.language, "zh-hans or en")
# Numbers with separators in Chinese too.
FORMAT_MODULE_PATH = ["loancrm.formats"]
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "loancrm" / "locale"]
TIME_ZONE = env.parsed(
    "LOANCRM_TIME_ZONE", "Asia/Shanghai", parsing.zone, "a zone such as Asia/Shanghai"
)
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = LOANCRM_VAR_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "loancrm" / "static"]
MEDIA_ROOT = LOANCRM_VAR_DIR / "media"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin theme's Alpine.js evaluates expressions; pages outside the admin need no script.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "loancrm.api.auth.ClientSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
_LEVEL = env.parsed("LOANCRM_LOG_LEVEL", "INFO", parsing.level, ", ".join(parsing.LEVELS))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": logs.formatter(as_json=env.flag("LOANCRM_JSON_LOGS", default=False))},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # The broker of files has no host; kombu warns about that at every connection.
    "loggers": {"kombu.connection": {"level": "ERROR"}},
    "root": {"handlers": ["stderr"], "level": _LEVEL},
}
