"""The database's planner: what it knows in a test, and what it would do for a statement."""

import re

from django.db import connection
from django.db.models import Model


def keep_first_estimates() -> None:
    """Let PostgreSQL gather no statistics in the background.

    A test leaves dead rows behind. Counted at that moment, their tables are taken for empty however
    much the next test writes, and one statement over a thousand people then runs for minutes.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                """
                DO $$ DECLARE found regclass; BEGIN
                  FOR found IN SELECT oid FROM pg_class
                    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                  LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', found);
                  END LOOP;
                END $$
                """
            )


def learn(*models: type[Model]) -> None:
    """Let the planner know what a test has written, as a server that runs for a while does.

    Only in tables that hold rows: what is said of a table outlives the test's transaction.
    """
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def tables_read_through(sql: str) -> set[str]:
    """Return the tables that no index leads into, however large they grow.

    On PostgreSQL reading through is made dear first, so that it remains only where nothing else is
    possible: the few rows of a test would be read through anyhow.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            lines = [row[0] for row in cursor.fetchall()]
            return {found[1] for line in lines if (found := re.search(r"Seq Scan on (\w+)", line))}
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        details = [row[-1] for row in cursor.fetchall()]
    aliases = dict(re.findall(r"\b(?:FROM|JOIN|UPDATE) \"?(\w+)\"? (?:AS )?\"?(\w+)\"?", sql))
    by_alias = {alias: table for table, alias in aliases.items()}
    read = {found[1] for line in details if (found := re.match(r"SCAN (\w+)(?! USING)", line))}
    return {by_alias.get(name, name) for name in read}
