"""Random hundredths of the customers: the same customer is in the same one for ever.

The bucket is floor(h * 100 / 2**32), h being the first 32 bits of MD5("<salt>:<key>"), big-endian.
MD5 because both databases compute it; nothing secret depends on it.
"""

import hashlib

BUCKETS = 100
_SPACE = 2**32


def bucket_of(key: int, *, salt: str) -> int:
    """Return the bucket, 0 to 99, of a customer's key; salts give independent divisions."""
    digest = hashlib.md5(f"{salt}:{key}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") * BUCKETS // _SPACE


def first_hash_of(bucket: int) -> str | None:
    """Return the lowest hash of a bucket as eight hex digits; None past the last bucket."""
    lowest = -(-bucket * _SPACE // BUCKETS)
    return f"{lowest:08x}" if lowest < _SPACE else None
