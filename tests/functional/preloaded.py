"""Programs of the product started from an interpreter that has loaded the packages already.

Each runs in a process, an environment and a folder of its own, as if it had been started anew; what
it saves is most of the time in which nothing of the product runs yet.
"""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# Packages that read no settings when they are imported.
_PACKAGES = (
    "celery", "celery.bin.celery", "celery.apps.worker", "celery.apps.beat", "cryptography.fernet",
    "cryptography.hazmat.primitives.ciphers.aead", "django.contrib.postgres.fields",
    "django.core.management", "django.db.models", "django.forms", "django.http",
    "django.template", "django.test", "django.urls", "email_validator", "gunicorn.app.wsgiapp",
    "jinja2.sandbox", "kombu.transport.filesystem", "msgspec", "numpy", "oauthlib.oauth2",
    "phonenumbers", "psycopg", "rapidfuzz.distance", "redis", "requests", "sqlparse",
    "structlog.dev", "tqdm",
)  # fmt: skip
_SERVE = """
import gc, importlib, json, os, runpy, sys
for name in {packages!r}:
    importlib.import_module(name)
# What is loaded stays: no program that is forked has to look through it for garbage.
gc.freeze()

def order():
    for line in sys.stdin:
        given = json.loads(line)
        pid = os.fork()
        if not pid:
            os.setsid()
            return given
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)

given = order()
if given:
    for number, name in ((0, os.devnull), (1, given["out"]), (2, given["err"])):
        os.dup2(os.open(name, os.O_RDONLY if not number else os.O_WRONLY), number)
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["folder"])
    sys.path[0] = given["folder"]
    sys.argv = given["words"]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path, seconds: int
) -> subprocess.CompletedProcess[str]:
    """Run `python …` to its end; return its status and what it wrote.

    Raises:
        AssertionError: It did not end in time.
    """
    python, *arguments = words
    assert python == sys.executable
    server = _server()
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        out.touch(), err.touch()
        given = {"words": arguments, "environment": dict(env), "folder": str(cwd)}
        server.stdin.write(json.dumps(given | {"out": str(out), "err": str(err)}) + "\n")
        server.stdin.flush()
        pid = int(server.stdout.readline())
        previous = signal.signal(signal.SIGALRM, lambda *_: os.killpg(pid, signal.SIGKILL))
        left = signal.alarm(seconds)
        try:
            status = int(server.stdout.readline())
        finally:
            signal.alarm(left)
            signal.signal(signal.SIGALRM, previous)
        assert status != -signal.SIGKILL, f"still running after {seconds} s"
        texts = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(words, status, *texts)


@functools.cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE.format(packages=_PACKAGES)],
        # Threads of a library would not be there in the processes that are forked.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.kill)
    return server
