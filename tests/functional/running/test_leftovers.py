"""Scratch databases of runs that are gone are dropped by the next run; all others stay."""

import os
import socket
import subprocess
import sys

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from loancrm.kernel.running import leftovers

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


@pytest.fixture
def server():
    if connection.vendor != "postgresql":
        pytest.skip("scratch databases on a server are PostgreSQL's")
    return os.environ["DATABASE_URL"]


@pytest.fixture
def scratch(server):
    """Create databases with given marks; drop what is left of them."""
    names = []

    def create(ending, mark):
        name = f"{leftovers.PREFIX}test_{os.getpid()}_{ending}"
        names.append(name)
        with psycopg.connect(server, autocommit=True) as session:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            if mark is None:
                return name
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            session.execute(comment.format(sql.Identifier(name), sql.Literal(mark)))
        return name

    yield create
    with psycopg.connect(server, autocommit=True) as session:
        for name in names:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def mark_of_a_dead_process():
    code = (
        "import os; from loancrm.kernel.running import leftovers as l; print(l._owner(os.getpid()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def test_only_databases_of_dead_runs_of_this_machine_are_dropped(server, scratch):
    dead = mark_of_a_dead_process()
    gone = scratch("gone", dead)
    living = scratch("living", leftovers._owner(os.getpid()))
    elsewhere = scratch("elsewhere", dead.replace(socket.gethostname(), "another", 1))
    unmarked = scratch("unmarked", None)
    strange = scratch("strange", f"{socket.gethostname()} who knows")
    dropped = leftovers.sweep(server)
    assert gone in dropped
    assert not {living, elsewhere, unmarked, strange} & set(dropped)


def test_a_mark_names_the_run_that_made_it(server, scratch):
    name = scratch("marked", None)
    leftovers.mark(server, name)
    assert name not in leftovers.sweep(server)
