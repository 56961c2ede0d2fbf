"""Scratch databases whose run is gone: a machine that loses power takes the guardian along."""

import os
import socket
from pathlib import Path

import psycopg
from psycopg import sql

PREFIX = "loancrm_bench_"


def mark(server: str, name: str) -> None:
    """Write down in a scratch database which process of which machine it belongs to."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(name), sql.Literal(_owner(os.getpid()))
            )
        )


def sweep(server: str) -> list[str]:
    """Drop the scratch databases of this machine's runs that are gone; return their names.

    Whatever carries no mark, or the mark of another machine, is left alone.
    """
    dropped = []
    with psycopg.connect(server, autocommit=True) as connection:
        marked = connection.execute(
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE starts_with(datname, %s)",
            [PREFIX],
        ).fetchall()
        for name, mark_of in marked:
            if mark_of and _is_gone(mark_of):
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )
                dropped.append(name)
    return dropped


def _owner(pid: int) -> str:
    return f"{socket.gethostname()} {_boot()} {pid} {_started(pid)}"


def _is_gone(mark_of: str) -> bool:
    """Return whether a mark names this machine and a process that no longer runs on it."""
    host, _space, rest = mark_of.partition(" ")
    pid = rest.split(" ")[1] if rest.count(" ") == 2 else ""
    return host == socket.gethostname() and pid.isdigit() and mark_of != _owner(int(pid))


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "-"


def _started(pid: int) -> str:
    """Return when a process started, which tells it from a later one of the same number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "-"
    return stat.rpartition(")")[2].split()[19]
