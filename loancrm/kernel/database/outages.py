"""Which errors say that a store is away: the request may be repeated, nobody's code is wrong."""

from kombu.exceptions import OperationalError as BrokerUnavailable
from redis.exceptions import RedisError

from loancrm.kernel.database.errors import PASSING, trouble_of

RETRY_AFTER_SECONDS = 5


def is_outage(error: BaseException) -> bool:
    """Return whether the database, the cache or the broker is away (or cannot be written)."""
    if isinstance(error, RedisError | BrokerUnavailable):
        return True
    return trouble_of(error) in PASSING
