"""What only one `up` at a time may have: its data folder, and its port."""

import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.system_words import system_words


class FolderInUse(LoanCrmError):
    """Another `up` runs on the data folder."""

    code = "already_running"


class PortInUse(LoanCrmError):
    """The address cannot be listened on."""

    code = "port_in_use"


def claim_folder(folder: Path) -> TextIO:
    """Return an open file that keeps every other `up` out of the folder until this process ends.

    The lock is the kernel's (flock): however the process ends, SIGKILL included, it is free again.

    Raises:
        FolderInUse: Another process holds it.
    """
    lock = (folder / "up.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        words = _("Process %(pid)s runs loancrm on %(folder)s already; stop it first.")
        raise FolderInUse(words % {"pid": holder, "folder": folder}) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def require_free(host: str, port: int) -> None:
    """Try the address as the web server will.

    Raises:
        PortInUse: Somebody listens there, or it may not or cannot be listened on.
    """
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        words = _("%(host)s:%(port)s is in use by another program; choose another --port.")
        if error.errno != errno.EADDRINUSE:
            words = _("%(host)s:%(port)s cannot be listened on: %(reason)s.")
        reason = system_words(error)
        raise PortInUse(words % {"host": host, "port": port, "reason": reason}) from error
