"""Say whether PostgreSQL and Redis answer; `make test-sql` skips aloud when they do not."""

import sys

import psycopg
import redis

# sysexits.h EX_TEMPFAIL: the Makefile tells "not there" from "failed" by it.
NOT_AVAILABLE = 75


def main(database_url: str, redis_url: str) -> int:
    """Return 0 when both services answer within two seconds, else NOT_AVAILABLE."""
    problems = []
    try:
        psycopg.connect(database_url, connect_timeout=2).close()
    except psycopg.OperationalError as err:
        problems.append(f"PostgreSQL does not answer: {str(err).strip()}")
    try:
        with redis.Redis.from_url(redis_url, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as err:
        problems.append(f"Redis does not answer: {err}")
    if not problems:
        return 0
    sys.stderr.write("SKIPPED: the tests on PostgreSQL and Redis were not run.\n")
    sys.stderr.writelines(f"  {problem}\n" for problem in problems)
    return NOT_AVAILABLE


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
