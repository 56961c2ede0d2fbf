"""Tests: fixed keys, cheap password hashing, tasks run in the calling process."""

import os

from loancrm.settings.base import *

SECRET_KEY = "test-secret-key-not-used-outside-tests-0123456789abcdef"  # noqa: S105 - tests only
LOANCRM_KEYS = {"t1": bytes(range(32))}
LOANCRM_INDEX_KEY = bytes(range(1, 33))
LOANCRM_GUARD_TABLES = False
LOANCRM_VAR_DIR.mkdir(parents=True, exist_ok=True)
LOANCRM_ANCHOR_DIR = LOANCRM_VAR_DIR / f"deployments-{os.getpid()}"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "loancrm.api.auth.ClientSecretHasher",
]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
LOGGING["root"]["level"] = "WARNING"
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("LOANCRM_TEST_DB") or None}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # No test outlives a crash of the server; waiting for its disk takes most of their time.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"
env.refuse_if_wrong()
