"""Killing a piece of work right after one of its commits."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

from django.db import connection


class Killed(BaseException):
    """The process ended here; no handler of errors may catch it."""


@contextmanager
def killed_after_commit(nth: int) -> Iterator[list[int]]:
    """End what runs inside right after its n-th commit; needs a test with real transactions.

    A writing statement outside a transaction is a commit of its own.

    Yields:
        A list that holds the number of commits afterwards; shorter work is not killed.
    """
    done = [0]
    commit = connection.commit

    def count() -> None:
        done[0] += 1
        if done[0] == nth:
            raise Killed

    def counting_commit() -> None:
        commit()
        count()

    def counting_execute(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        is_write = sql.lstrip().split(" ", 1)[0].upper() in {"INSERT", "UPDATE", "DELETE", "WITH"}
        if is_write and not connection.in_atomic_block:
            count()
        return result

    with (
        mock.patch.object(connection, "commit", counting_commit),
        connection.execute_wrapper(counting_execute),
        suppress(Killed),
    ):
        yield done
