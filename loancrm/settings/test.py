"""Tests: fixed keys, cheap password hashing, tasks run in the calling process."""

import os
from pathlib import Path

from loancrm.settings.base import *

# Beside other workers, the threads of scikit-learn wait for each other at full load: most of what
# clustering took. Read when the libraries load; the processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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
# No test outlives a crash of the machine: nothing waits for the disk.
_options = DATABASES["default"].setdefault("OPTIONS", {})
_name = os.environ.get("LOANCRM_TEST_DB")
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    _options["options"] = "-c synchronous_commit=off"
else:
    # A file and not SQLite's memory: there all threads would share one connection, and a test its
    # transactions with the server it drives.
    _memory = Path("/dev/shm")  # noqa: S108 - a folder in the machine's memory
    _folder = _memory if os.access(_memory, os.W_OK) else LOANCRM_VAR_DIR
    for _file in _memory.glob("loancrm-test-*"):
        # A run that was killed left it.
        if not Path("/proc", _file.name.split("-")[2]).exists():
            _file.unlink(missing_ok=True)
    _name = _name or str(_folder / f"loancrm-test-{os.getpid()}-.sqlite3")
    _options["init_command"] += "PRAGMA synchronous=OFF;"
DATABASES["default"]["TEST"] = {"NAME": _name}
env.refuse_if_wrong()
